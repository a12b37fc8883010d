import type { Options } from 'tsup'

/** The one way every package is built: ESM for Node 20 and newer, one file per entry, shared chunks split out. */
export const base = (options: Partial<Options> = {}): Options => ({
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  sourcemap: true,
  clean: true,
  splitting: true,
  silent: true,
  ...options,
})
