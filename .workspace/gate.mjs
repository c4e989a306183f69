// `npm test`: installs, builds, runs every check and every test, goes on after a failure, and ends with the line
// `N passed, N failed`. A check counts as one, a test as one. `npm test -- PATTERN` narrows the tests to files whose
// path contains the pattern; the checks run all the same. `pnpm check` runs the checks without the tests.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main, run, StepError, seconds } from './command.mjs';
import { CACHE, ROOT } from './freshness.mjs';
import { setUp } from './setup.mjs';

const say = (text) => process.stdout.write(`${text}\n`);
const LIBRARIES = ['core', 'vmx', 'svm', 'numa']; // the packages that others import; cli is a command alone

/** Each resolves to `{ status, output }`; the output is printed when the status is not 0. */
const CHECKS = {
  'format and lint': () => run('biome', ['ci', '--error-on-warnings', '--colors=off', '.']),
  types: () => run('tsc', ['--noEmit', '-p', '.config/tsconfig.json']),
  'unused files, exports and dependencies': () =>
    run('knip', ['--config', '.config/knip.json', '--no-progress', '--no-config-hints']),
  spelling: () => run('cspell', ['lint', '--config', '.config/cspell.json', '--no-progress', '--no-color', '.']),
  'package contents (publint)': () => withPackedLibraries((file) => run('publint', ['--strict', file])),
  'package types (attw)': () =>
    withPackedLibraries((file) => run('attw', ['--profile', 'esm-only', '--no-color', '--no-emoji', file])),
};

await main(async () => {
  const args = process.argv.slice(2).filter((arg) => arg !== '--');
  const checksOnly = args[0] === '--no-tests';
  const setUpFailure = await tryToSetUp();
  const tally = { passed: 0, failed: 0, skipped: 0, failures: [] };
  count(tally, 'install and build', setUpFailure);
  await runChecks(tally);
  if (!checksOnly) await runTests(tally, args);
  summarise(tally);
  return tally.failed > 0 ? 1 : 0;
});

async function tryToSetUp() {
  try {
    if (!(await setUp(process.stdout))) say('Everything is installed and built.');
    return undefined;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    return error.message;
  }
}

function count(tally, name, failure, took = '') {
  say(`${failure === undefined ? '✓' : '✗'} ${name}${took && ` (${took})`}`);
  if (failure === undefined) {
    tally.passed += 1;
    return;
  }
  tally.failed += 1;
  tally.failures.push(name);
  say(failure.trimEnd().replace(/^/gm, '    '));
}

/** Two at a time: most of them keep one processor busy. */
async function runChecks(tally) {
  const queue = Object.entries(CHECKS);
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [name, check] = next;
      const start = performance.now();
      const { status, output } = await check().catch((error) => ({ status: 1, output: String(error) }));
      count(tally, name, status === 0 ? undefined : output, seconds(performance.now() - start));
    }
  };
  await Promise.all([worker(), worker()]);
}

async function withPackedLibraries(check) {
  const folder = mkdtempSync(join(tmpdir(), 'retrovisor-pack-'));
  try {
    const sources = LIBRARIES.map((name) => join(ROOT, 'packages', name));
    const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder, ...sources]);
    if (packed.status !== 0) return packed;
    const results = [];
    for (const file of readdirSync(folder)) results.push(await check(join(folder, file)));
    const failed = results.filter(({ status }) => status !== 0);
    return { status: failed.length, output: failed.map(({ output }) => output).join('\n') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runTests(tally, filters) {
  say(`Running the tests${filters.length > 0 ? ` in files matching ${filters.join(' ')}` : ''} …`);
  mkdirSync(CACHE, { recursive: true });
  const report = join(CACHE, 'tests.json');
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status } = await run('vitest', ['run', '--config', 'test/vitest.config.ts', ...reporters, ...filters], {
    show: true,
  });
  const files = readReport(report);
  const before = tally.failed;
  for (const file of files) countTestFile(tally, file);
  const tests = files.reduce((sum, file) => sum + file.assertionResults.length, 0);
  if (tests === 0) count(tally, 'tests', 'No test ran at all.');
  else if (status !== 0 && tally.failed === before) {
    count(tally, 'tests', `Every test passed, but vitest ended with status ${status}: see its output above.`);
  }
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).testResults;
  } catch {
    return []; // vitest did not get as far as writing it: no test ran
  }
}

function countTestFile(tally, { name, status, assertionResults }) {
  const path = name.replace(ROOT, '');
  for (const test of assertionResults) {
    if (test.status === 'passed') tally.passed += 1;
    else if (test.status === 'failed') {
      tally.failed += 1;
      tally.failures.push(`${path}: ${test.fullName}`);
    } else tally.skipped += 1;
  }
  const explained = assertionResults.some((test) => test.status === 'failed');
  if (status === 'failed' && !explained) {
    tally.failed += 1;
    tally.failures.push(`${path}: does not load`);
  }
}

function summarise({ passed, failed, skipped, failures }) {
  say('');
  if (failures.length > 0) say(`Failed:\n${failures.map((name) => `  ${name}`).join('\n')}`);
  say(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
}
