import { describe, expect, it } from 'vitest'
import { tf } from '../src/index.js'
import { type Case, compiled, eager, expectClose, expectSame, given, values } from './support.js'

/** All gradients of `loss`, computed with TensorFlow.js's own differentiation. */
function gradients(loss: (...tensors: tf.Tensor[]) => tf.Tensor, shapes: number[][]): Case {
  return {
    given: Object.fromEntries(shapes.map((shape, i) => [`t${i}`, given(shape, i + 1)])),
    fn: (tensors) => tf.grads((...given) => tf.sum(loss(...given)))(shapes.map((_, i) => tensors[`t${i}`]!)),
  }
}

const LEAKY = { activation: 'leakyrelu', leakyreluAlpha: 0.1 } as const
const conv = (x: tf.Tensor, filter: tf.Tensor, strides: number, pad: 'same' | number) =>
  tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, 'NHWC', 1, pad === 'same' ? undefined : 'floor')

const convolutions = [1, 3, 5].flatMap((kernel) =>
  [1, 2].flatMap((stride) =>
    [3, 17].map((channels) => ({
      name: `a ${kernel}x${kernel} convolution of ${channels} channels with stride ${stride}, bias and activation`,
      one: gradients(
        (x, filter, bias) => tf.square(tf.leakyRelu(tf.add(conv(x, filter, stride, kernel >> 1), bias), 0.1)),
        [[2, 8, 7, channels], [kernel, kernel, channels, 5], [5]],
      ),
    })),
  ),
)

const others: Record<string, Case> = {
  'a fused convolution': gradients(
    (x, filter, bias) =>
      tf.square(
        tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: filter as tf.Tensor4D,
          strides: 1,
          pad: 'same',
          bias,
          ...LEAKY,
        }),
      ),
    [[2, 6, 5, 4], [3, 3, 4, 8], [8]],
  ),
  "a convolution with stride 2 and padding 'same'": gradients(
    (x, filter) => tf.square(conv(x, filter, 2, 'same')),
    [
      [1, 7, 6, 3],
      [3, 3, 3, 4],
    ],
  ),
  'a convolution whose kernel covers the image': gradients(
    (x, filter) => tf.square(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'valid')),
    [
      [1, 3, 3, 2],
      [3, 3, 2, 4],
    ],
  ),
  'a convolution whose windows touch but do not overlap': gradients(
    (x, filter) => tf.square(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, [1, 2], 'valid')),
    [
      [2, 3, 6, 2],
      [1, 2, 2, 4],
    ],
  ),
  'a product of matrices': gradients(
    (a, b) => tf.square(tf.matMul(a, b)),
    [
      [4, 6],
      [6, 3],
    ],
  ),
  'a batch of products with a transposed side': gradients(
    (a, b) => tf.square(tf.matMul(a, b, true, false)),
    [
      [2, 6, 4],
      [2, 6, 3],
    ],
  ),
  'one matrix times many': gradients(
    (a, b) => tf.square(tf.matMul(a, tf.tile(tf.expandDims(b, 0), [3, 1, 1]))),
    [
      [3, 4, 6],
      [6, 2],
    ],
  ),
  'leaky ReLU, ReLU and ELU': gradients(
    (x) => tf.add(tf.square(tf.leakyRelu(x, 0.2)), tf.add(tf.relu(x), tf.square(tf.relu6(x)))),
    [[3, 20]],
  ),
  'sigmoid, tanh and softplus': gradients((x) => tf.mul(tf.sigmoid(x), tf.add(tf.tanh(x), tf.softplus(x))), [[3, 20]]),
  'means, sums and spreads over axes': gradients(
    (x) => tf.add(tf.square(tf.mean(x, [1, 2])), tf.mul(tf.sum(x, [1, 2]), tf.mean(tf.square(x)))),
    [[2, 4, 5, 3]],
  ),
  'a maximum and an absolute value': gradients((x) => tf.mul(tf.max(tf.abs(x), 1), tf.min(x, 1)), [[4, 6]]),
  slices: gradients((x) => tf.mul(tf.slice(x, [0, 1, 0], [2, 3, 4]), tf.slice(x, [0, 0, 1], [2, 3, 4])), [[2, 5, 6]]),
  'concatenation, stacking and splitting': gradients(
    (a, b) => {
      const [left, right] = tf.split(tf.square(tf.concat([a, b, a], -1)), 2, 2) as [tf.Tensor, tf.Tensor]
      const [first, second] = tf.unstack(tf.stack([tf.mul(left, right), right], 1)) as [tf.Tensor, tf.Tensor]
      return tf.mul(first, tf.reverse(second, 0))
    },
    [
      [2, 3, 2],
      [2, 3, 4],
    ],
  ),
  'transposes, short rows and long': gradients(
    (x) => tf.mul(tf.transpose(x, [0, 2, 1, 3]), tf.square(tf.transpose(tf.transpose(x, [3, 1, 2, 0]), [3, 2, 1, 0]))),
    [[2, 3, 4, 9]],
  ),
  'pads and tiles': gradients(
    (x) => {
      const padded = tf.pad(x, [
        [1, 0],
        [0, 2],
      ])
      return tf.mul(tf.tile(padded, [2, 1]), tf.concat([padded, tf.square(padded)], 0))
    },
    [[3, 3]],
  ),
  'quotients, powers and roots of broadcast tensors': gradients(
    (a, b) => tf.div(tf.pow(tf.add(tf.square(a), 1), 1.5), tf.sqrt(tf.add(tf.square(b), 0.5))),
    [[4, 5], [5]],
  ),
  'choices and clipping': gradients(
    (x) => {
      const checkers = tf.tensor2d(
        Array.from({ length: 35 }, (_, i) => i % 2),
        [5, 7],
        'bool',
      )
      return tf.where(checkers, tf.square(x), tf.mul(tf.clipByValue(x, -0.5, 0.5), 3))
    },
    [[5, 7]],
  ),
}

describe('compiled gradients equal those of TensorFlow.js', () => {
  it.each(convolutions)('of $name', async ({ one }) => {
    expectSame(await compiled(one), (await eager(one)).results)
  })

  it.each(Object.keys(others))('of %s', async (name) => {
    expectSame(await compiled(others[name]!), (await eager(others[name]!)).results)
  })

  it('of a convolution equal finite differences of a plain loop', async () => {
    const xShape = [1, 4, 5, 2]
    const filterShape = [3, 3, 2, 3]
    const [x, filter] = [given(xShape, 1), given(filterShape, 2)]
    const one: Case = {
      given: { x, filter },
      fn: (t) => tf.grad((weights) => tf.sum(tf.square(tf.sigmoid(conv(t.x!, weights, 1, 1)))))(t.filter!),
    }
    const step = 1e-4
    const differences = filter.data.map((_, i) => {
      const at = (offset: number) =>
        plainLoss(x.data, xShape, filter.data.with(i, filter.data[i]! + offset), filterShape)
      return (at(step) - at(-step)) / (2 * step)
    })
    const [gradient] = await compiled(one)
    expect(gradient!.shape).toEqual(filterShape)
    expectClose(gradient!.data, differences)
  })
})

const image = (x: tf.Tensor) => x as tf.Tensor4D

/** Ops and the shapes of what they take; among them all whose gradients TensorFlow.js gets wrong. */
const DIFFERENTIABLE: Record<string, [(...tensors: tf.Tensor[]) => tf.Tensor, number[][]]> = {
  'a mean over windows with padding': [(x) => tf.avgPool(image(x), 3, 2, 'same'), [[2, 5, 4, 2]]],
  'a mean over windows of a volume with padding': [
    (x) => tf.avgPool3d(x as tf.Tensor5D, 2, 1, 'same'),
    [[1, 3, 3, 2, 2]],
  ],
  'a maximum over windows that overlap': [(x) => tf.maxPool(image(x), 3, 1, 'same'), [[1, 4, 5, 2]]],
  'a maximum over windows of a volume that are no cubes': [
    (x) => tf.maxPool3d(x as tf.Tensor5D, [1, 2, 3], 1, 'valid'),
    [[1, 2, 3, 4, 1]],
  ],
  'a depthwise convolution with stride 2': [
    (x, filter) => tf.depthwiseConv2d(image(x), image(filter), 2, 'same'),
    [
      [1, 6, 5, 2],
      [3, 3, 2, 1],
    ],
  ],
  'a transposed convolution': [
    (x, filter) => tf.conv2dTranspose(image(x), image(filter), [1, 6, 8, 2], 2, 'same'),
    [
      [1, 3, 4, 3],
      [3, 3, 2, 3],
    ],
  ],
  'a bilinear resize with half-pixel centres of an image that is not square': [
    (x) => tf.image.resizeBilinear(image(x), [7, 3], false, true),
    [[2, 3, 5, 1]],
  ],
  'a resize to the nearest pixel of several images': [
    (x) => tf.image.resizeNearestNeighbor(image(x), [4, 7], false, true),
    [[2, 3, 4, 1]],
  ],
  'a bilinear resize to a tenth': [(x) => tf.image.resizeBilinear(image(x), [2, 2], true), [[1, 20, 3, 1]]],
  'a batch normalisation': [
    (x, mean, offset, scale) => {
      const spread = tf.add(tf.square(mean), 1) as tf.Tensor1D
      return tf.batchNorm(image(x), mean as tf.Tensor1D, spread, offset as tf.Tensor1D, scale as tf.Tensor1D)
    },
    [[1, 2, 3, 2], [2], [2], [2]],
  ],
  'rows picked by indices': [(x) => tf.gather(x, tf.tensor1d([2, 0, 2, 1], 'int32')), [[3, 4]]],
  'a cumulative sum': [(x) => tf.cumsum(x, 1, true, true), [[3, 4]]],
  'a product': [(x) => tf.prod(x, 1), [[3, 4]]],
  'a logarithm of softmax': [(x) => tf.logSoftmax(x), [[3, 5]]],
  'ELU, SELU, softplus and the error function': [
    (x) => tf.add(tf.mul(tf.elu(x), tf.selu(x)), tf.mul(tf.softplus(x), tf.erf(x))),
    [[4, 5]],
  ],
}

describe('compiled gradients equal finite differences', () => {
  it.each(Object.keys(DIFFERENTIABLE))('of %s', async (name) => {
    const [op, shapes] = DIFFERENTIABLE[name]!
    // Weighted, so that no two values of the result may be confused.
    const loss = (...tensors: tf.Tensor[]) => {
      const y = op(...tensors)
      return tf.sum(tf.mul(y, tf.tensor(values(y.shape, 'unit', 77), y.shape))) as tf.Scalar
    }
    const start = shapes.map((shape, i) => values(shape, 'normal', i + 11))
    const one: Case = {
      given: Object.fromEntries(
        shapes.map((shape, i) => [`t${i}`, { shape, dtype: 'float32' as const, data: start[i]! }]),
      ),
      fn: (tensors) => tf.grads((...all) => loss(...all))(shapes.map((_, i) => tensors[`t${i}`]!)),
    }
    const gradient = await compiled(one)
    await tf.setBackend('cpu')
    const at = (which: number, index: number, offset: number) =>
      tf.tidy(() => {
        const tensors = start.map((data, i) =>
          tf.tensor(i === which ? data.with(index, data[index]! + offset) : data, shapes[i]!),
        )
        return loss(...tensors).dataSync()[0]!
      })
    const step = 2 ** -9
    shapes.forEach((shape, which) => {
      const differences = start[which]!.map((_, i) => (at(which, i, step) - at(which, i, -step)) / (2 * step))
      expect(gradient[which]!.shape).toEqual(shape)
      expectClose(gradient[which]!.data, differences, 5e-3)
    })
  })
})

/** Sum of sigmoid(x ∗ filter)² in double precision, with one row of zeros around x. */
function plainLoss(x: number[], [, height, width, inputs]: number[], filter: number[], [side, , , outputs]: number[]) {
  let loss = 0
  for (let row = 0; row < height!; row++)
    for (let column = 0; column < width!; column++)
      for (let o = 0; o < outputs!; o++) {
        let sum = 0
        for (let tap = 0; tap < side! ** 2; tap++) {
          const [y, u] = [row + Math.floor(tap / side!) - 1, column + (tap % side!) - 1]
          if (y < 0 || y >= height! || u < 0 || u >= width!) continue
          for (let i = 0; i < inputs!; i++)
            sum += x[(y * width! + u) * inputs! + i]! * filter[(tap * inputs! + i) * outputs! + o]!
        }
        loss += (1 / (1 + Math.exp(-sum))) ** 2
      }
  return loss
}
