import type { Pixels } from '@dfl/core'
import { expect, it } from 'vitest'
import { boxBlur, gaussianBlur } from '../src/index.js'
import { at, largestDifference, paint } from './support.js'

/** The plain sum over the whole picture. */
function reference(pixels: Pixels, sigma: number, replicate: boolean): number[] {
  const { width: w, height: h, channels: c } = pixels
  const reach = Math.ceil(6 * sigma)
  const taps = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)))
  const total = taps.reduce((a, b) => a + b)
  const line = (value: (i: number) => number, n: number, i: number) =>
    taps.reduce((sum, tap, k) => {
      const j = i + k - reach
      const inside = j >= 0 && j < n
      return sum + (tap / total) * (inside ? value(j) : replicate ? value(j < 0 ? 0 : n - 1) : 0)
    }, 0)
  const rows = paint(w, h, c, (x, y, k) => line((i) => at(pixels, i, y, k), w, x))
  return [...paint(w, h, c, (x, y, k) => line((i) => at(rows, x, i, k), h, y)).data]
}

const picture = paint(41, 33, 3, (x, y, c) =>
  Math.hypot(x - 25, y - 9) < 9 - c ? 1 : (x * 3 + y * 7 + c) % 10 < 2 ? 0.7 : 0.1,
)

it.each([0.4, 1, 2, 2.5, 4, 9, 40])('blurs like the plain sum at sigma %d, at both borders', (sigma) => {
  for (const border of ['zero', 'replicate'] as const)
    expect(
      largestDifference(
        gaussianBlur(picture, sigma, { border }).data,
        reference(picture, sigma, border === 'replicate'),
      ),
    ).toBeLessThan(1e-3)
})

it('keeps a constant to the edges with replicate, and fades it with zero', () => {
  const flat = paint(30, 20, 1, () => 0.8)
  for (const sigma of [1, 7]) {
    expect(largestDifference(gaussianBlur(flat, sigma).data, flat.data)).toBeLessThan(1e-5)
    expect(at(gaussianBlur(flat, sigma, { border: 'zero' }), 0, 10)).toBeLessThan(0.56)
  }
})

it('leaves its input alone and copies at sigma 0', () => {
  const before = picture.data.slice()
  expect(gaussianBlur(picture, 0)).toEqual(picture)
  gaussianBlur(picture, 5)
  boxBlur(picture, 3)
  expect(picture.data).toEqual(before)
})

it('never leaves the range of its input', () => {
  const mask = paint(120, 90, 1, (x, y) => (Math.hypot(x - 60, y - 45) < 20 ? 1 : 0))
  for (const sigma of [0.7, 2.2, 6, 30]) {
    const out = gaussianBlur(mask, sigma).data
    expect(Math.min(...out)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...out)).toBeLessThanOrEqual(1)
  }
})

it('averages squares with boxBlur', () => {
  const impulse = paint(9, 7, 1, (x, y) => (x === 4 && y === 3 ? 1 : 0))
  const out = boxBlur(impulse, 1)
  for (let y = 0; y < 7; y++)
    for (let x = 0; x < 9; x++)
      expect(at(out, x, y)).toBeCloseTo(Math.abs(x - 4) <= 1 && Math.abs(y - 3) <= 1 ? 1 / 9 : 0, 6)
  expect(
    at(
      boxBlur(
        paint(9, 7, 1, () => 1),
        2,
        { border: 'zero' },
      ),
      0,
      0,
    ),
  ).toBeCloseTo(9 / 25, 6)
})

it('refuses a negative width', () => {
  expect(() => gaussianBlur(picture, -1)).toThrow('Expected a number of at least 0 for `sigmaPx`, but got -1.')
})
