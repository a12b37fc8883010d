import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-core/dist/register_all_gradients.js'
import { expect, test } from 'vitest'

test('the core, its gradients and its CPU backend share one copy of TensorFlow.js', async () => {
  tf.env().set('IS_TEST', true) // no advertisement for tfjs-node
  await tf.setBackend('cpu')
  const derivative = tf.grad((x) => tf.sum(tf.square(x)))
  expect([...derivative(tf.tensor1d([1, 2, 3])).dataSync()]).toEqual([2, 4, 6])
})

test('convolutions have gradients for their input and their weights', async () => {
  tf.env().set('IS_TEST', true)
  await tf.setBackend('cpu')
  const [dx, dw] = tf.grads((x, w) => tf.sum(tf.conv2d(x, w, 2, 'same')))([
    tf.ones([1, 8, 8, 3]),
    tf.ones([5, 5, 3, 4]),
  ])
  expect(dx.shape).toEqual([1, 8, 8, 3])
  expect(dw.shape).toEqual([5, 5, 3, 4])
  expect(dw.dataSync()[(2 * 5 + 2) * 12]).toBe(16) // the middle weight meets all 4 x 4 outputs
})
