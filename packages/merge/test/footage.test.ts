import { hullMask } from '@dfl/align'
import type { Bitmap } from '@dfl/core'
import { applyAffineAll, meanAndStd, rgbToLab, toPixels } from '@dfl/image'
import { openFrames } from '@dfl/media'
import { beforeAll, describe, expect, it } from 'vitest'
import { cutFace, mergeFrame, mergeStages, type Swapper } from '../src/index.js'
import { clip, meta, truth } from './synthetic.js'

const INDEX = 20
const face = meta(truth('pair1-dst')[INDEX]!, INDEX)
let dst: Bitmap
let perfect: Bitmap

async function frameOf(name: string): Promise<Bitmap> {
  await using source = await openFrames(clip(name), { start: INDEX, end: INDEX + 1 })
  for await (const frame of source.frames()) return frame.bitmap
  throw new Error('no frame')
}
beforeAll(async () => {
  dst = await frameOf('pair1-dst')
  perfect = await frameOf('pair1-truth')
})

/** A model that paints what the true swap shows in the same place. */
function perfectModel(resolution: number): Swapper {
  const size = { faceType: 'full_face', resolution } as const
  const crop = cutFace(perfect, face, size)
  const inCrop = (name: string) => applyAffineAll(crop.imageToFaceMat, truth(name)[INDEX]!)
  const swap = {
    face: crop.dst,
    mask: hullMask(inCrop('pair1-truth'), resolution),
    dstMask: hullMask(inCrop('pair1-dst'), resolution),
  }
  return { ...size, swap: async (faces) => faces.map(() => swap) }
}

/** Both faces' common hull in the frame, well inside the soft edge. */
const core = () => {
  const size = { width: dst.width, height: dst.height }
  const [a, b] = [hullMask(truth('pair1-dst')[INDEX]!, size), hullMask(truth('pair1-truth')[INDEX]!, size)]
  const both = a.data.map((v, i) => v * b.data[i]!)
  const reach = 14
  const data = both.map((_, i) =>
    [i, i - reach, i + reach, i - reach * size.width, i + reach * size.width].every((k) => both[k] === 1) ? 1 : 0,
  )
  return { ...a, data }
}

describe('a perfect model on the demo footage', () => {
  it('gives the true frame inside the mask', async () => {
    const merged = await mergeFrame(dst, [face], {
      swapper: perfectModel(256),
      stages: mergeStages({ colorTransfer: 'none' }),
    })
    const mask = core().data
    let [error, before, count] = [0, 0, 0]
    for (let i = 0; i < mask.length; i++) {
      if (mask[i] === 0) continue
      count++
      for (let c = 0; c < 3; c++) {
        error += Math.abs(merged.bitmap.data[3 * i + c]! - perfect.data[3 * i + c]!) / 3
        before += Math.abs(dst.data[3 * i + c]! - perfect.data[3 * i + c]!) / 3
      }
    }
    expect(count).toBeGreaterThan(2000)
    expect(before / count).toBeGreaterThan(20)
    expect(error / count).toBeLessThan(1)
  })

  it("takes on DST's colours with rct", async () => {
    const merged = await mergeFrame(dst, [face], { swapper: perfectModel(128), stages: mergeStages() })
    const colour = (frame: Bitmap) => meanAndStd(rgbToLab(toPixels(frame)), core()).mean
    const away = (a: number[], b: number[]) => Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!)
    expect(away(colour(perfect), colour(dst))).toBeGreaterThan(8)
    expect(away(colour(merged.bitmap), colour(dst))).toBeLessThan(3)
  })

  it('leaves every pixel outside the face as it was', async () => {
    const merged = await mergeFrame(dst, [face], { swapper: perfectModel(128), stages: mergeStages() })
    const [rect] = merged.rects
    let changedOutside = 0
    for (let i = 0; i < dst.data.length; i++) {
      const [x, y] = [Math.floor(i / 3) % dst.width, Math.floor(i / 3 / dst.width)]
      const within = x >= rect!.x && x < rect!.x + rect!.width && y >= rect!.y && y < rect!.y + rect!.height
      if (!within && merged.bitmap.data[i] !== dst.data[i]) changedOutside++
    }
    expect(changedOutside).toBe(0)
  })
})
