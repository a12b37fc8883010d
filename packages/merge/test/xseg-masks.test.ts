import type { FaceType, Pixels } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { cutFace, type Masker, type MaskMode, type MergeFace, mask, mergeStages, startMerge } from '../src/index.js'
import { frameOf, landmarks, meta, square } from './synthetic.js'

const face = meta(landmarks({ x: 240, y: 180, scale: 0.6 }))
/** A dark frame with a bright disc a little left of the face's centre. */
const frame = frameOf(480, 360, (x, y) => Math.min(1, Math.max(0, 40 - Math.hypot(x - 215, y - 190))))

/** An XSeg that takes what is bright for the face. */
function masker(faceType: FaceType, resolution: number, seen: number[] = []): Masker {
  const find = async (crops: readonly Pixels[]): Promise<Pixels[]> => {
    seen.push(crops.length)
    return crops.map(({ data, width, height }) => ({
      ...{ width, height, channels: 1 },
      data: Float32Array.from({ length: width * height }, (_, i) => data[3 * i]!),
    }))
  }
  return { faceType, resolution, find }
}

/** Painted bright in its left half, with learned masks of 0.8 and 0.9. */
function start(): MergeFace {
  const crop = cutFace(frame, face, { faceType: 'full_face', resolution: 128 })
  const painted = { ...crop.dst, data: crop.dst.data.map((_, i) => (Math.floor(i / 3) % 128 < 64 ? 1 : 0)) }
  return startMerge(frame, crop, { face: painted, mask: square(128, () => 0.8), dstMask: square(128, () => 0.9) })
}
const masked = async (mode: MaskMode, from = masker('full_face', 256)) => mask(mode, { masker: from })(start())

/** Area and centre, as shares of the square. */
function blob({ data, width }: Pixels) {
  let [area, x, y] = [0, 0, 0]
  data.forEach((v, i) => {
    area += v
    x += v * ((i % width) + 0.5)
    y += v * (Math.floor(i / width) + 0.5)
  })
  return { area: area / width ** 2, x: x / area / width, y: y / area / width }
}

describe('masks of an XSeg', () => {
  it.each([
    ['full_face', 128],
    ['full_face', 256],
    ['whole_face', 256],
    ['head', 384],
  ] as const)(
    'finds DST in its own crops (%s, %i px) and puts the mask where the face is',
    async (type, resolution) => {
      const { mask: found, imageToFaceMat: m } = await masked('XSeg-dst', masker(type, resolution))
      const { area, x, y } = blob(found)
      expect(found.width).toBe(256)
      expect(x).toBeCloseTo((m[0] * 215 + m[1] * 190 + m[2] + 0.5) / 128, 2)
      expect(y).toBeCloseTo((m[3] * 215 + m[4] * 190 + m[5] + 0.5) / 128, 2)
      const scale = Math.hypot(m[0], m[3]) / 128
      expect(area / (Math.PI * (39.5 * scale) ** 2)).toBeCloseTo(1, 1)
    },
  )

  it.each(['full_face', 'whole_face'] as const)(
    'finds the painted face in its place in the frame (%s)',
    async (type) => {
      const { data } = (await masked('XSeg-prd', masker(type, 256))).mask
      for (const y of [20, 128, 235]) {
        for (const x of [20, 60, 120]) expect(data[y * 256 + x]).toBeGreaterThan(0.98)
        for (const x of [136, 190, 235]) expect(data[y * 256 + x]).toBeLessThan(0.02)
      }
    },
  )

  it('multiplies what the name of the mask says, and asks for nothing else', async () => {
    const seen: number[] = []
    const asked = masker('full_face', 256, seen)
    const [prd, dst] = [(await masked('XSeg-prd', asked)).mask.data, (await masked('XSeg-dst', asked)).mask.data]
    const both = (await masked('XSeg-prd*XSeg-dst', asked)).mask.data
    const all = (await masked('learned-prd*learned-dst*XSeg-prd*XSeg-dst', asked)).mask.data
    await masked('learned-prd*learned-dst', asked)
    expect(seen).toEqual([1, 1, 2, 2])
    const visible = (v: number) => (v < 1 / 255 ? 0 : v)
    for (let i = 0; i < prd.length; i += 97) {
      expect(both[i]).toBeCloseTo(visible(prd[i]! * dst[i]!), 5)
      expect(all[i]).toBeCloseTo(visible(0.72 * prd[i]! * dst[i]!), 5)
    }
  })

  it('needs a masker, which gives a mask for each crop', async () => {
    expect(() => mergeStages({ mask: 'XSeg-dst' })).toThrow(
      "Expected a trained XSeg for `mask` 'XSeg-dst', but got none. Give a masker, or choose a mask without XSeg.",
    )
    await expect(masked('XSeg-dst', { ...masker('full_face', 128), find: async () => [] })).rejects.toThrow(
      'Expected 1 masks from `find` of the masker, but got 0. Give back one for each face, in the same order.',
    )
    const small = { ...masker('full_face', 128), find: async () => [square(64, () => 1)] }
    await expect(masked('XSeg-dst', small)).rejects.toThrow(
      'Expected [128, 128, 1] for a mask of `find`, but got [64, 64, 1]. Give back pictures of the size of the crops.',
    )
  })
})
