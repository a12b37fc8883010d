import { describe, it } from 'vitest'
import { tf } from '../src/index.js'
import { type Case, compiled, eager, expectSame } from './support.js'

const pairs = [-7, -6, -1, 0, 1, 6, 7].flatMap((a) => [-3, -1, 0, 1, 3].map((b) => [a, b] as const))
const given: Case['given'] = {
  a: { shape: [pairs.length], dtype: 'int32', data: pairs.map(([a]) => a) },
  b: { shape: [pairs.length], dtype: 'int32', data: pairs.map(([, b]) => b) },
}

describe('whole numbers and booleans are computed as TensorFlow.js does', () => {
  it.each([
    ['division, by zero and to the floor', (a: tf.Tensor, b: tf.Tensor) => tf.div(a, b)],
    ['the rest, with the sign of the divisor', (a: tf.Tensor, b: tf.Tensor) => tf.mod(a, b)],
    ['the rest of fractions', (a: tf.Tensor, b: tf.Tensor) => tf.mod(tf.div(tf.cast(a, 'float32'), 2), tf.add(b, 0.5))],
    ['division by a number', (a: tf.Tensor) => tf.floorDiv(a, tf.scalar(-3, 'int32'))],
    ['whole numbers with fractions', (a: tf.Tensor, b: tf.Tensor) => tf.add(tf.mul(a, 0.5), b)],
    [
      'products beyond 32 bits',
      (a: tf.Tensor, b: tf.Tensor) =>
        tf.mul(tf.mul(a, tf.scalar(65_536, 'int32')), tf.mul(b, tf.scalar(65_537, 'int32'))),
    ],
    ['comparisons of the two kinds', (a: tf.Tensor, b: tf.Tensor) => tf.less(a, tf.add(b, 0.5))],
    ['products of booleans', (a: tf.Tensor, b: tf.Tensor) => tf.mul(tf.greater(a, b), tf.equal(b, 1))],
    [
      'choices between booleans',
      (a: tf.Tensor, b: tf.Tensor) => tf.where(tf.greater(a, 0), tf.equal(b, 1), tf.equal(b, 3)),
    ],
    ['sums of booleans', (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.greater(a, b))],
    ['the largest of booleans', (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.greater(a, b))],
    ['exclusive or', (a: tf.Tensor, b: tf.Tensor) => tf.logicalXor(tf.greater(a, 0), tf.greater(b, 0))],
    [
      'fractions cut to whole numbers',
      (a: tf.Tensor, b: tf.Tensor) => tf.cast(tf.add(tf.mul(a, 0.6), tf.mul(b, 0.3)), 'int32'),
    ],
    [
      'sums, products and extremes',
      (a: tf.Tensor, b: tf.Tensor) => [
        tf.sum(a),
        tf.prod(tf.slice(tf.add(b, tf.scalar(2, 'int32')), 0, 10)),
        tf.max(a),
        tf.min(b),
      ],
    ],
    ['a sorted list and its order', (a: tf.Tensor, b: tf.Tensor) => Object.values(tf.topk(tf.mul(a, b), pairs.length))],
  ] as [string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor | tf.Tensor[]][])('%s', async (_, op) => {
    const one: Case = { given, fn: ({ a, b }) => op(a!, b!) }
    const { results } = await eager(one)
    expectSame(await compiled(one), results)
  })
})
