import { type Pixels, Random } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import {
  blendBands,
  colorSpread,
  iterativeDistributionTransfer,
  limitStretch,
  mapColors,
  medianBlur,
  membrane,
  mongeKantorovichMatrix,
  reduceColors,
  slicedTransfer,
  transport,
  whiteningMatrix,
} from '../src/index.js'

const picture = (
  width: number,
  height: number,
  channels: 1 | 3,
  value: (x: number, y: number, c: number) => number,
) => {
  const data = Float32Array.from({ length: width * height * channels }, (_, i) => {
    const p = Math.floor(i / channels)
    return value(p % width, Math.floor(p / width), i % channels)
  })
  return { data, width, height, channels } as Pixels
}
/** Correlated colours: a common brightness and a little of each channel's own. */
function colours(seed: number, level: number, spread: number): Pixels {
  const random = new Random(seed)
  const light = Array.from({ length: 48 * 48 }, () => random.normal())
  return picture(48, 48, 3, (x, y, c) => level + spread * (light[y * 48 + x]! + (0.2 + 0.1 * c) * random.normal()))
}
const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0)

describe('membrane', () => {
  const inDisc = (x: number, y: number) => (Math.hypot(x - 40, y - 30) < 27 ? 1 : 0)
  const region = picture(80, 60, 1, inDisc)

  it('finds a harmonic function again from its values at the border', () => {
    // x² − y² and x·y solve Laplace's equation on a grid exactly.
    const exact = picture(80, 60, 3, (x, y, c) =>
      c === 0 ? (x * x - y * y) / 6400 : c === 1 ? (x * y) / 4800 : 0.3 + x / 100,
    )
    const torn = { ...exact, data: exact.data.map((v, i) => (region.data[Math.floor(i / 3)]! > 0 ? 0.9 : v)) }
    expect(largest(membrane(torn, region, { tolerance: 1e-6 }).data, exact.data)).toBeLessThan(2e-4)
  })

  it('keeps what lies outside the region, and everything where there is no border', () => {
    const values = picture(80, 60, 1, (x, y) => Math.sin(x * y))
    const out = membrane(values, region)
    for (let i = 0; i < out.data.length; i++) if (region.data[i] === 0) expect(out.data[i]).toBe(values.data[i])
    const all = picture(80, 60, 1, () => 1)
    expect(membrane(values, all).data).toEqual(values.data)
  })

  it("ends level at the picture's edge", () => {
    const ramp = picture(40, 12, 1, (x) => (x === 0 ? 1 : x === 39 ? 3 : 9))
    const between = picture(40, 12, 1, (x) => (x > 0 && x < 39 ? 1 : 0))
    const { data } = membrane(ramp, between, { tolerance: 1e-6 })
    for (let y = 0; y < 12; y++) for (let x = 0; x < 40; x++) expect(data[y * 40 + x]).toBeCloseTo(1 + (2 * x) / 39, 3)
  })

  it('solves ragged regions', () => {
    const random = new Random(3)
    const ragged = picture(70, 70, 1, (x, y) => (Math.hypot(x - 35, y - 35) < 30 && random.uniform() > 0.1 ? 1 : 0))
    const values = picture(70, 70, 1, (x) => x / 70)
    expect(largest(membrane(values, ragged, { tolerance: 1e-6 }).data, values.data)).toBeLessThan(1e-3)
  })
})

describe('transport', () => {
  it('gives values the spread of others in their order', () => {
    const from = Float32Array.from({ length: 1000 }, (_, i) => i / 1000)
    const to = Float32Array.from({ length: 1000 }, (_, i) => (i / 1000) ** 2)
    const move = transport(from, to)
    for (const v of [0.1, 0.35, 0.5, 0.8, 0.95]) expect(move(v)).toBeCloseTo(v * v, 2)
  })

  it('changes nothing between equal spreads and moves nothing into a gap', () => {
    const values = Float32Array.from({ length: 400 }, (_, i) => (i < 200 ? i / 1000 : 0.8 + i / 4000))
    const move = transport(values, values)
    for (const v of values) expect(Math.abs(move(v) - v)).toBeLessThan(2e-3)
    const apart = Float32Array.from([0, 0, 1, 1])
    expect(transport(Float32Array.from([0.2, 0.2, 0.6, 0.6]), apart)(0.6)).toBeGreaterThan(0.99)
  })

  it('keeps many equal values together, in the middle of where they belong', () => {
    const clipped = Float32Array.from({ length: 1000 }, (_, i) => Math.min(1, 0.5 + i / 1000))
    const even = Float32Array.from({ length: 1000 }, (_, i) => i / 1000)
    expect(transport(clipped, even)(1)).toBeCloseTo(0.75, 1)
    expect(transport(clipped, even)(0.75)).toBeCloseTo(0.25, 1)
  })

  it('counts by weight', () => {
    const from = Float32Array.from([0, 1])
    const to = Float32Array.from([0.2, 0.7])
    const move = transport(from, to, { toWeights: Float32Array.from([0, 1]) })
    expect(move(1)).toBeCloseTo(0.7, 2)
    expect(move(0)).toBeCloseTo(0.7, 2)
  })
})

describe('transfer of colours', () => {
  const from = colours(1, 0.6, 0.05)
  const to = colours(2, 0.4, 0.1)

  it.each([
    ['mongeKantorovichMatrix', mongeKantorovichMatrix],
    ['whiteningMatrix', whiteningMatrix],
  ] as const)('%s gives colours the mean and covariance of others', (_, matrixOf) => {
    const [a, b] = [colorSpread(from), colorSpread(to)]
    const out = colorSpread(mapColors(from, { matrix: matrixOf(a.covariance, b.covariance), from: a.mean, to: b.mean }))
    expect(largest(out.mean, b.mean)).toBeLessThan(1e-5)
    expect(largest(out.covariance, b.covariance)).toBeLessThan(1e-5)
  })

  it('mongeKantorovichMatrix gives the numbers of the closed form', () => {
    // Commuting matrices: T = (Σ_to / Σ_from)^½ per eigenvector. Here along (1, 1, 0), (1, −1, 0) and (0, 0, 1).
    const out = mongeKantorovichMatrix([2.5, 1.5, 0, 1.5, 2.5, 0, 0, 0, 1], [8.5, 7.5, 0, 7.5, 8.5, 0, 0, 0, 9])
    expect(largest(out, [1.5, 0.5, 0, 0.5, 1.5, 0, 0, 0, 3])).toBeLessThan(1e-9)
  })

  it('limitStretch bounds what a matrix does, and leaves gentle ones alone', () => {
    expect(largest(limitStretch([8, 0, 0, 0, 0.1, 0, 0, 0, 2], 4), [4, 0, 0, 0, 0.25, 0, 0, 0, 2])).toBeLessThan(1e-9)
  })

  it.each([
    ['iterativeDistributionTransfer', iterativeDistributionTransfer, 0.006],
    ['slicedTransfer', slicedTransfer, 0.01],
  ] as const)('%s moves the whole distribution', (_, transfer, within) => {
    const out = transfer(from, to)
    expect(largest(colorSpread(out).mean, colorSpread(to).mean)).toBeLessThan(within)
    const red = (p: Pixels) => p.data.filter((_v, i) => i % 3 === 0).sort()
    const [a, b] = [red(out), red(to)]
    for (const share of [0.05, 0.25, 0.5, 0.75, 0.95]) {
      const i = Math.floor(share * a.length)
      expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(4 * within)
    }
    expect(transfer(from, to).data).toEqual(out.data)
  })

  it('counts only what the weights say', () => {
    const half = picture(48, 48, 1, (x) => (x < 24 ? 1 : 0))
    const loud = { ...to, data: to.data.map((v, i) => (half.data[Math.floor(i / 3)]! > 0 ? v : 0.99)) }
    const out = iterativeDistributionTransfer(from, loud, { from: half, to: half })
    expect(largest(colorSpread(out, half).mean, colorSpread(to, half).mean)).toBeLessThan(0.01)
  })
})

describe('medianBlur, reduceColors and blendBands', () => {
  it('takes specks away and keeps edges', () => {
    const edge = picture(16, 16, 1, (x) => (x < 8 ? 0.2 : 0.8))
    const speckled = { ...edge, data: edge.data.slice() }
    speckled.data[5 * 16 + 4] = 1
    expect(medianBlur(speckled, 2).data).toEqual(edge.data)
    expect(
      medianBlur(
        picture(3, 3, 1, (x, y) => (3 * y + x) / 9),
        1,
      ).data[4],
    ).toBeCloseTo(4 / 9, 6)
  })

  it('paints with so many colours and no more', () => {
    const many = colours(5, 0.5, 0.12)
    const few = reduceColors(many, 16)
    const used = new Set(Array.from({ length: 48 * 48 }, (_, p) => few.data.slice(3 * p, 3 * p + 3).join()))
    expect(used.size).toBe(16)
    expect(largest(colorSpread(few).mean, colorSpread(many).mean)).toBeLessThan(1e-4)
    expect(() => reduceColors(many, 0.5)).toThrow('Expected a whole number of at least 1 for `count`, but got 0.5.')
  })

  it('shows the top where the mask is 1, the bottom where it is 0, and equal pictures unchanged', () => {
    const a = picture(96, 96, 3, (x, y, c) => 0.5 + 0.3 * Math.sin(x / 5 + y / 7 + c))
    const half = picture(96, 96, 1, (x) => (x < 48 ? 1 : 0))
    expect(largest(blendBands(a, a, half).data, a.data)).toBeLessThan(1e-5)
    const out = blendBands(
      picture(96, 96, 3, () => 1),
      picture(96, 96, 3, () => 0),
      half,
      { levels: 3 },
    )
    expect(out.data[(48 * 96 + 2) * 3]).toBeCloseTo(1, 2)
    expect(out.data[(48 * 96 + 93) * 3]).toBeCloseTo(0, 2)
    const middle = out.data[(48 * 96 + 47) * 3]!
    expect(middle).toBeGreaterThan(0.4)
    expect(middle).toBeLessThan(0.7)
  })
})
