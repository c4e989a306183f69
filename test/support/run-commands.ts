// Runs several calls of the `retrovisor` command in one process, from its sources, so that a test of many commands takes
// seconds. The calls come as JSON in the last argument; what each prints ends with a line of its exit status.
import { pathToFileURL } from 'node:url';

const [main = '', calls = '[]'] = process.argv.slice(2);
// Every call listens to its streams, as if they were its own.
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);

for (const [index, words] of (JSON.parse(calls) as string[][]).entries()) {
  process.argv = [process.argv[0] ?? '', main, ...words];
  process.exitCode = 0;
  await import(`${pathToFileURL(main).href}?call=${index}`); // a module of its own: the command is its top level
  process.stdout.write(`\n=== status ${process.exitCode} ===\n`);
}
process.exitCode = 0;
