import type { Affine, Pixels, Rect } from '@dfl/core'
import {
  applyAffine,
  copyPixels,
  crop,
  invertAffine,
  multiplyAffine,
  toPixels,
  translation,
  warpAffine,
} from '@dfl/image'
import { type MergeFace, type PlacedFace, squareMat } from '../merge-face.js'
import { rise } from './rise.js'

/** How far from the edge of the square the mask is faded to 0, in pixels of a face whose crop is 256 pixels wide. */
const EDGE = 4

/** Where a face goes in its frame. */
interface Placement {
  /** In pixels of the frame. */
  rect: Rect
  /** [rect.height, rect.width, 1] how much of each pixel will be new, 0..1. */
  alpha: Pixels
  /** Pixels of the painted face → pixels of `rect`. */
  faceToRectMat: Affine
}

/** How a painted face is made larger: as `layOver` does it. */
const PAINTED = { interpolation: 'cubic', border: 'replicate', twoPass: true } as const

/**
 * Where the face goes in its frame; nothing where its mask is empty.
 *
 * Close to the edge of the square the mask fades to 0 whatever it was, so that the square itself never shows.
 */
export function placementOf(face: MergeFace): Placement | undefined {
  const rect = coveredRect(face)
  if (!rect) return undefined
  const size = { width: rect.width, height: rect.height }
  const toRect = multiplyAffine(translation(-rect.x, -rect.y), invertAffine(face.imageToFaceMat))
  const maskToRect = multiplyAffine(toRect, squareMat(face.mask.width, face.dst.width))
  const faceToRectMat = multiplyAffine(toRect, squareMat(face.face.width, face.dst.width))
  return { rect, alpha: warpAffine(fadeAtEdges(face.mask), maskToRect, size, { twoPass: true }), faceToRectMat }
}

/** The face in the pixels of its frame, as the stages so far have left it; nothing where its mask is empty. */
export function placedFace(face: MergeFace): PlacedFace | undefined {
  if (face.placed) return face.placed
  const placement = placementOf(face)
  if (!placement) return undefined
  const { rect, alpha, faceToRectMat } = placement
  return { rect, alpha, painted: warpAffine(face.face, faceToRectMat, alpha, { ...PAINTED, where: alpha }) }
}

/** [H, W, 3] what the frame shows where the face goes. */
export function behind({ frame }: MergeFace, rect: Rect): Pixels {
  const pixels = toPixels(crop(frame, rect))
  if (pixels.channels === 3) return pixels
  const { width, height, channels } = pixels
  const data = new Float32Array(width * height * 3)
  for (let p = 0; p < width * height; p++)
    for (let c = 0; c < 3; c++) data[p * 3 + c] = pixels.data[p * channels + Math.min(c, channels - 1)]!
  return { data, width, height, channels: 3 }
}

/** The smallest rectangle of the frame that holds all of the mask, or nothing where that is empty. */
function coveredRect({ mask, imageToFaceMat, dst, frame }: MergeFace): Rect | undefined {
  const { data, width } = mask
  let left = width
  let right = -1
  let top = width
  let bottom = -1
  for (let y = 0; y < mask.height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x]! < 1 / 512) continue
      if (x < left) left = x
      if (x > right) right = x
      if (y < top) top = y
      bottom = y
    }
  }
  if (right < 0) return undefined
  const toFrame = multiplyAffine(invertAffine(imageToFaceMat), squareMat(width, dst.width))
  const reach = 1 // the linear kernel's reach round a pixel of the mask
  const corners = [left - reach, right + reach].flatMap((x) =>
    [top - reach, bottom + reach].map((y) => applyAffine(toFrame, [x, y])),
  )
  const xs = corners.map(([x]) => x)
  const ys = corners.map(([, y]) => y)
  const x0 = Math.max(0, Math.floor(Math.min(...xs)))
  const y0 = Math.max(0, Math.floor(Math.min(...ys)))
  const x1 = Math.min(frame.width, Math.ceil(Math.max(...xs)) + 1)
  const y1 = Math.min(frame.height, Math.ceil(Math.max(...ys)) + 1)
  return x1 > x0 && y1 > y0 ? { x: x0, y: y0, width: x1 - x0, height: y1 - y0 } : undefined
}

/** A copy of the mask that falls smoothly to 0 at the edge of the square. */
function fadeAtEdges(mask: Pixels): Pixels {
  const { width, height } = mask
  const band = (EDGE * width) / 256
  const ramp = Float32Array.from({ length: Math.ceil(band) + 1 }, (_, i) => rise(i, 0, band))
  const factor = (i: number, length: number) => ramp[Math.min(i, length - 1 - i, ramp.length - 1)]!
  const out = copyPixels(mask)
  const { data } = out
  for (let y = 0; y < height; y++) {
    const fy = factor(y, height)
    const inner = fy === 1 ? ramp.length : width >> 1
    for (let x = 0; x < inner; x++) {
      const f = fy * factor(x, width)
      data[y * width + x]! *= f
      data[(y + 1) * width - 1 - x]! *= f
    }
    if (fy !== 1 && width % 2 === 1) data[y * width + inner]! *= fy
  }
  return out
}
