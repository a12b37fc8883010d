import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import type { MemoryEstimate } from '../src/index.js'

const here = fileURLToPath(new URL('.', import.meta.url))

it.each([
  ['autoencoder', 'float32', 15],
  ['residual', 'float32', 15],
  // How much of what is made 32 bits wide for a while lies side by side differs.
  ['autoencoder', 'mixed', 20],
  ['residual', 'mixed', 20],
])(
  'the peak of a process that trains the net %s in %s is what was estimated, within %i percent',
  async (name, precision, percent) => {
    // Beside the packages, so that ONNX Runtime is found.
    const folder = await mkdtemp(join(here, '../node_modules/.peak-'))
    try {
      const outfile = join(folder, 'peak-program.mjs')
      await build({
        ...{ entryPoints: [join(here, 'peak-program.ts')], outfile, bundle: true, logLevel: 'error' },
        ...{ format: 'esm', platform: 'node', target: 'node20', mainFields: ['module', 'main'] },
        ...{ conditions: ['@dfl/source'], external: ['onnxruntime-node', 'node-fetch'] },
        banner: {
          js: `import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);`,
        },
      })
      const { stdout } = await promisify(execFile)(process.execPath, [outfile, name, precision])
      const { estimate, peak } = JSON.parse(stdout) as { estimate: MemoryEstimate; peak: number }
      expect(estimate.activations).toBeGreaterThan(estimate.total / 2)
      expect(estimate.total / peak).toBeGreaterThan(1 - percent / 100)
      expect(estimate.total / peak).toBeLessThan(1 + percent / 100)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
  60_000,
)
