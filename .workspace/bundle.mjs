// Bundles the package in the current folder: JavaScript, declarations and source maps into dist/. The entries are the
// package's own: what its exports name under `@retrovisor/source`, and the source of each bin.
import { readFileSync } from 'node:fs';
import { build } from 'tsup';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const modules = Object.values(manifest.exports).flatMap((target) => target['@retrovisor/source'] ?? []);
const commands = Object.values(manifest.bin ?? {}).map((file) =>
  file.replace('/dist/', '/src/').replace(/\.js$/, '.ts'),
);

await build({
  entry: [...modules, ...commands],
  format: ['esm'],
  target: 'node20',
  platform: 'neutral', // core runs in browsers; `node:` modules and dependencies stay external in any case
  external: [/^node:/],
  dts: modules.length > 0 && { entry: modules, compilerOptions: { customConditions: [] } },
  sourcemap: true,
  clean: true,
  silent: true,
});
