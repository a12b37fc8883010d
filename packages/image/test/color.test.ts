import type { Pixels } from '@dfl/core'
import { expect, it } from 'vitest'
import { createPixels, labToRgb, meanAndStd, rgbToGray, rgbToLab } from '../src/index.js'
import { largestDifference, paint } from './support.js'

/** The published formulas, written out. */
function labOf(rgb: readonly number[]): number[] {
  const [r, g, b] = rgb.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  const x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b
  const z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116)
  return [116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))]
}

const cube = paint(17, 17 * 17, 3, (x, y, c) => [x, y % 17, Math.floor(y / 17)][c] / 16)

it('gives the CIE Lab values of known colours', () => {
  const known = [
    [1, 1, 1, 100, 0, 0],
    [0, 0, 0, 0, 0, 0],
    [1, 0, 0, 53.24, 80.09, 67.2],
    [0, 1, 0, 87.73, -86.18, 83.18],
    [0, 0, 1, 32.3, 79.19, -107.86],
    [0.5, 0.5, 0.5, 53.39, 0, 0],
  ]
  const rgb = paint(known.length, 1, 3, (x, _, c) => known[x][c])
  const expected = known.flatMap((row) => row.slice(3))
  expect(largestDifference(rgbToLab(rgb).data, expected)).toBeLessThan(0.02)
})

it('agrees with the formulas over the whole cube', () => {
  const expected = Array.from({ length: cube.data.length / 3 }, (_, i) =>
    labOf([...cube.data.subarray(3 * i, 3 * i + 3)]),
  )
  expect(largestDifference(rgbToLab(cube).data, expected.flat())).toBeLessThan(0.05)
})

it('is off by less than 0.001 from them in double precision, in the dark and beyond 0..1', () => {
  const toXyz = [
    [0.41239079926595934, 0.357584339383878, 0.1804807884018343],
    [0.21263900587151027, 0.715168678767756, 0.07219231536073371],
    [0.01933081871559182, 0.11919477979462598, 0.9505321522496607],
  ]
  const curve = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116)
  const exact = (rgb: readonly number[]) => {
    const linear = rgb.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    const [x, y, z] = toXyz.map((row) => {
      const white = row.reduce((sum, v) => sum + v, 0)
      return curve(row.reduce((sum, v, i) => sum + v * linear[i], 0) / white)
    })
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
  }
  for (const [low, high] of [
    [0, 0.1],
    [0, 1],
    [-0.2, 1.6],
  ]) {
    const rgb = paint(
      61,
      7,
      3,
      (x, y, c) => low + (high - low) * ((x * (7 + 4 * c) + 13 * y * (c + 1)) % 61) * (1 / 60),
    )
    const expected = Array.from({ length: 61 * 7 }, (_, i) => exact([...rgb.data.subarray(3 * i, 3 * i + 3)])).flat()
    expect(largestDifference(rgbToLab(rgb).data, expected)).toBeLessThan(0.001)
  }
})

it('leaves out what does not count', () => {
  const pixels: Pixels = { data: Float32Array.from([0.2, 0.4, 0.6, 0.9, 0.1, 0.5]), width: 2, height: 1, channels: 3 }
  const where: Pixels = { data: Float32Array.from([0, 0.1]), width: 2, height: 1, channels: 1 }
  const [part, all] = [rgbToLab(pixels, where).data, rgbToLab(pixels).data]
  expect([...part]).toEqual([0, 0, 0, ...all.subarray(3)])
})

it('comes back to the same colours, also beyond 0..1', () => {
  expect(largestDifference(labToRgb(rgbToLab(cube)).data, cube.data)).toBeLessThan(1e-5)
  const beyond = paint(2, 1, 3, (x, _, c) => [1.3, -0.1, 0.4, 0.2, 1.1, 2][3 * x + c])
  expect(largestDifference(labToRgb(rgbToLab(beyond)).data, beyond.data)).toBeLessThan(1e-3)
})

it('weighs colours as BT.601 for gray', () => {
  const rgb = paint(3, 1, 3, (x, _, c) => (x === c ? 1 : 0))
  expect(largestDifference(rgbToGray(rgb).data, [0.299, 0.587, 0.114])).toBeLessThan(1e-6)
})

it('takes mean and deviation per channel, of what the mask shows', () => {
  const pixels = paint(4, 1, 3, (x, _, c) => (c === 2 ? 0.25 : (x + 1) * (c + 1)))
  const all = meanAndStd(pixels)
  expect(largestDifference(all.mean, [2.5, 5, 0.25])).toBeLessThan(1e-6)
  expect(largestDifference(all.std, [Math.sqrt(1.25), Math.sqrt(5), 0])).toBeLessThan(1e-6)
  const some = meanAndStd(pixels, { data: new Float32Array([1, 0, 0, 0.5]), width: 4, height: 1, channels: 1 })
  expect(largestDifference(some.mean, [2, 4, 0.25])).toBeLessThan(1e-6)
  expect(largestDifference(some.std, [Math.sqrt(2), Math.sqrt(8), 0])).toBeLessThan(1e-6)
  expect(meanAndStd(pixels, createPixels(4, 1, 1))).toEqual({ mean: [0, 0, 0], std: [0, 0, 0] })
})

it('names what does not fit', () => {
  expect(() => rgbToLab(createPixels(2, 2, 1))).toThrow('Expected 3 channels for `pixels`, but got 1.')
  expect(() => meanAndStd(createPixels(2, 2, 3), createPixels(3, 2, 1))).toThrow(
    'Expected 2x2 for `mask`, but got 3x2. Resize or convert one of the two first.',
  )
})
