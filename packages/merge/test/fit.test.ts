import { hullMask } from '@dfl/align'
import type { Bitmap, Pixels } from '@dfl/core'
import { applyAffineAll } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import {
  cutFace,
  type Masker,
  type MergeFace,
  type MergeOptions,
  mask,
  mergeFrame,
  mergeStages,
  reshape,
  type Swapper,
  startMerge,
} from '../src/index.js'
import { frameOf, landmarks, meta, smoothFrame, square } from './synthetic.js'

const face = meta(landmarks({ x: 240, y: 180, scale: 0.6 }))
const size = { faceType: 'whole_face', resolution: 128 } as const
const cut = cutFace(smoothFrame(), face, size)
const disc = (radius: number, side = 128) =>
  square(side, (x, y) => Math.min(1, Math.max(0, 0.5 + (radius - Math.hypot(x, y)) * 40)))

/** An XSeg that takes a disc for DST's face. */
const finds = (radius: number): Masker => ({
  ...size,
  find: async (crops) => crops.map(() => disc(radius)),
})

/** Paints blue; the new face is narrower than DST's. */
const narrow: Swapper = {
  ...size,
  swap: async (crops) =>
    crops.map((crop) => {
      const points = applyAffineAll(cut.imageToFaceMat, face.sourceLandmarks)
      const middle = points.reduce((sum, [x]) => sum + x / 68, 0)
      const slim = points.map(([x, y]) => [middle + (x - middle) * 0.82, y] as const)
      return {
        face: { ...crop, data: crop.data.map((_, i) => (i % 3 === 2 ? 0.8 : 0.2)) },
        mask: hullMask(slim, 128),
        dstMask: hullMask(points, 128),
      }
    }),
}

async function merge(frame: Bitmap, options: Partial<MergeOptions>) {
  const stages = mergeStages({ colorTransfer: 'none', mask: 'learned-prd*learned-dst', blur: 8, ...options })
  const { bitmap, faces } = await mergeFrame(frame, [face], { swapper: narrow, stages })
  return { bitmap, ...faces[0]! }
}

describe('a face narrower than the one it covers', () => {
  const hull = hullMask(face.sourceLandmarks, { width: 480, height: 360 })
  /** Red where DST's face is, on a grey ramp. */
  const frame = frameOf(480, 360, (x, y, c) => {
    const ground = 0.2 + 0.6 * (x / 480)
    return ground + hull.data[y * 480 + x]! * ((c === 0 ? 0.9 : 0.1) - ground)
  })
  /** How much more red than blue there is within DST's face and a little beyond. */
  const red = ({ data }: Bitmap) => {
    let sum = 0
    for (let i = 0; i < data.length; i += 3) sum += Math.max(0, data[i]! - data[i + 2]!) / 255
    return sum
  }

  it('leaves DST to be seen, which is a number, and each remedy lowers it', async () => {
    const [none, union, shaped, filled, both] = await Promise.all([
      merge(frame, {}),
      merge(frame, { mask: 'learned-prd+learned-dst' }),
      merge(frame, { fit: 'reshape' }),
      merge(frame, { fit: 'fill' }),
      merge(frame, { fit: 'reshape+fill' }),
    ])
    expect(none.uncovered).toBeGreaterThan(0.12)
    expect(union.uncovered).toBeLessThan(0.02)
    expect(shaped.uncovered).toBeLessThan(0.35 * none.uncovered)
    expect(filled.uncovered).toBeLessThan(0.2 * none.uncovered)
    expect(both.uncovered).toBeLessThan(0.2 * none.uncovered)
    for (const { bitmap } of [union, shaped, filled, both]) expect(red(bitmap)).toBeLessThan(0.5 * red(none.bitmap))
    expect(none.beyond).toBeLessThan(0.02)
    expect(shaped.beyond).toBeLessThan(0.04)
  })

  it('is filled up with what surrounds DST', async () => {
    const { bitmap } = await merge(frame, { fit: 'fill' })
    // Left and right of the new face, inside DST's outline, at the height of the nose.
    const [left, right] = [face.sourceLandmarks[1]![0] + 5, face.sourceLandmarks[15]![0] - 2].map(Math.round)
    const y = Math.round(face.sourceLandmarks[30]![1])
    for (const x of [left!, right!]) {
      expect(frame.data[(y * 480 + x) * 3]! - frame.data[(y * 480 + x) * 3 + 1]!).toBeGreaterThan(150)
      for (let c = 0; c < 3; c++)
        expect(bitmap.data[(y * 480 + x) * 3 + c]! / 255).toBeCloseTo(0.2 + (0.6 * x) / 480, 1)
    }
  })

  it('leaves a face that fits as it is', async () => {
    const plain = await merge(frame, { mask: 'learned-dst' })
    const { bitmap } = await merge(frame, { mask: 'learned-dst', fit: 'fill' })
    expect(bitmap.data.every((v, i) => v === plain.bitmap.data[i])).toBe(true)
  })
})

describe('reshaping', () => {
  function start(radius: number, paint: (x: number, y: number) => number): MergeFace {
    const ink = square(128, paint)
    const painted: Pixels = { ...cut.dst, data: cut.dst.data.map((_, i) => ink.data[Math.floor(i / 3)]!) }
    return startMerge(smoothFrame(), cut, { face: painted, mask: disc(radius), dstMask: disc(radius) })
  }
  const radius = ({ data, width }: Pixels) => Math.sqrt(data.reduce((sum, v) => sum + v, 0) / Math.PI) / (width / 2)

  it.each([
    [0.5, 0.6],
    [0.6, 0.5],
    [0.5, 0.55],
  ])('brings an outline of %f to one of %f', async (own, wanted) => {
    const stage = reshape({ masker: finds(wanted) })
    const done = await stage(start(own, () => 0.5))
    expect(radius(done.swap.mask)).toBeCloseTo(wanted, 1.6)
    const masked = await mask('XSeg-dst', { masker: finds(wanted) })(done)
    expect(masked.dstFace).toBe(done.dstFace)
  })

  it('moves nothing in the inner face, and by no more than a quarter at the edge', async () => {
    const stage = reshape({ masker: finds(0.8) })
    const from = start(0.5, (x, y) => Math.hypot(x, y))
    const { face: out, swap } = await stage(from)
    const at = (pixels: Pixels, x: number) => pixels.data[(64 * 128 + Math.round(63.5 + x * 64)) * 3]!
    for (const x of [-0.3, -0.15, 0, 0.15, 0.3]) expect(at(out, x)).toBe(at(from.face, x))
    // Golden: the outline moves from 0.5 to 1.25 · 0.5; at a share s of that, the source is r − 0.125 ((s − 0.55) / 0.45)².
    for (const x of [0.4, 0.5, 0.6]) {
      const r = (Math.round(63.5 + x * 64) - 63.5) / 64
      const expected = r - 0.125 * ((r / 0.625 - 0.55) / 0.45) ** 2
      expect(at(out, x)).toBeCloseTo(expected, 2)
    }
    expect(radius(swap.mask)).toBeCloseTo(0.625, 1.6)
  })

  it('averages the warp over the frames before', async () => {
    const stage = reshape({ seconds: 0.25, masker: finds(0.6) })
    const first = await stage(start(0.6, () => 0.5))
    const past = { timestampSeconds: -1 / 24, centre: [240, 180], sizePx: 200, values: first.notes } as const
    const alone = await stage(start(0.5, () => 0.5))
    const after = await stage({ ...start(0.5, () => 0.5), past })
    expect(radius(after.swap.mask)).toBeLessThan(radius(alone.swap.mask) - 0.03)
  })

  it('leaves a face without a mask alone', async () => {
    const from = start(-1, () => 0.5)
    expect((await reshape()(from)).face).toBe(from.face)
  })
})
