import { basename, dirname, resolve } from 'node:path'
import type { Plugin } from 'esbuild'

/** What asks for compiled kernels: `import wasm from '../kernels/warp.ts?wasm'`. */
const ASKED = /\?wasm$/

/**
 * The WebAssembly module of a file in AssemblyScript and the files beside it that it imports. Nothing of it is kept: it is
 * made anew by every build and every test run, in about a second.
 */
export async function compileKernels(file: string): Promise<Uint8Array> {
  // Loaded here, as most builds need none of it.
  const { default: asc } = await import('assemblyscript/asc')
  let wasm: Uint8Array | undefined
  const options = [
    '--outFile',
    'out.wasm',
    '--runtime',
    'stub',
    '--optimizeLevel',
    '3',
    '--noAssert',
    '--enable',
    'simd',
  ]
  const { error, stderr } = await asc.main([basename(file), '--baseDir', dirname(file), ...options], {
    writeFile: (name: string, contents: string | Uint8Array) => {
      if (name === 'out.wasm') wasm = contents as Uint8Array
    },
  })
  if (error || !wasm)
    throw new Error(`Expected ${file} to compile, but got:\n${stderr.toString()}${error?.message ?? ''}`)
  return wasm
}

/** For esbuild, and so for tsup: the bytes of the module become part of the file that imports it. */
export const kernelsInBuild = (): Plugin => ({
  name: 'wasm-kernels',
  setup(build) {
    build.onResolve({ filter: ASKED }, ({ path, resolveDir }) => ({
      // What is built names its parts: by where they are in the package, not on this machine.
      path: path.replace(ASKED, '').replace('../', ''),
      namespace: 'wasm-kernels',
      pluginData: resolve(resolveDir, path.replace(ASKED, '')),
    }))
    build.onLoad({ filter: /.*/, namespace: 'wasm-kernels' }, async ({ pluginData }) => ({
      contents: await compileKernels(pluginData),
      loader: 'binary',
      watchFiles: [pluginData],
    }))
  },
})

/** The same for Vite, and so for tests on the sources. */
export const kernelsInTests = () => ({
  name: 'wasm-kernels',
  enforce: 'pre' as const,
  resolveId: (path: string, importer?: string) =>
    ASKED.test(path) && importer ? resolve(dirname(importer), path) : undefined,
  async load(id: string) {
    if (!ASKED.test(id)) return undefined
    const bytes = Buffer.from(await compileKernels(id.replace(ASKED, '')))
    return `export default Uint8Array.from(atob('${bytes.toString('base64')}'), (c) => c.charCodeAt(0))`
  },
})
