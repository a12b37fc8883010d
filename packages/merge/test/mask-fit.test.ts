import { describe, expect, it } from 'vitest'
import { type Masker, type MergeOptions, mergeFrame, mergeStages, type Swapper } from '../src/index.js'
import { landmarks, meta, smoothFrame, square } from './synthetic.js'

const frame = smoothFrame()
const face = meta(landmarks({ x: 240, y: 180, scale: 0.6, turnDegrees: 8 }))
const disc = (radius: number) => square(128, (x, y) => (Math.hypot(x, y) < radius ? 1 : 0))

/** Paints half of what it sees; the new face is a disc, as is DST's. */
const model = (prd: number, dst: number): Swapper => ({
  ...{ faceType: 'full_face', resolution: 128 },
  swap: async (crops) =>
    crops.map((crop) => ({
      face: { ...crop, data: crop.data.map((v) => v / 2) },
      mask: disc(prd),
      dstMask: disc(dst),
    })),
})

/** An XSeg that takes a disc of 0.6 for DST's face, whatever it sees. */
const masker: Masker = {
  faceType: 'full_face',
  resolution: 128,
  find: async (crops) => crops.map(() => disc(0.6)),
}
async function report(options: Partial<MergeOptions>, from = model(0.4, 0.6)) {
  const stages = mergeStages({ colorTransfer: 'none', ...options }, { masker })
  const { faces } = await mergeFrame(frame, [face], { swapper: from, stages })
  expect(faces).toHaveLength(1)
  return faces[0]!
}

describe('the record of a merged face', () => {
  it('is 0 where the mask is the outline of the face, whatever the width of the soft edge', async () => {
    for (const blur of [0, 16, 24]) {
      const { pasted, uncovered, beyond } = await report({ mask: 'dst', blur })
      expect(pasted).toBe(true)
      expect(uncovered).toBeLessThan(0.04)
      expect(beyond).toBeLessThan(0.04)
    }
  })

  it('says how much of the face stays, and how much lies beyond, by area', async () => {
    const tight = await report({ mask: 'XSeg-dst', erode: 16, blur: 0 })
    // Half of the square is 128 px: the disc of 76.8 px loses 16 px all round.
    expect(tight.uncovered).toBeCloseTo(1 - (60.8 / 76.8) ** 2, 1)
    expect(tight.beyond).toBe(0)
    const wide = await report({ mask: 'XSeg-dst', erode: -16, blur: 0 })
    expect(wide.uncovered).toBe(0)
    expect(wide.beyond).toBeCloseTo((92.8 / 76.8) ** 2 - 1, 1)
  })

  it('shows what the union of the masks is good for', async () => {
    const product = await report({ mask: 'learned-prd*learned-dst' })
    const union = await report({ mask: 'learned-prd+learned-dst' })
    expect(product.uncovered).toBeGreaterThan(union.uncovered + 0.2)
  })

  it('says so where nothing was pasted', async () => {
    for (const options of [{ mode: 'original' }, { mask: 'learned-prd' }] as const)
      expect(await report(options, model(0, 0))).toMatchObject({ pasted: false, uncovered: 1, beyond: 0, faceIndex: 0 })
  })

  it('keeps the order of the faces, though small ones are pasted first', async () => {
    const small = { ...meta(landmarks({ x: 90, y: 90, scale: 0.25 })), faceIndex: 1 }
    const { faces } = await mergeFrame(frame, [face, small], { swapper: model(0.5, 0.5), stages: mergeStages() })
    expect(faces.map(({ faceIndex }) => faceIndex)).toEqual([0, 1])
    expect(faces[0]!.sizePx / faces[1]!.sizePx).toBeCloseTo(0.6 / 0.25, 1)
  })
})
