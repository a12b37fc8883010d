import { defineConfig } from 'vitest/config'

/** Tests run on the sources (the `@dfl/source` condition), so no build is needed before them. */
export default defineConfig({
  resolve: { conditions: ['@dfl/source', 'node', 'import', 'module', 'default'] },
  ssr: { resolve: { conditions: ['@dfl/source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
