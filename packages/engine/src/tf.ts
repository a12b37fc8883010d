// The only file that names TensorFlow.js. The build bundles its ES modules, so that there is one copy, with gradients.
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-core/dist/register_all_gradients.js'

export { tf }
