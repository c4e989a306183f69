// `pnpm build`: installs and builds what is not up to date.
import { main } from './command.mjs';
import { setUp } from './setup.mjs';

await main(async () => {
  if (!(await setUp(process.stdout))) process.stdout.write('Everything is installed and built.\n');
});
