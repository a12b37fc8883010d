import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hullMask, imageToFaceMat } from '@dfl/align'
import type { Bitmap, FaceMeta, Pixels } from '@dfl/core'
import { applyAffineAll, crop, mosaic, resize, toPixels } from '@dfl/image'
import { drawText, encodeImage, openFrames } from '@dfl/media'
import {
  COLOR_TRANSFERS,
  cutFace,
  MASK_FITS,
  MASK_MODES,
  type Masker,
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
async function landmarksOf(file: string): Promise<FaceMeta['landmarks']> {
  return JSON.parse(await readFile(join(footage, file), 'utf8')).frames[INDEX].lm68
}
const [sourceLandmarks, trueLandmarks] = [await landmarksOf('pair1-dst.json'), await landmarksOf('pair1-truth.json')]
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
    const hull = (landmarks: FaceMeta['landmarks']) => hullMask(applyAffineAll(imageToFaceMat, landmarks), 128)
    const tinted = painted.data.map((v, i) => Math.min(1, 0.06 + v * TINT[i % 3]!))
    return [{ face: { ...painted, data: tinted }, mask: hull(trueLandmarks), dstMask: hull(sourceLandmarks) }]
  },
}

// [2]
const masker: Masker = {
  faceType: 'full_face',
  resolution: 256,
  find: async (crops) => crops.map(() => hullMask(face.landmarks, 256, { eyebrowsExpandMod: 0 })),
}

// [3]
async function cell([name, options]: readonly [string, Partial<MergeOptions>]): Promise<Pixels> {
  const { bitmap } = await mergeFrame(dst, [face], {
    swapper,
    stages: mergeStages({ erode: 4, ...options }, { masker }),
  })
  const [x, y] = sourceLandmarks[30]!
  const rect = { x: Math.round(x) - 110, y: Math.round(y) - 120, width: 220, height: 240 }
  const picture = resize(toPixels(crop(bitmap, rect)), { width: 165, height: 180 })
  const lines = name.split(/(?<=dst)(?=\*XSeg)|(?= --blur)/)
  const text = lines.map((line, i) => ({ text: line.trim(), x: 4, y: 176 - 13 * (lines.length - 1 - i), sizePx: 11 }))
  return toPixels(await drawText(picture, text))
}
const row = (list: (readonly [string, Partial<MergeOptions>])[]) => Promise.all(list.map(cell))
const plain = { colorTransfer: 'none' } as const
const sheet = mosaic(
  [
    await row(MERGE_MODES.map((mode) => [mode, { ...plain, mode }])),
    await row(COLOR_TRANSFERS.filter((name) => name !== 'none').map((name) => [name, { colorTransfer: name }])),
    await row(MASK_MODES.slice(0, 8).map((mask) => [mask, { ...plain, mask }])),
    await row([
      ...MASK_MODES.slice(8).map((mask) => [mask, { ...plain, mask }] as const),
      ['--feather-top 60', { ...plain, featherTop: 60 }],
      ['--erode 20 --blur 40', { ...plain, erode: 20, blur: 40 }],
      ...MASK_FITS.map((fit) => [`--fit ${fit}`, { ...plain, fit }] as const),
    ]),
    await row([
      ['--sharpen 100', { sharpen: 100 }],
      ['--sharpen -100', { sharpen: -100 }],
      ['--denoise 100', { denoise: 100 }],
      ['--degrade 80', { degrade: 80 }],
      ['--color-degrade 100', { colorDegrade: 100 }],
      ['--face-scale 12', { faceScale: 12 }],
      ['--face-scale -12', { faceScale: -12 }],
      ['--grain 100', { grain: 100 }],
    ]),
  ],
  { gapPx: 4, background: 1 },
)
await writeFile(join(import.meta.dirname, '../out/merge-modes.jpg'), await encodeImage(sheet, 'jpg', { quality: 82 }))
console.log('examples/out/merge-modes.jpg: modes, colour transfers, masks, shapes, texture')

// [1] Stands for a model: the true swap, as soft as 128 pixels make it, and in warmer light than DST's.
// [2] Stands for a trained XSeg: it finds the face up to the brows.
// [3] The same frame with one option changed.
