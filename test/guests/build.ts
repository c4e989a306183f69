// `pnpm guests [NAME…]`: builds the guests of this folder, all of them or those that are named.
import { execSync } from 'node:child_process';
import { findGuests } from './guest.js';

const wanted = process.argv.slice(2);
for (const { name, folder, image, description } of findGuests()) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  execSync(description.build, { cwd: folder, env: { ...process.env, OUT: image }, stdio: 'inherit' });
  process.stdout.write(`built: ${description.image}\n`);
}
