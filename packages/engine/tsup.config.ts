import { base } from '../../tsup.base.ts'

/** TensorFlow.js is bundled: Node cannot load its ES modules, and its CommonJS build has no gradients. */
export default base({
  noExternal: [/^@tensorflow\//],
  external: ['node-fetch'],
  banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
  esbuildOptions: (options) => {
    options.mainFields = ['module', 'main']
  },
})
