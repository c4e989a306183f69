// `npm start`: from a fresh clone to the guided tour.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { main } from './command.mjs';
import { ROOT } from './freshness.mjs';
import { setUp } from './setup.mjs';

await main(async () => {
  if (!(await setUp(process.stdout))) process.stdout.write('Everything is installed and built.\n');
  process.stdout.write('Starting the tour: node packages/cli/dist/main.js tour\n\n');
  const args = [join(ROOT, 'packages/cli/dist/main.js'), 'tour', ...process.argv.slice(2)];
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
});
