// `npm run -s retrovisor -- VERB …`: the command line of this clone. stdout belongs to the command alone, so set-up
// speaks on stderr. The command runs in this process: a second one would cost its start-up every time.
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { main } from './command.mjs';
import { ROOT } from './freshness.mjs';
import { setUp } from './setup.mjs';

await main(async () => {
  await setUp(process.stderr);
  const { INIT_CWD } = process.env; // where the user stands: npm changes to the root before it runs a script
  if (INIT_CWD && relative(process.cwd(), ROOT) === '') process.chdir(INIT_CWD);
  const command = join(ROOT, 'packages/cli/dist/main.js');
  process.argv[1] = command;
  await import(pathToFileURL(command).href);
  return process.exitCode;
});
