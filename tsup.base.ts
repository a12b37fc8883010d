import { existsSync, readFileSync } from 'node:fs'
import type { Options } from 'tsup'
import { kernelsInBuild } from './scripts/wasm-kernels.ts'

/**
 * The one way every package is built: ESM for Node 20 and newer, shared chunks split out, and one file for each entry its
 * package.json names: the `@dfl/source` of every export, and src/x.ts for a `bin` at dist/x.js; src/main.ts where it names none.
 */
export const base = (options: Partial<Options> = {}): Options => ({
  entry: entriesOf(JSON.parse(readFileSync('package.json', 'utf8'))),
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  sourcemap: true,
  clean: true,
  splitting: true,
  silent: true,
  esbuildPlugins: [kernelsInBuild()],
  ...options,
})

interface Manifest {
  exports?: Record<string, string | { '@dfl/source'?: string }>
  bin?: Record<string, string>
}

function entriesOf({ exports = {}, bin = {} }: Manifest): Record<string, string> {
  const sources = Object.values(exports).map((target) =>
    typeof target === 'string' ? undefined : target['@dfl/source'],
  )
  const commands = Object.values(bin).map((file) => file.replace('/dist/', '/src/').replace(/\.js$/, '.ts'))
  const named = [...sources, ...commands].filter((file) => file !== undefined && existsSync(file)) as string[]
  const files = named.length > 0 ? named : ['./src/main.ts']
  return Object.fromEntries(files.map((file) => [file.replace(/^\.\/src\/|\.ts$/g, ''), file]))
}
