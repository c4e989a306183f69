// What has to happen between a clone and a working command: install the dependencies, build the packages. Both are
// skipped when nothing they depend on has changed. A machine needs only node and npm: npm brings the pnpm that
// package.json pins.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, StepError, step } from './command.mjs';
import { CACHE, fingerprint, isStamped, ROOT, stamp, unstamp } from './freshness.mjs';

const PACKAGES = join(ROOT, 'packages');
const LOCK = join(CACHE, 'lock');
const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** Installs and builds what is not up to date, and says so on `stream`; silent when there is nothing to do. */
export async function setUp(stream) {
  checkNode();
  if (isStamped('install', installInputs()) && outdatedPackages().length === 0) return false;
  await alone(async () => {
    await install(stream);
    await build(stream);
  });
  return true;
}

async function install(stream) {
  checkNode();
  const inputs = installInputs();
  if (isStamped('install', inputs)) return;
  unstamp('install');
  const [manager, version] = manifestOf(ROOT).packageManager.split('@');
  await step(stream, `Installing the locked dependencies with ${manager} ${version}`, async () => {
    const { status, output } = await runPnpm(version, ['install', '--frozen-lockfile']);
    if (status !== 0) throw new StepError(output);
  });
  stamp('install', inputs);
}

/** Builds in the order of the dependencies, two packages at a time. */
async function build(stream) {
  const done = new Set(); // a source that changes while it is built is built again next time, not for ever
  for (let wave = nextWave(done); wave.length > 0; wave = nextWave(done)) {
    for (const { manifest } of wave) done.add(manifest.name);
    const names = wave.map(({ manifest }) => manifest.name).join(', ');
    await step(stream, `Building ${names}`, () => inPairs(wave, buildPackage));
  }
}

async function buildPackage({ folder, manifest }) {
  const inputs = buildInputs(folder, manifest);
  unstamp(stampName(manifest));
  const { status, output } = await run(process.execPath, [join(ROOT, '.workspace/bundle.mjs')], { cwd: folder });
  if (status !== 0) throw new StepError(`${manifest.name} does not build:\n${output}`);
  stamp(stampName(manifest), inputs);
}

function checkNode() {
  const wanted = manifestOf(ROOT).engines.node.replace('>=', '').split('.').map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > wanted[0] || (major === wanted[0] && minor >= wanted[1])) return;
  throw new StepError(`retrovisor needs Node.js ${wanted.join('.')} or newer; this is ${process.version}.`);
}

async function runPnpm(version, args) {
  const env = { COREPACK_ENABLE_DOWNLOAD_PROMPT: '0' };
  const present = await run('pnpm', ['--version'], { env }).catch(() => ({ status: 1, output: '' }));
  if (present.status === 0 && present.output.trim() === version) return run('pnpm', args, { env });
  return run('npm', ['exec', '--yes', `--package=pnpm@${version}`, '--', 'pnpm', ...args], { env });
}

function installInputs() {
  const manifests = ['package.json', 'test/package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml'];
  const packages = packageFolders().map((folder) => join(folder, 'package.json'));
  return fingerprint({ contents: [...manifests.map((file) => join(ROOT, file)), ...packages] });
}

function packageFolders() {
  return readdirSync(PACKAGES)
    .map((name) => join(PACKAGES, name))
    .filter((folder) => statSync(join(folder, 'package.json'), { throwIfNoEntry: false }));
}

/** A dependency counts by its declarations: a change inside core rebuilds core alone, unless its types changed. */
function buildInputs(folder, manifest) {
  const own = [join(folder, 'package.json'), join(ROOT, '.workspace/bundle.mjs'), join(ROOT, 'pnpm-lock.yaml')];
  const options = join(ROOT, '.config/tsconfig.base.json');
  const declarations = dependenciesOf(manifest).flatMap((name) => declarationsOf(join(PACKAGES, name)));
  return fingerprint({ contents: [...own, options, ...declarations], folders: [join(folder, 'src')] });
}

function declarationsOf(folder) {
  const targets = Object.values(manifestOf(folder).exports);
  return targets.flatMap((target) => (target.types ? join(folder, target.types) : []));
}

const dependenciesOf = (manifest) =>
  Object.keys(manifest.dependencies ?? {})
    .filter((name) => name.startsWith('@retrovisor/'))
    .map((name) => name.slice('@retrovisor/'.length));

const stampName = (manifest) => `build-${manifest.name.replace('@retrovisor/', '')}`;

function outdatedPackages() {
  return packageFolders()
    .map((folder) => ({ folder, manifest: manifestOf(folder) }))
    .filter(({ folder, manifest }) => {
      const built = statSync(join(folder, 'dist'), { throwIfNoEntry: false });
      return !built || !isStamped(stampName(manifest), buildInputs(folder, manifest));
    });
}

/** The outdated packages that depend on no other outdated one. */
function nextWave(done) {
  const outdated = outdatedPackages().filter(({ manifest }) => !done.has(manifest.name));
  const names = new Set(outdated.map(({ manifest }) => manifest.name.replace('@retrovisor/', '')));
  return outdated.filter(({ manifest }) => !dependenciesOf(manifest).some((name) => names.has(name)));
}

async function inPairs(items, work) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item; item = queue.shift()) await work(item);
  };
  await Promise.all([worker(), worker()]);
}

/** Two commands started at once in one clone must not install and build over each other. */
async function alone(work) {
  mkdirSync(CACHE, { recursive: true });
  while (!takeLock()) await new Promise((resolve) => setTimeout(resolve, 200));
  try {
    return await work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

function takeLock() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!isRunning(LOCK)) rmSync(LOCK, { force: true });
    return false;
  }
}

function isRunning(lock) {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH'; // gone in the meantime, or somebody else's: the next look tells
  }
}
