// Decides whether a piece of set-up has to be done again. What it depends on is hashed into a fingerprint, kept in
// node_modules/.cache (so a deleted node_modules forgets it). Files count by path, size and time of change: a few
// hundred stat calls are a few milliseconds, which `npm run retrovisor` pays every time.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const CACHE = join(ROOT, 'node_modules/.cache/retrovisor');

/** Files whose content counts, and folders whose files count by size and time of change. Missing ones count too. */
export function fingerprint({ contents = [], folders = [] }) {
  const hash = createHash('sha256').update(process.version);
  for (const file of contents) hash.update(`\0${file}\0`).update(readIfPresent(file));
  for (const folder of folders) for (const line of listing(folder)) hash.update(`\0${line}`);
  return hash.digest('hex');
}

export function isStamped(name, value) {
  return readIfPresent(stampFile(name)).toString() === value;
}

export function stamp(name, value) {
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(stampFile(name), value);
}

/** Before the work starts: when it is interrupted, it is not taken for done. */
export function unstamp(name) {
  rmSync(stampFile(name), { force: true });
}

const stampFile = (name) => join(CACHE, `${name}.stamp`);

function readIfPresent(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error.code === 'ENOENT') return Buffer.from('absent');
    throw error;
  }
}

function listing(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((file) => {
      const { size, mtimeMs } = statSync(file);
      return `${file} ${size} ${mtimeMs}`;
    });
}
