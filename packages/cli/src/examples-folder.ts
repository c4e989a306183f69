// The examples that the tour walks through: beside packages/ in a clone, inside the package once it is installed.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from './input-error.js';

/** The folder of the examples. @throws InputError if this copy of the package has none */
export function examplesFolder(): string {
  const root = packageRoot(dirname(fileURLToPath(import.meta.url)));
  const candidates = [join(root, 'examples'), join(root, '../../examples')];
  const found = candidates.find((folder) => existsSync(join(folder, 'walk')));
  if (found !== undefined) return found;
  throw new InputError('NO_EXAMPLES', { candidates }, `the examples are in none of ${candidates.join(', ')}`);
}

/** Source and bundle lie at different depths below the manifest. */
function packageRoot(folder: string): string {
  const manifest = join(folder, 'package.json');
  const isRoot =
    existsSync(manifest) &&
    (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === '@retrovisor/cli';
  return isRoot || dirname(folder) === folder ? folder : packageRoot(dirname(folder));
}
