import { defineConfig } from 'vitest/config'
import { bundleTfjs } from './scripts/bundle-tfjs.js'
import { kernelsInTests } from './scripts/wasm-kernels.js'

/**
 * Tests run on the sources (the `@dfl/source` condition), so no build is needed before them.
 *
 * TensorFlow.js is the exception, because Node cannot load its ES modules: `bundleTfjs` makes loadable copies of exactly
 * these three, all on one shared core, and every import of them, from whichever package, gets those copies:
 *
 *   import * as tf from '@tensorflow/tfjs-core'
 *   import '@tensorflow/tfjs-core/dist/register_all_gradients.js'
 *   import '@tensorflow/tfjs-backend-cpu'
 */
export default defineConfig({
  plugins: [kernelsInTests()],
  resolve: {
    alias: await bundleTfjs(),
    conditions: ['@dfl/source', 'node', 'import', 'module', 'default'],
  },
  ssr: { resolve: { conditions: ['@dfl/source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'bench/test/*.test.ts', 'scripts/test/*.test.mjs'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    reporters: process.env.CI ? ['default', 'json'] : ['default'],
    outputFile: { json: 'node_modules/.cache/dfl/tests.json' },
  },
})
