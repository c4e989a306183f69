import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const conditions = ['@retrovisor/source', 'module', 'node', 'development|production']; // ours before the defaults

/** One configuration for the whole workspace. Packages resolve to their sources: nothing has to be built first. */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 60_000, // a machine that is busy with something else must not fail a test
    hookTimeout: 60_000,
  },
});
