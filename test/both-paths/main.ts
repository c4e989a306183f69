// `pnpm both-paths --programs N --seed S`: random programs on both paths, for as long as one likes. Exit status 1 for a
// difference, with the shortest program that shows it.
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { BothPaths } from './paths.js';
import { programs } from './program.js';

const { values } = parseArgs({
  options: { programs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const options = { programs: Number(values.programs), seed: Number(values.seed) };

const both = new BothPaths();
fc.assert(
  fc.property(programs, (program) => both.check(program)),
  { numRuns: options.programs, seed: options.seed },
);
process.stdout.write(`${JSON.stringify({ ...options, ...both.tally })}\n`);
