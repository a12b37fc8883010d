import { tf } from '@dfl/engine'
import { describe, expect, it } from 'vitest'
import {
  checkImages,
  conv,
  convParams,
  convTogether,
  dense,
  denseParams,
  depthToSpace,
  pixelNorm,
} from '../src/index.js'
import { evaluate, expectClose } from './evaluate.js'

const counting = (shape: number[], scale = 1) => ({
  shape,
  data: Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i * scale),
})

describe('depthToSpace', () => {
  it('puts channel (row · 2 + column) · C + c at pixel (row, column) of each block', async () => {
    const x = counting([1, 1, 2, 8]) // two pixels of 4 · 2 channels
    const { y } = await evaluate({ x }, (t) => ({ y: depthToSpace(t.x as tf.Tensor4D) }))
    expect(y.shape).toEqual([1, 2, 4, 2])
    expect(Array.from(y.data)).toEqual([0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15])
  })

  it('does with its gradient what it does with pixels, backwards', async () => {
    const x = counting([2, 2, 3, 12])
    const { y, gradient } = await evaluate({ x }, (t) => {
      const y = depthToSpace(t.x as tf.Tensor4D)
      return { y, gradient: tf.grad((z) => tf.sum(tf.mul(depthToSpace(z as tf.Tensor4D), y)))(t.x!) }
    })
    expect(y.shape).toEqual([2, 4, 6, 3])
    expect(Array.from(gradient.data)).toEqual(x.data)
  })
})

describe('pixelNorm', () => {
  it('brings every sample to a mean square of 1, whatever its size', async () => {
    const x = { shape: [3, 4], data: [1, -1, 1, -1, 100, 200, -300, 0, 0, 0, 0, 0] }
    const { y } = await evaluate({ x }, (t) => ({ y: pixelNorm(t.x as tf.Tensor2D) }))
    const meanSquare = (from: number) => y.data.slice(from, from + 4).reduce((sum, v) => sum + v * v, 0) / 4
    expect([meanSquare(0), meanSquare(4)]).toEqual([expect.closeTo(1, 4), expect.closeTo(1, 4)])
    expectClose(y.data.slice(8), [0, 0, 0, 0])
    expect(y.data[4]! / y.data[5]!).toBeCloseTo(0.5, 5)
  })
})

describe('convTogether', () => {
  it('gives what each convolution gives, one after the other along the channels, and their gradients', async () => {
    const wave = (shape: number[], by: number) => {
      const { data } = counting(shape)
      return { shape, data: data.map((i) => Math.sin(i * by)) }
    }
    const names = ['a/weight', 'a/bias', 'b/weight', 'b/bias', 'x']
    const given = {
      'a/weight': wave([1, 1, 3, 2], 1.1),
      'a/bias': wave([2], 1.2),
      'b/weight': wave([3, 3, 3, 4], 1.3),
      'b/bias': wave([4], 1.4),
      x: wave([2, 5, 6, 3], 1.5),
    }
    const compare = (of: (params: Record<string, tf.Tensor>, x: tf.Tensor4D) => tf.Tensor) =>
      evaluate<string>(given, (t) => {
        const apply = (...values: tf.Tensor[]) => {
          const params = Object.fromEntries(names.map((name, i) => [name, values[i]!]))
          return of(params, params.x as tf.Tensor4D)
        }
        const { value, grads } = tf.valueAndGrads((...values) => tf.sum(tf.square(apply(...values))) as tf.Scalar)(
          names.map((name) => t[name]!),
        )
        const y = apply(...names.map((name) => t[name]!))
        return { y, value, ...Object.fromEntries(grads.map((gradient, i) => [names[i]!, gradient])) }
      })
    const together = await compare((p, x) => convTogether(p, ['a', 'b'], x))
    const apart = await compare((p, x) => tf.concat([conv(p, 'a', x), conv(p, 'b', x)], 3))
    expect(together.y.shape).toEqual([2, 5, 6, 6])
    for (const name of ['y', 'value', ...names]) expectClose(together[name]!.data, apart[name]!.data, 1e-4)
  })
})

describe('conv', () => {
  it('keeps the size with stride 1 and halves it with stride 2, with k/2 zeros on every side', async () => {
    const params = convParams('down', 3, 1, 1)
    expect(params).toEqual({
      'down/weight': { shape: [3, 3, 1, 1], init: 'glorot-uniform' },
      'down/bias': { shape: [1], init: 'zeros' },
    })
    const given = {
      x: { shape: [1, 4, 4, 1], data: Array(16).fill(1) },
      'down/weight': { shape: [3, 3, 1, 1], data: Array(9).fill(1) },
      'down/bias': { shape: [1], data: [10] },
    }
    const { whole, half } = await evaluate(given, (t) => ({
      whole: conv(t, 'down', t.x as tf.Tensor4D),
      half: conv(t, 'down', t.x as tf.Tensor4D, 2),
    }))
    // Counts of pixels under the window. TensorFlow's own 'same' would put no zeros above and left at stride 2.
    expect(Array.from(whole.data)).toEqual([14, 16, 16, 14, 16, 19, 19, 16, 16, 19, 19, 16, 14, 16, 16, 14])
    expect([half.shape, Array.from(half.data)]).toEqual([
      [1, 2, 2, 1],
      [14, 16, 16, 19],
    ])
  })
})

describe('dense', () => {
  it('is x · weight + bias', async () => {
    expect(denseParams('inter/dense1', 3, 2)).toEqual({
      'inter/dense1/weight': { shape: [3, 2], init: 'glorot-uniform' },
      'inter/dense1/bias': { shape: [2], init: 'zeros' },
    })
    const given = {
      x: { shape: [2, 3], data: [1, 2, 3, 0, 0, 1] },
      'd/weight': { shape: [3, 2], data: [1, 2, 3, 4, 5, 6] },
      'd/bias': { shape: [2], data: [100, 200] },
    }
    const { y } = await evaluate(given, (t) => ({ y: dense(t, 'd', t.x as tf.Tensor2D) }))
    expect(Array.from(y.data)).toEqual([122, 228, 105, 206])
  })
})

describe('checkImages', () => {
  it('says which shape the model takes', async () => {
    const checked = (shape: number[]) =>
      evaluate({ x: counting(shape) }, (t) => {
        checkImages(t.x as tf.Tensor4D, 8)
        return { x: t.x! }
      })
    await expect(checked([2, 8, 8, 3])).resolves.toBeDefined()
    for (const shape of [
      [1, 4, 4, 3],
      [1, 8, 4, 3],
      [1, 8, 8, 4],
    ])
      await expect(checked(shape)).rejects.toThrow(
        `Expected images of shape [N,8,8,3] for \`x\`, but got [${shape}]. Resize them to the model's resolution, in RGB.`,
      )
  })
})
