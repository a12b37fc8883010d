import { expect, it } from 'vitest'
import { createPixels, drawLine, drawPoints, drawPolyline, mosaic } from '../src/index.js'
import { at, paint } from './support.js'

const sum = (data: Float32Array) => data.reduce((a, b) => a + b, 0)

it('draws discs of the right size, colour and place, clipped at the edges', () => {
  const pixels = createPixels(40, 30, 3)
  drawPoints(pixels, [[20.3, 15.6]], [1, 0.5, 0], 6)
  expect([0, 1, 2].map((c) => at(pixels, 20, 16, c))).toEqual([1, 0.5, 0])
  expect(sum(pixels.data) / 1.5).toBeCloseTo(Math.PI * 36, 0)
  drawPoints(
    pixels,
    [
      [-3, -3],
      [500, 3],
    ],
    [1, 1, 1],
    6,
  )
  expect(at(pixels, 0, 0, 2)).toBe(1)
})

it('draws lines as wide and as long as told', () => {
  const pixels = createPixels(60, 60, 1)
  drawLine(pixels, [10, 10], [40, 50], [1, 1, 1], 3)
  expect(sum(pixels.data)).toBeCloseTo(50 * 3 + Math.PI * 1.5 ** 2, -0.5)
  expect(at(pixels, 25, 30)).toBe(1)
})

it('closes a polyline only when told', () => {
  const corners = [
    [5, 5],
    [25, 5],
    [25, 25],
  ] as const
  const open = createPixels(30, 30, 4)
  drawPolyline(open, corners, [0, 1, 0])
  expect(at(open, 15, 15, 1)).toBe(0)
  expect([1, 3].map((c) => at(open, 15, 5, c))).toEqual([1, 1])
  const closed = createPixels(30, 30, 4)
  drawPolyline(closed, corners, [0, 1, 0], { closed: true })
  expect(at(closed, 15, 15, 1)).toBe(1)
})

it('lays pictures out in rows, all as large and colourful as needed', () => {
  const out = mosaic([[paint(4, 3, 3, () => 0.5), paint(8, 6, 1, () => 1)], [paint(4, 3, 3, () => 0.25)]], {
    gapPx: 2,
    background: 0.75,
  })
  expect([out.width, out.height, out.channels]).toEqual([10, 8, 3])
  const rows = [at(out, 0, 0), at(out, 4, 0), at(out, 6, 0, 2), at(out, 0, 3), at(out, 0, 5), at(out, 9, 7)]
  expect(rows.map((v) => Math.round(v * 1e4) / 1e4)).toEqual([0.5, 0.75, 1, 0.75, 0.25, 0.75])
  expect(() => mosaic([])).toThrow('Expected at least one picture for `rows`, but got none. Give rows of pixels.')
})
