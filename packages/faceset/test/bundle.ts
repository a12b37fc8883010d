import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { kernelsInBuild } from '../../../scripts/wasm-kernels.js'

/** Makes one JavaScript file of a TypeScript program, to be run by Node itself: in a process or a thread of its own. */
export async function bundle(entry: URL, outfile: string): Promise<void> {
  const media = createRequire(new URL('../../media/package.json', import.meta.url))
  await build({
    entryPoints: [fileURLToPath(entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@dfl/source'],
    logLevel: 'error',
    plugins: [
      kernelsInBuild(),
      {
        // The file lies outside the workspace: native packages are loaded from where the workspace has them.
        name: 'native',
        setup({ onResolve }) {
          onResolve({ filter: /^(sharp|node-av)(\/|$)/ }, ({ path }) => ({
            path: pathToFileURL(media.resolve(path)).href,
            external: true,
          }))
        },
      },
    ],
  })
}
