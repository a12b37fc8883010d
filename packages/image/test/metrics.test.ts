import { Random } from '@dfl/core'
import { expect, it } from 'vitest'
import { createPixels, gaussianBlur, meanAbsoluteError, psnr, ssim } from '../src/index.js'
import { at, paint } from './support.js'

const picture = paint(40, 30, 3, (x, y, c) => 0.5 + 0.4 * Math.sin(x / 3 + c) * Math.cos(y / 4))

it('measures absolute error and signal to noise, where the mask shows', () => {
  const other = paint(40, 30, 3, (x, y, c) => at(picture, x, y, c) + (x < 20 ? 0.1 : 0))
  const left = paint(40, 30, 1, (x) => (x < 20 ? 1 : 0))
  expect(meanAbsoluteError(picture, other)).toBeCloseTo(0.05, 6)
  expect(meanAbsoluteError(picture, other, left)).toBeCloseTo(0.1, 6)
  expect(psnr(picture, other, left)).toBeCloseTo(20, 4)
  expect(psnr(picture, other)).toBeCloseTo(20 + 10 * Math.log10(2), 4)
  expect(psnr(picture, picture)).toBe(Number.POSITIVE_INFINITY)
  expect(meanAbsoluteError(picture, other, createPixels(40, 30, 1))).toBe(0)
})

it('equals the published formula of SSIM, window by window', () => {
  const random = new Random(2)
  const a = paint(14, 13, 1, () => random.uniform())
  const b = paint(14, 13, 1, (x, y) => 0.7 * at(a, x, y) + 0.3 * random.uniform())
  let total = 0
  for (let y = 5; y < 8; y++)
    for (let x = 5; x < 9; x++) {
      const weigh = (f: (i: number, j: number) => number) => {
        let [sum, weight] = [0, 0]
        for (let v = -5; v <= 5; v++)
          for (let u = -5; u <= 5; u++) {
            const w = Math.exp(-(u * u + v * v) / 4.5)
            sum += w * f(x + u, y + v)
            weight += w
          }
        return sum / weight
      }
      const ma = weigh((i, j) => at(a, i, j))
      const mb = weigh((i, j) => at(b, i, j))
      const va = weigh((i, j) => (at(a, i, j) - ma) ** 2)
      const vb = weigh((i, j) => (at(b, i, j) - mb) ** 2)
      const cov = weigh((i, j) => (at(a, i, j) - ma) * (at(b, i, j) - mb))
      total += ((2 * ma * mb + 1e-4) * (2 * cov + 9e-4)) / ((ma * ma + mb * mb + 1e-4) * (va + vb + 9e-4))
    }
  expect(ssim(a, b)).toBeCloseTo(total / 12, 6)
})

it('is 1 for equal pictures and falls as they blur', () => {
  expect(ssim(picture, picture)).toBeCloseTo(1, 9)
  const [little, much] = [1, 3].map((sigma) => ssim(picture, gaussianBlur(picture, sigma)))
  expect(little).toBeLessThan(1)
  expect(much).toBeLessThan(little)
})

it('refuses pictures of different shape and pictures smaller than its window', () => {
  expect(() => ssim(picture, createPixels(40, 31, 3))).toThrow(
    'Expected 40x30x3 for `b`, but got 40x31x3. Resize or convert one of the two first.',
  )
  expect(() => ssim(createPixels(10, 30, 1), createPixels(10, 30, 1))).toThrow(
    'Expected at least 11x11 pixels for `a`, but got 10x30. Compare larger pictures.',
  )
})
