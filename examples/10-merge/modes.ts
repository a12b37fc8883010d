import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hullMask, imageToFaceMat } from '@dfl/align'
import type { Bitmap, FaceMeta, Pixels } from '@dfl/core'
import { applyAffineAll, crop, mosaic, resize, toPixels } from '@dfl/image'
import { encodeImage, openFrames } from '@dfl/media'
import {
  COLOR_TRANSFERS,
  cutFace,
  MASK_MODES,
  MERGE_MODES,
  type MergeOptions,
  mergeFrame,
  mergeStages,
  type Swapper,
} from '@dfl/merge'

const footage = join(import.meta.dirname, '../footage')
const INDEX = 40

async function frameOf(clip: string): Promise<Bitmap> {
  await using source = await openFrames(join(footage, clip), { start: INDEX, end: INDEX + 1 })
  for await (const frame of source.frames()) return frame.bitmap
  throw new Error(`Expected frame ${INDEX} in ${clip}`)
}
const [dst, truth] = [await frameOf('pair1-dst.mp4'), await frameOf('pair1-truth.mp4')]
const { frames } = JSON.parse(await readFile(join(footage, 'pair1-dst.json'), 'utf8'))
const sourceLandmarks: FaceMeta['landmarks'] = frames[INDEX].lm68
const mat = imageToFaceMat(sourceLandmarks, 'full_face', 256)
const face: FaceMeta = {
  ...{ filename: '', sourceFilename: '', frameIndex: INDEX, timestampSeconds: 0, faceIndex: 0, score: 1 },
  ...{ faceType: 'full_face', size: 256, landmarks: applyAffineAll(mat, sourceLandmarks), sourceLandmarks },
  ...{ imageToFaceMat: mat, sourceRect: { x: 0, y: 0, width: 640, height: 360 } },
}

// [1]
const TINT = [1.12, 0.98, 0.78]
const swapper: Swapper = {
  faceType: 'full_face',
  resolution: 128,
  swap: async () => {
    const { dst: painted, imageToFaceMat } = cutFace(truth, face, swapper)
    const mask = hullMask(applyAffineAll(imageToFaceMat, sourceLandmarks), 128)
    const tinted = painted.data.map((v, i) => Math.min(1, 0.06 + v * TINT[i % 3]!))
    return [{ face: { ...painted, data: tinted }, mask, dstMask: mask }]
  },
}

// [2]
async function cell(options: Partial<MergeOptions>): Promise<Pixels> {
  const { bitmap } = await mergeFrame(dst, [face], { swapper, stages: mergeStages({ erode: 4, ...options }) })
  const [x, y] = sourceLandmarks[30]!
  const rect = { x: Math.round(x) - 110, y: Math.round(y) - 120, width: 220, height: 240 }
  return resize(toPixels(crop(bitmap, rect)), { width: 165, height: 180 })
}
const row = (list: Partial<MergeOptions>[]) => Promise.all(list.map(cell))
const plain = { colorTransfer: 'none' } as const
const sheet = mosaic(
  [
    await row(MERGE_MODES.map((mode) => ({ ...plain, mode }))),
    await row(COLOR_TRANSFERS.filter((name) => name !== 'none').map((colorTransfer) => ({ colorTransfer }))),
    await row([
      ...MASK_MODES.map((mask) => ({ ...plain, mask })),
      { ...plain, featherTop: 60 },
      { ...plain, erode: 20, blur: 40 },
    ]),
    await row([
      ...[{ sharpen: 100 }, { sharpen: -100 }, { denoise: 100 }, { degrade: 80 }, { colorDegrade: 100 }],
      ...[{ faceScale: 12 }, { faceScale: -12 }, { blur: 0 }],
    ]),
  ],
  { gapPx: 4, background: 1 },
)
await writeFile(join(import.meta.dirname, '../out/merge-modes.jpg'), await encodeImage(sheet, 'jpg', { quality: 82 }))
console.log('examples/out/merge-modes.jpg: modes, colour transfers, masks, texture')

// [1] Stands for a model: the true swap, as soft as 128 pixels make it, and in warmer light than DST's.
// [2] The same frame with one option changed.
