import { expect, it } from 'vitest'
import { tf } from '../src/index.js'
import { type Case, compiled, eager, expectSame, given } from './support.js'

it.each([
  ['beside', (image: tf.Tensor, mask: tf.Tensor) => tf.sub(image, mask)],
  ['before', (image: tf.Tensor, mask: tf.Tensor) => tf.mul(tf.sub(1, mask), image)],
])('One channel %s a few is broadcast as TensorFlow.js does, forward and backward', async (_, fn) => {
  const one: Case = {
    given: { image: given([2, 24, 24, 3], 1), mask: given([2, 24, 24, 1], 2) },
    fn: ({ image, mask }) => [fn(image!, mask!), ...tf.grads((a, b) => tf.sum(tf.square(fn(a!, b!))))([image!, mask!])],
  }
  const results = await compiled(one)
  expect(results.map(({ shape }) => shape.join())).toEqual(['2,24,24,3', '2,24,24,3', '2,24,24,1'])
  expectSame(results, (await eager(one)).results)
})
