import type { Bitmap, Pixels } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { crop, resize, scaling, toBitmap, toPixels, translation, type WarpOptions, warpAffine } from '../src/index.js'
import { at, largestDifference, paint, turned } from './support.js'

const smooth = (x: number, y: number, c: number) => 0.5 + 0.3 * Math.sin(x / 9 + c) * Math.cos(y / 7 - c)
const ways = [
  { interpolation: 'linear' },
  { interpolation: 'cubic' },
  { interpolation: 'lanczos3' },
  { interpolation: 'linear', twoPass: true },
  { interpolation: 'cubic', twoPass: true },
] as const satisfies WarpOptions[]

describe.each(ways)('warpAffine with %o', (way) => {
  const turnedBy = 'twoPass' in way ? 12 : 25
  it.each([1, 3, 4] as const)('gives the source back under the identity, %i channels', (channels) => {
    const source = paint(17, 11, channels, (x, y, c) => ((x * 7 + y * 13 + c * 5) % 23) / 23)
    const out = warpAffine(source, translation(0, 0), source, way)
    expect(largestDifference(out.data, source.data)).toBeLessThan(1e-6)
  })

  it('moves whole pixels exactly and fills what comes from outside with the border value', () => {
    const source = paint(8, 6, 3, (x, y, c) => (x + 8 * y + c) / 64)
    const out = warpAffine(source, translation(3, -2), source, { ...way, borderValue: 0.25 })
    for (let y = 0; y < 6; y++)
      for (let x = 0; x < 8; x++)
        expect(at(out, x, y, 1)).toBeCloseTo(x >= 3 && y < 4 ? at(source, x - 3, y + 2, 1) : 0.25, 6)
  })

  it('makes only the pixels asked for: each row from its first to its last', () => {
    const source = paint(16, 12, 3, smooth)
    const mat = [1.5, 0.2, 3, -0.2, 1.5, 2] as const
    const size = { width: 20, height: 15 }
    const where = paint(20, 15, 1, (x, y) => (y % 3 === 0 ? 0 : x === y || x === y + 4 ? 0.5 : 0))
    const whole = warpAffine(source, mat, size, { ...way, border: 'replicate' })
    const some = warpAffine(source, mat, size, { ...way, border: 'replicate', where })
    for (let y = 0; y < 15; y++)
      for (let x = 0; x < 20; x++) {
        const wanted = y % 3 !== 0 && x >= y && x <= y + 4
        expect(at(some, x, y, 1)).toBe(wanted ? at(whole, x, y, 1) : 0)
      }
    expect(() => warpAffine(source, mat, size, { ...way, where: source })).toThrow(
      'Expected 20x15 for `where`, but got 16x12. Resize or convert one of the two first.',
    )
  })

  it('makes its result in memory that is given, whatever that held', () => {
    const source = paint(16, 12, 3, smooth)
    const mat = [1.5, 0.2, 30, -0.2, 1.5, 2] as const
    const size = { width: 40, height: 15 }
    const into = new Float32Array(2000).fill(7)
    const out = warpAffine(source, mat, size, { ...way, into })
    expect(out.data).toEqual(warpAffine(source, mat, size, way).data)
    expect(out.data.buffer).toBe(into.buffer)
    expect(() => warpAffine(source, mat, size, { ...way, into: new Float32Array(1799) })).toThrow(
      'Expected room for 1800 numbers in `into`, but got 1799. Give larger memory.',
    )
  })

  it('repeats the edge pixel outside with border replicate, however far', () => {
    const source = paint(8, 6, 1, (x, y) => (x + y) / 16)
    const out = warpAffine(source, translation(100, 50), { width: 20, height: 12 }, { ...way, border: 'replicate' })
    expect(largestDifference(out.data, new Float32Array(240).fill(at(source, 0, 0)))).toBeLessThan(1e-6)
  })

  it('follows a smooth function under rotation and magnification', () => {
    const source = paint(80, 60, 3, smooth)
    const mat = turned(1.7, turnedBy, [40, 30], [32, 32])
    const out = warpAffine(source, mat, { width: 65, height: 65 }, way)
    const back = turned(1 / 1.7, -turnedBy, [32, 32], [40, 30])
    let worst = 0
    for (let y = 0; y < 65; y++)
      for (let x = 0; x < 65; x++) {
        const [u, v] = [back[0] * x + back[1] * y + back[2], back[3] * x + back[4] * y + back[5]]
        if (u > 3 && v > 3 && u < 76 && v < 56) worst = Math.max(worst, Math.abs(at(out, x, y, 2) - smooth(u, v, 2)))
      }
    expect(worst).toBeLessThan(way.interpolation === 'linear' ? 2e-3 : 1e-3)
  })

  it('samples bytes and 16-bit words as the floats they stand for', () => {
    const source = paint(40, 30, 3, smooth)
    const mat = turned(0.6, -12, [20, 15], [12, 12])
    const warp = (s: Pixels | Bitmap) =>
      warpAffine(s, mat, { width: 25, height: 25 }, { ...way, borderValue: 0.5 }).data
    for (const bits of [8, 16] as const) {
      const bitmap = toBitmap(source, bits)
      expect(largestDifference(warp(bitmap), warp(toPixels(bitmap)))).toBeLessThan(1e-5)
    }
  })

  it('averages fine stripes to gray when minifying, with no aliasing', () => {
    const stripes = paint(240, 240, 1, (x) => x % 2)
    for (const scale of [0.5, 0.43, 0.3, 0.13]) {
      const out = warpAffine(stripes, turned(scale, 7, [120, 120], [12, 12]), { width: 25, height: 25 }, way)
      expect(Math.max(...out.data) - Math.min(...out.data)).toBeLessThan(0.12)
      expect(out.data.reduce((sum, v) => sum + v) / 625).toBeCloseTo(0.5, 2)
    }
    const aliased = warpAffine(stripes, scaling(0.49), { width: 50, height: 50 }, { ...way, antialias: false })
    expect(Math.max(...aliased.data) - Math.min(...aliased.data)).toBeGreaterThan(0.8)
  })

  it('keeps a small bright spot where the map puts it when minifying', () => {
    const scale = 0.21
    const spot = paint(200, 200, 1, (x, y) => Math.exp(-((x - 123) ** 2 + (y - 71) ** 2) / 50))
    const out = warpAffine(spot, turned(scale, 0, [0, 0], [0, 0]), { width: 42, height: 42 }, way)
    let [sum, mx, my] = [0, 0, 0]
    for (let y = 0; y < 42; y++)
      for (let x = 0; x < 42; x++) {
        sum += at(out, x, y)
        mx += x * at(out, x, y)
        my += y * at(out, x, y)
      }
    expect(mx / sum).toBeCloseTo(123 * scale, 2)
    expect(my / sum).toBeCloseTo(71 * scale, 2)
    expect(sum / scale ** 2).toBeCloseTo(
      spot.data.reduce((s, v) => s + v),
      -1,
    )
  })

  it('does not jump in sharpness while a zoom passes whole factors', () => {
    const spot = paint(120, 120, 1, (x, y) => (Math.hypot(x - 60, y - 60) < 14 ? 1 : 0))
    const peak = (scale: number) =>
      warpAffine(spot, turned(scale, 10, [60, 60], [15, 15]), { width: 31, height: 31 }, way)
    for (const factor of [2, 3]) {
      const step = largestDifference(peak(0.998 / factor).data, peak(1.002 / factor).data)
      expect(step).toBeLessThan(0.06)
    }
  })
})

describe('warpAffine in two passes', () => {
  const source = paint(30, 24, 3, (x, y, c) => ((x * 7 + y * 13 + c * 5) % 23) / 23)
  const size = { width: 61, height: 47 }
  const differences = (degrees: number, { interpolation }: WarpOptions, from = source) => {
    const mat = turned(1.9, degrees, [15, 12], [30, 23])
    const [once, twice] = [false, true].map((twoPass) => warpAffine(from, mat, size, { interpolation, twoPass }))
    return largestDifference(once!.data, twice!.data)
  }

  it.each(['linear', 'cubic'] as const)(
    'is the same where nothing turns, and not where it does, %s',
    (interpolation) => {
      expect(differences(0, { interpolation })).toBeLessThan(1e-6)
      expect(differences(180, { interpolation })).toBeLessThan(1e-6)
      expect(differences(12, { interpolation })).toBeGreaterThan(0.01)
    },
  )

  it('is left alone where it would be aslant, and for what it does not do', () => {
    expect(differences(15, { interpolation: 'cubic' })).toBe(0)
    expect(differences(90, { interpolation: 'cubic' })).toBe(0)
    expect(differences(12, { interpolation: 'lanczos3' })).toBe(0)
    expect(
      differences(
        12,
        { interpolation: 'cubic' },
        paint(30, 24, 4, (x, y) => ((x * 7 + y * 13) % 23) / 23),
      ),
    ).toBe(0)
  })
})

describe('warpAffine', () => {
  it('puts a face back into a frame and leaves the rest of the frame at the border value', () => {
    const face = paint(32, 32, 3, () => 1)
    const out = warpAffine(face, turned(2, 30, [15.5, 15.5], [200, 100]), { width: 320, height: 180 })
    expect(at(out, 200, 100)).toBeCloseTo(1)
    expect(at(out, 10, 10)).toBe(0)
    expect(out.data.reduce((sum, v) => sum + v, 0) / 3).toBeCloseTo(64 * 64, -2)
  })

  it('agrees with an exact area average when the factor is a whole number', () => {
    const source = paint(64, 64, 1, smooth)
    const half = warpAffine(source, [0.25, 0, -0.375, 0, 0.25, -0.375], { width: 16, height: 16 })
    const area = resize(source, { width: 16, height: 16 }, { filter: 'area' })
    const inner = { x: 1, y: 1, width: 14, height: 14 }
    expect(largestDifference(crop(half, inner).data, crop(area, inner).data)).toBeLessThan(0.02)
  })

  it('gives nothing but border for a map that leads elsewhere', () => {
    const out = warpAffine(
      paint(4, 4, 1, () => 1),
      translation(500, 0),
      { width: 5, height: 5 },
      { borderValue: 0.5 },
    )
    expect([...out.data]).toEqual(Array(25).fill(0.5))
  })

  it('says what is wrong with a map, a size, an option or the pixels', () => {
    const source = paint(4, 4, 1, () => 1)
    expect(() => warpAffine(source, [1, 2, 0, 2, 4, 0], { width: 4, height: 4 })).toThrow(
      'Expected an invertible matrix for `mat`, but got [1, 2, 0, 2, 4, 0]. Check the points it was made from.',
    )
    expect(() => warpAffine(source, translation(0, 0), { width: 0, height: 4 })).toThrow(
      'Expected a whole width and height of at least 1 for `size`, but got 0x4. Round them first.',
    )
    expect(() => warpAffine(source, translation(0, 0), source, { interpolation: 'nearest' as 'linear' })).toThrow(
      "Expected one of linear, cubic, lanczos3 for `interpolation`, but got 'nearest'.",
    )
    expect(() => warpAffine({ ...source, width: 5 }, translation(0, 0), source)).toThrow(
      'Expected 5x4x1 samples for `source`, but got 16. Give the width, height and channels of the data as it is.',
    )
  })
})
