import { type Pixels, Random } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { imageError } from '../src/index.js'

const SIZE = 32
const random = new Random(5)
const truth: Pixels = picture((x, y, c) => 0.5 + 0.3 * Math.sin(x / 3 + c) * Math.cos(y / 4) + 0.02 * random.normal())
const disc = (radius: number): Pixels => ({
  data: Float32Array.from({ length: SIZE * SIZE }, (_, i) =>
    Math.hypot((i % SIZE) - 15.5, Math.floor(i / SIZE) - 15.5) < radius ? 1 : 0,
  ),
  width: SIZE,
  height: SIZE,
  channels: 1,
})

function picture(value: (x: number, y: number, c: number) => number): Pixels {
  const data = new Float32Array(SIZE * SIZE * 3)
  for (let i = 0; i < data.length; i++) data[i] = value(Math.floor(i / 3) % SIZE, Math.floor(i / 3 / SIZE), i % 3)
  return { data, width: SIZE, height: SIZE, channels: 3 }
}
const changed = (change: (v: number, i: number) => number): Pixels => ({ ...truth, data: truth.data.map(change) })

describe('imageError', () => {
  it('is nothing for equal pictures', () => {
    const error = imageError(truth, truth, disc(10))
    expect(error.mae).toBe(0)
    expect(error.psnr).toBe(Number.POSITIVE_INFINITY)
    expect(error.ssim).toBeCloseTo(1, 12)
  })

  it('does not see what lies outside the mask', () => {
    const mask = disc(8)
    const result = changed((v, i) =>
      Math.hypot((Math.floor(i / 3) % SIZE) - 15.5, Math.floor(i / 3 / SIZE) - 15.5) > 15 ? 0 : v,
    )
    const error = imageError(result, truth, mask)
    expect(error.mae).toBe(0)
    expect(error.ssim).toBeCloseTo(1, 12)
  })

  it('gives the size of a constant error', () => {
    const error = imageError(
      changed((v) => v + 0.1),
      truth,
      disc(10),
    )
    expect(error.mae).toBeCloseTo(0.1, 6)
    expect(error.psnr).toBeCloseTo(20, 4)
  })

  it('counts a pixel as much as the mask says', () => {
    const mask = disc(50)
    const half = { ...mask, data: mask.data.map((_, i) => (i % SIZE < SIZE / 2 ? 0.25 : 0.75)) }
    const result = changed((v, i) => (Math.floor(i / 3) % SIZE < SIZE / 2 ? v + 0.2 : v))
    expect(imageError(result, truth, half).mae).toBeCloseTo(0.05, 6)
  })

  it('judges structure: a shift of brightness hurts SSIM less than noise of the same size', () => {
    const noise = new Random(9)
    const brighter = imageError(
      changed((v) => v + 0.05),
      truth,
      disc(12),
    )
    const noisy = imageError(
      changed((v) => v + 0.0626 * noise.normal()),
      truth,
      disc(12),
    )
    expect(noisy.mae).toBeCloseTo(brighter.mae, 2)
    expect(brighter.ssim).toBeGreaterThan(0.95)
    expect(noisy.ssim).toBeLessThan(0.9)
  })

  it('gives the SSIM that follows from the formula for two flat pictures', () => {
    const a = picture(() => 0.25)
    const b = picture(() => 0.75)
    const expected = (2 * 0.25 * 0.75 + 1e-4) / (0.25 ** 2 + 0.75 ** 2 + 1e-4)
    expect(imageError(a, b, disc(10)).ssim).toBeCloseTo(expected, 5)
  })

  it('refuses pictures of different sizes and an empty mask', () => {
    expect(() => imageError({ ...truth, width: 16, height: 64 }, truth, disc(5))).toThrow(
      'Expected [32, 32, 3], the size of `truth`, for `result`, but got [64, 16, 3]. Compare pictures of the same frame.',
    )
    expect(() => imageError(truth, truth, disc(0))).toThrow('Expected some face for `mask`, but got a mask of zeros.')
  })
})
