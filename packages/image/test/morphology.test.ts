import { Random } from '@dfl/core'
import { expect, it } from 'vitest'
import { dilate, erode } from '../src/index.js'
import { at, paint } from './support.js'

const random = new Random(5)
const noise = paint(37, 29, 1, () => random.uniform())

it.each([0.5, 1, 1.5, 2, 3.7, 8, 40])('finds the extremes within a disc of radius %d', (radius) => {
  const wide = dilate(noise, radius)
  const thin = erode(noise, radius)
  for (let y = 0; y < 29; y += 3)
    for (let x = 0; x < 37; x += 2) {
      let [low, high] = [1, 0]
      for (let v = 0; v < 29; v++)
        for (let u = 0; u < 37; u++)
          if ((u - x) ** 2 + (v - y) ** 2 <= radius * radius + 1e-9) {
            low = Math.min(low, at(noise, u, v))
            high = Math.max(high, at(noise, u, v))
          }
      expect(at(wide, x, y)).toBe(high)
      expect(at(thin, x, y)).toBe(low)
    }
})

it('works on each channel by itself', () => {
  const rgb = paint(20, 20, 3, (x, y, c) => (x === 5 * c + 4 && y === 10 ? 1 : 0))
  const out = dilate(rgb, 2)
  for (let c = 0; c < 3; c++) {
    expect(at(out, 5 * c + 4, 12, c)).toBe(1)
    expect(at(out, 5 * c + 6, 12, c)).toBe(0)
  }
})

it('does not eat into a mask from the edge of the picture', () => {
  expect(
    erode(
      paint(10, 10, 1, () => 1),
      4,
    ).data,
  ).toEqual(new Float32Array(100).fill(1))
})

it('refuses a negative radius', () => {
  expect(() => erode(noise, -2)).toThrow('Expected a number of at least 0 for `radiusPx`, but got -2.')
})
