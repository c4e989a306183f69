// `pnpm bench`: prints the figures that the project promises beside their peers, measured in one run on what is built.
//   --long      only the guest that writes and runs new code, for 10⁹ steps: about a quarter of an hour
//   --json      the figures as JSON
//   --compare   flags each ratio that is worse than 0.7 times the one in figures.json, and exits with 1 if there is one
//   --ratios    the ratios of this run, in the form of figures.json
import { readFileSync } from 'node:fs';
import { benchmark } from './benchmark.js';
import { FULL } from './measure.js';
import { newCode } from './new-code.js';
import { asText, type Ratios, ratiosOf, worseThan } from './report.js';

const options = new Set(process.argv.slice(2));
const say = (text: string) => process.stdout.write(`${text}\n`);

const sections = options.has('--long')
  ? [await newCode(FULL, true)]
  : await benchmark(FULL, (title) => process.stderr.write(`${title} …\n`));
const ratios = ratiosOf(sections);
if (options.has('--json')) say(JSON.stringify({ sections, ratios }, undefined, 2));
else if (options.has('--ratios')) say(JSON.stringify(rounded(ratios), undefined, 2));
else say(asText(sections));
if (options.has('--compare')) compare();

function rounded(values: Ratios): Ratios {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value.toPrecision(3))]));
}

function compare(): void {
  const recorded = JSON.parse(readFileSync(new URL('figures.json', import.meta.url), 'utf8')) as Ratios;
  const worse = worseThan(recorded, ratios);
  for (const line of worse) process.stderr.write(`worse: ${line}\n`);
  if (worse.length === 0) process.stderr.write('no ratio is worse than 0.7 times the recorded one\n');
  else process.exitCode = 1;
}
