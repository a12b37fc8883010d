import { createRequire } from 'node:module'
import { tf } from '../tf.js'
import { BACKEND } from '../trace/record.js'

/** Packages of TensorFlow for Node, the better one first. Neither is installed with this package. */
const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const

/** The name under which both register their backend. */
const TENSORFLOW = 'tensorflow'

/** What is installed of them, found from where this package lies. */
const here = createRequire(import.meta.url)

/** Why TensorFlow cannot be used, from what can be seen without loading it; nothing where it might be. */
export function missingTensorFlow(require: NodeJS.Require = here): string | undefined {
  const found = packageOf(require)
  if (!found) return `neither ${PACKAGES.join(' nor ')} is installed`
  // Kernels and what they are given change from one version of TensorFlow.js to the next.
  const series = (version: string) => version.split('.', 2).join('.')
  if (series(found.version) !== series(tf.version_core))
    return `${found.name} is ${found.version}, but this package goes with ${series(tf.version_core)}`
  if (!('isNullOrUndefined' in require('node:util')))
    return `${found.name} ${found.version} calls \`util.isNullOrUndefined\`, which Node ${process.versions.node} no longer has`
  return undefined
}

/** The name of TensorFlow's backend, which is loaded at the first call. The current backend stays what it is. */
export function tensorflowBackend(require: NodeJS.Require = here): string {
  if (tf.findBackend(TENSORFLOW)) return TENSORFLOW
  const before = tf.engine().backendName ?? BACKEND
  const isProduction = tf.env().getBool('PROD')
  // TensorFlow tells on the terminal what processor it finds, and its package warns of TensorFlow.js being loaded twice.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1'
  tf.env().set('PROD', true)
  try {
    require(packageOf(require)!.name)
  } finally {
    tf.env().set('PROD', isProduction)
    void tf.setBackend(before)
  }
  return TENSORFLOW
}

function packageOf(require: NodeJS.Require): { name: string; version: string } | undefined {
  for (const name of PACKAGES) {
    try {
      return { name, version: (require(`${name}/package.json`) as { version: string }).version }
    } catch {} // not there
  }
  return undefined
}
