import '@tensorflow/tfjs-backend-cpu'
import { beforeEach, describe, expect, it } from 'vitest'
import { compile, dropout, randomNormal, randomUniform, tf } from '../src/index.js'
import { expectClose } from './support.js'

beforeEach(async () => {
  await tf.setBackend('cpu')
})

/** Eager numbers of one seed and step. */
const draw = (size: number, seed: number, step: number) =>
  tf.tidy(() => randomUniform([size], { seed, step }).dataSync() as Float32Array)

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length

/** Pearson's correlation of two lists. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - ma) * (b[i]! - mb)
    aa += (a[i]! - ma) ** 2
    bb += (b[i]! - mb) ** 2
  }
  return ab / Math.sqrt(aa * bb)
}

/** Pearson's χ² of values in 0..1 over equal bins; expected bins − 1, spread √(2 · (bins − 1)). */
function chiSquare(values: ArrayLike<number>, bins: number): number {
  const counts = new Array<number>(bins).fill(0)
  for (const value of Array.from(values)) counts[Math.floor(value * bins)]!++
  const expected = values.length / bins
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

const SIZE = 20_000
/** Four standard errors of a correlation between independent numbers. */
const SMALL = 4 / Math.sqrt(SIZE)

describe('randomUniform', () => {
  it('is spread evenly from 0 to 1 for many seeds and steps', () => {
    for (const [seed, step] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [7, 123_456],
      [2 ** 52 + 1, 2 ** 24 - 1],
    ] as const) {
      const values = draw(SIZE, seed, step)
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...values)).toBeLessThan(1)
      expect(Math.abs(mean(values) - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / SIZE))
      expect(Math.abs(mean(values.map((v) => (v - 0.5) ** 2)) - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / SIZE))
      const bins = 100
      expect(Math.abs(chiSquare(values, bins) - (bins - 1))).toBeLessThan(5 * Math.sqrt(2 * (bins - 1)))
      // Also the last bits, which a bad generator repeats.
      const last = values.map((v) => (v * 2 ** 18) % 1)
      expect(Math.abs(chiSquare(last, 64) - 63)).toBeLessThan(5 * Math.sqrt(2 * 63))
    }
  })

  it('has no relation between positions, steps and seeds', () => {
    const first = draw(SIZE, 5, 10)
    for (const lag of [1, 2, 3, 16, 64, 4096 % SIZE])
      expect(Math.abs(correlation(first.subarray(lag), first.subarray(0, SIZE - lag)))).toBeLessThan(SMALL * 1.2)
    for (const step of [11, 12, 10 + 4096, 10 + 2 ** 20])
      expect(Math.abs(correlation(first, draw(SIZE, 5, step)))).toBeLessThan(SMALL)
    for (const seed of [6, 4, 5 + 2 ** 32])
      expect(Math.abs(correlation(first, draw(SIZE, seed, 10)))).toBeLessThan(SMALL)
  })

  it('has at one position no relation between one step and the next', () => {
    const series = Array.from({ length: 2000 }, (_, step) => draw(1, 3, step)[0]!)
    expect(Math.abs(mean(series) - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / series.length))
    expect(Math.abs(correlation(series.slice(1), series.slice(0, -1)))).toBeLessThan(4 / Math.sqrt(series.length))
    expect(new Set(series).size).toBeGreaterThan(1990)
  })

  it('gives these numbers, on every device and for ever', () => {
    expect(Array.from(draw(4, 1, 0), (v) => v * 2 ** 24)).toMatchInlineSnapshot(`
      [
        8239187,
        15906402,
        5278015,
        4995445,
      ]
    `)
    expect(Array.from(draw(4, 2 ** 40 + 3, 99), (v) => v * 2 ** 24)).toMatchInlineSnapshot(`
      [
        10260975,
        6059836,
        11470297,
        12197551,
      ]
    `)
  })

  it('is the same to the last bit, compiled and eager, at every step', async () => {
    const shape = [7, 11, 3]
    await using compiled = await compile(
      (_, { step }) => ({ outputs: { u: randomUniform(shape, { seed: 9, step: step! }) } }),
      { inputs: { step: [] } },
    )
    for (const step of [0, 1, 4097, 2 ** 24 - 1]) {
      const { u } = await compiled.run(undefined, { step: [step] })
      expect(u!.shape).toEqual(shape)
      expect(Array.from(u!.data as Float32Array)).toEqual(Array.from(draw(231, 9, step)))
    }
  })

  it('takes the step as a whole number, too', async () => {
    await using compiled = await compile(
      (_, { step }) => ({ outputs: { u: randomUniform([5], { seed: 9, step: step! }) } }),
      { inputs: { step: { shape: [], dtype: 'int32' } } },
    )
    const { u } = await compiled.run(undefined, { step: [77] })
    expect(Array.from(u!.data as Float32Array)).toEqual(Array.from(draw(5, 9, 77)))
  })

  it('refuses a seed that is no whole number, and more numbers than there are', () => {
    expect(() => randomUniform([2], { seed: 0.5, step: 0 })).toThrow(
      'Expected a whole number from 0 for `seed`, but got 0.5. Use a smaller one.',
    )
    expect(() => randomUniform([2 ** 13, 2 ** 12], { seed: 1, step: 0 })).toThrow(
      'Expected at most 16777216 random numbers for `shape`, but got 33554432. Draw several tensors, each with a seed of its own.',
    )
  })
})

describe('randomNormal', () => {
  it('has mean 0, variance 1 and tails, and is the same compiled', async () => {
    const values = tf.tidy(() => randomNormal([SIZE], { seed: 4, step: 2 }).dataSync() as Float32Array)
    expect(Math.abs(mean(values))).toBeLessThan(4 / Math.sqrt(SIZE))
    expect(Math.abs(mean(values.map((v) => v * v)) - 1)).toBeLessThan(4 * Math.sqrt(2 / SIZE))
    const beyond = values.filter((v) => Math.abs(v) > 1.96).length / SIZE
    expect(Math.abs(beyond - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / SIZE))
    await using compiled = await compile(
      (_, { step }) => ({ outputs: { n: randomNormal([SIZE], { seed: 4, step: step! }) } }),
      { inputs: { step: [] } },
    )
    const { n } = await compiled.run(undefined, { step: [2] })
    expectClose(n!.data as Float32Array, values, 1e-5)
  })
})

describe('dropout', () => {
  it('drops the part it is asked to and keeps the mean', () => {
    const kept = tf.tidy(() => dropout(tf.ones([SIZE]), 0.3, { seed: 1, step: 5 }).dataSync())
    const dropped = kept.filter((v) => v === 0).length / SIZE
    expect(Math.abs(dropped - 0.3)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7) / SIZE))
    expect(new Set(kept)).toEqual(new Set([0, Math.fround(1 / 0.7)]))
  })

  it('changes with the step, not with the run, and its gradient has the same mask', async () => {
    await using compiled = await compile(
      (_, { x, step }) => {
        const { value, grad } = tf.valueAndGrad((a: tf.Tensor) => tf.sum(dropout(a, 0.5, { seed: 8, step: step! })))(x!)
        return { outputs: { value, grad, y: dropout(x!, 0.5, { seed: 8, step: step! }) } }
      },
      { inputs: { x: [64], step: [] } },
    )
    const x = new Float32Array(64).fill(1)
    const [a, b, c] = [
      await compiled.run(undefined, { x, step: [1] }),
      await compiled.run(undefined, { x, step: [2] }),
      await compiled.run(undefined, { x, step: [1] }),
    ]
    expect(a!.y!.data).toEqual(c!.y!.data)
    expect(a!.y!.data).not.toEqual(b!.y!.data)
    expect(a!.grad!.data).toEqual(a!.y!.data)
  })

  it('refuses a rate that leaves nothing', () => {
    expect(() => dropout(tf.ones([2]), 1, { seed: 1, step: 0 })).toThrow(
      'Expected a number from 0 to below 1 for `rate`, but got 1. It is the part that is dropped.',
    )
  })
})
