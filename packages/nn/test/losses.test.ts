import { readFileSync } from 'node:fs'
import { Random } from '@dfl/core'
import { tf } from '@dfl/engine'
import { describe, expect, it } from 'vitest'
import { dssim, meanAbsoluteError, meanSquaredError } from '../src/index.js'
import { evaluate, expectClose } from './evaluate.js'

interface Golden {
  shape: [number, number, number]
  window: number
  a: number[]
  b: number[]
  dssim: number
}

/** Made by scripts/golden/nn.py. */
const golden: Golden[] = JSON.parse(readFileSync(new URL('golden/dssim.json', import.meta.url), 'utf8')).cases

const noise = (shape: number[], seed: number) => {
  const random = new Random(seed)
  return { shape, data: Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.uniform()) }
}

const images = (tensors: Record<string, tf.Tensor>) => [tensors.a as tf.Tensor4D, tensors.b as tf.Tensor4D] as const

describe('dssim', () => {
  it.each(golden)('of images $shape with a window of $window px is what scikit-image and NumPy say', async (one) => {
    const shape = [1, ...one.shape]
    const { value } = await evaluate({ a: { shape, data: one.a }, b: { shape, data: one.b } }, (t) => ({
      value: dssim(...images(t), one.window),
    }))
    expect(value.shape).toEqual([1])
    expectClose(value.data, [one.dssim], 2e-5)
  })

  it('gives one number for each sample of a batch, 0 where the images are equal', async () => {
    const [first, second] = [golden[0]!, golden[0]!]
    const shape = [3, ...first.shape]
    const given = {
      a: { shape, data: [...first.a, ...first.b, ...second.b] },
      b: { shape, data: [...first.b, ...first.b, ...second.a] },
    }
    const { value } = await evaluate(given, (t) => ({ value: dssim(...images(t), first.window) }))
    expectClose(value.data, [first.dssim, 0, first.dssim], 2e-5)
  })

  it('has a gradient that makes images more alike', async () => {
    const given = { a: noise([1, 12, 12, 3], 1), b: noise([1, 12, 12, 3], 2) }
    const { before, after } = await evaluate(given, (t) => {
      const [a, b] = images(t)
      const loss = (x: tf.Tensor) => tf.sum(dssim(x as tf.Tensor4D, b, 11))
      return { before: loss(a), after: loss(tf.sub(a, tf.mul(tf.grad(loss)(a), 1))) }
    })
    expect(after.data[0]).toBeLessThan(before.data[0]! - 0.01)
  })

  it('refuses images of different shapes and windows larger than the image', async () => {
    const shaped = (a: number[], b: number[], windowPx: number) =>
      evaluate({ a: noise(a, 1), b: noise(b, 2) }, (t) => ({ value: dssim(...images(t), windowPx) }))
    await expect(shaped([1, 8, 8, 3], [1, 8, 8, 1], 5)).rejects.toThrow(
      'Expected [1,8,8,3] for `b`, but got [1,8,8,1]. Both images need one shape.',
    )
    await expect(shaped([1, 8, 16, 3], [1, 8, 16, 3], 11)).rejects.toThrow(
      'Expected `windowPx` of at most 8, but got 11. Use a smaller window.',
    )
  })
})

describe('mean errors', () => {
  it('are means over each sample', async () => {
    const shape = [2, 1, 2, 1]
    const given = { a: { shape, data: [0, 1, 0.5, 0.5] }, b: { shape, data: [0.5, 0.5, 0.5, 1] } }
    const { squared, absolute } = await evaluate(given, (t) => ({
      squared: meanSquaredError(...images(t)),
      absolute: meanAbsoluteError(...images(t)),
    }))
    expectClose(squared.data, [0.25, 0.125])
    expectClose(absolute.data, [0.5, 0.25])
  })
})
