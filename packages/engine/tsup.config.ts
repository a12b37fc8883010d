import { base } from '../../tsup.base.ts'

/** TensorFlow.js is bundled, `require` for its CommonJS parts included: Node cannot load its ES modules. */
export default base({
  noExternal: [/^@tensorflow\//],
  external: ['node-fetch'],
  banner: {
    js: `import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);`,
  },
  esbuildOptions: (options) => {
    options.mainFields = ['module', 'main']
  },
})
