// The only file that names TensorFlow.js. The build bundles its ES modules, so that there is one copy, with gradients.
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js' // x.mul(2), which some gradients use, too.
import '@tensorflow/tfjs-core/dist/register_all_gradients.js'

export { tf }
