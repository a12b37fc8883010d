import { expect, it } from 'vitest'
import { resize, toBitmap } from '../src/index.js'
import { largestDifference, paint } from './support.js'

const filters = ['area', 'linear', 'cubic', 'lanczos3'] as const

it.each(filters)('gives the picture back at its own size with %s', (filter) => {
  const source = paint(9, 7, 3, (x, y, c) => ((x * 5 + y * 3 + c) % 11) / 11)
  expect(largestDifference(resize(source, source, { filter }).data, source.data)).toBeLessThan(1e-6)
})

it.each(filters)('keeps constants, up to the edges, at any size with %s', (filter) => {
  const source = paint(13, 9, 4, () => 0.625)
  for (const size of [
    { width: 5, height: 31 },
    { width: 40, height: 2 },
    { width: 1, height: 1 },
  ])
    expect(
      largestDifference(
        resize(source, size, { filter }).data,
        new Float32Array(size.width * size.height * 4).fill(0.625),
      ),
    ).toBeLessThan(1e-5)
})

it('averages exactly the covered area, whole or in part', () => {
  const source = paint(3, 1, 1, (x) => [0, 0.5, 1][x])
  const out = resize(source, { width: 2, height: 1 }, { filter: 'area' })
  expect(out.data[0]).toBeCloseTo((0 + 0.25) / 1.5, 6)
  expect(out.data[1]).toBeCloseTo((0.25 + 1) / 1.5, 6)
  expect(
    resize(
      paint(4, 4, 1, (x, y) => (x + y) % 2),
      { width: 2, height: 2 },
    ).data,
  ).toEqual(new Float32Array(4).fill(0.5))
})

it('lines up half-pixel centres: a ramp stays the same ramp', () => {
  const source = paint(32, 4, 1, (x) => (x + 0.5) / 32)
  for (const filter of ['linear', 'cubic', 'lanczos3'] as const)
    for (const width of [16, 75]) {
      const out = resize(source, { width, height: 4 }, { filter })
      for (let x = Math.ceil(width / 6); x < width - width / 6; x++)
        expect(out.data[x]).toBeCloseTo((x + 0.5) / width, 2.5)
    }
})

it('gives the weights of Keys for a pixel midway with cubic', () => {
  const impulse = paint(8, 1, 1, (x) => (x === 4 ? 1 : 0))
  const out = resize(impulse, { width: 16, height: 1 }, { filter: 'cubic' })
  // Quarter positions: t = 0.25 and 0.75 from the pixel, then 1.25 and 1.75.
  const expected = [0.8671875, 0.2265625, -0.0703125, -0.0234375]
  expect([out.data[9], out.data[10], out.data[11], out.data[12]].map((v) => Math.round(v * 1e7) / 1e7)).toEqual(
    expected,
  )
})

it('reads bytes as 0..1', () => {
  const bitmap = toBitmap(paint(4, 4, 3, (x) => x / 3))
  expect(resize(bitmap, { width: 4, height: 2 }).data[9]).toBeCloseTo(1)
})

it('names the filters it knows', () => {
  const source = paint(2, 2, 1, () => 0)
  expect(() => resize(source, source, { filter: 'nearest' as 'area' })).toThrow(
    "Expected one of area, linear, cubic, lanczos3 for `filter`, but got 'nearest'.",
  )
})
