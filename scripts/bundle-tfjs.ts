import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** What may be imported from TensorFlow.js, and the name its bundle gets. */
const ENTRIES = {
  '@tensorflow/tfjs-core/dist/register_all_gradients.js': 'gradients',
  '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js': 'chained-ops',
  '@tensorflow/tfjs-core': 'core',
  '@tensorflow/tfjs-backend-cpu': 'backend-cpu',
}

/**
 * The modules that stand in for TensorFlow.js when tests run on sources, as Vite aliases.
 *
 * TensorFlow.js publishes its ES modules as `.js` in packages without `"type": "module"`, with imports that lack file
 * endings: Node cannot load them, and its CommonJS main has no gradients. Letting vitest transform those ~600 files would
 * cost seconds in every test file. So they are bundled once (0.2 s), one shared core behind all names, and kept
 * under node_modules/.cache; a test file then loads them in 0.1 s. The built engine does the same through tsup.
 */
export async function bundleTfjs() {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  const engine = join(root, 'packages/engine')
  const { version } = createRequire(join(engine, 'package.json'))('@tensorflow/tfjs-core/package.json')
  const dir = join(root, `node_modules/.cache/tfjs-${version}-${Object.keys(ENTRIES).length}`)
  if (!existsSync(dir)) {
    const unfinished = `${dir}.${process.pid}`
    mkdirSync(unfinished, { recursive: true })
    await build({
      absWorkingDir: engine,
      entryPoints: Object.entries(ENTRIES).map(([name, file]) => ({ in: name, out: file })),
      outdir: unfinished,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      mainFields: ['module', 'main'],
      external: ['node-fetch'],
      banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
      logLevel: 'error',
    })
    moveUnlessThere(unfinished, dir)
  }
  return Object.entries(ENTRIES).map(([name, file]) => ({
    find: new RegExp(`^${name.replaceAll('.', '\\.')}$`),
    replacement: join(dir, `${file}.mjs`),
  }))
}

/** Two test runs may bundle at once: the first to finish wins. */
function moveUnlessThere(from: string, to: string) {
  try {
    renameSync(from, to)
  } catch (error) {
    rmSync(from, { recursive: true, force: true })
    if (!existsSync(to)) throw error
  }
}
