import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Affine, Bitmap, Pixels, Point, Rect } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import { applyAffine, invertAffine, multiplyAffine, translation } from '@dfl/image'
import { encodeImage, type FramePart } from '@dfl/media'
import { type MergeFace, squareMat } from './merge-face.js'
import type { MergeOptions } from './merge-options.js'

/** Name of the file that describes a compositor's package. */
export const PACKAGE_FILE = 'frames.json'

/** A face of a frame in a compositor's package. */
export interface PackagedFace {
  faceIndex: number
  /** Files inside the package. */
  painted: string
  stmap: string
  /** Side of `painted`, in pixels. */
  paintedPx: number
  /** Pixels of the frame → pixels of `painted`, and back; (0, 0) is the centre of the upper left pixel, y down. */
  frameToPaintedMat: Affine
  paintedToFrameMat: Affine
  /** Where the corners of `painted` lie: from the frame's left and upper edge, clockwise from the upper left. For corner pins. */
  corners: readonly Point[]
}

/** A frame of a compositor's package. */
export interface PackagedFrame {
  frame: number
  timestampSeconds: number
  /** Files inside the package; nothing where the frame has no face. */
  face?: string
  mask?: string
  faces: PackagedFace[]
  settings: Partial<MergeOptions>
  /** Paths of all files of this frame. */
  files: string[]
}

/** A merged frame as a package takes it. */
export interface FrameToPackage {
  frame: { index: number; timestampSeconds: number; width: number; height: number }
  settings: Partial<MergeOptions>
  /** The part of the frame that holds its faces, and the same part with the faces laid over it. */
  change?: { part: FramePart; bitmap: Bitmap; layers: readonly MergeFace[] }
}

/**
 * Writes a frame into a package from which a compositor rebuilds the merge: `face + (1 − mask) · frame`, exactly.
 *
 * `face/` holds what is added, premultiplied, and the mask as alpha; `mask/` the mask alone; `painted/` each face as the model
 * painted it and the stages left it, upright; `stmap/` where each pixel of the frame finds it there. All have 16 bits and,
 * but for `painted`, the frame's size. The colours under the mask are the final ones, so that modes that are more than an
 * overlay, such as seamless, come out as well.
 */
export async function packageFrame(
  folder: string,
  { frame, settings, change }: FrameToPackage,
): Promise<PackagedFrame> {
  const { index, timestampSeconds } = frame
  if (!change) return { frame: index, timestampSeconds, faces: [], settings, files: [] }
  const { part, bitmap, layers } = change
  const number = String(index).padStart(6, '0')
  const place = { x: part.x, y: part.y }
  const { face, mask } = overOf(part.bitmap, bitmap, layers)
  const files: string[] = []
  const write = async (kind: string, name: string, raster: Bitmap | Pixels) => {
    const file = `${kind}/${name}.png`
    files.push(join(folder, file))
    await mkdir(join(folder, kind), { recursive: true })
    await writeFileAtomic(join(folder, file), await encodeImage(raster, 'png', { bits: '16' }))
    return file
  }
  const [faceFile, maskFile, faces] = await Promise.all([
    write('face', number, spread(face, place, frame)),
    write('mask', number, spread(mask, place, frame)),
    Promise.all(
      layers.map(async ({ face: painted, dst, imageToFaceMat, meta }): Promise<PackagedFace> => {
        const name = `${number}-${meta.faceIndex}`
        const frameToPaintedMat = multiplyAffine(
          squareMat(dst.width, painted.width),
          multiplyAffine(imageToFaceMat, translation(-part.x, -part.y)),
        )
        const paintedToFrameMat = invertAffine(frameToPaintedMat)
        const [low, high] = [-0.5, painted.width - 0.5]
        const corner = (x: number, y: number): Point => {
          const [fx, fy] = applyAffine(paintedToFrameMat, [x, y])
          return [fx + 0.5, fy + 0.5]
        }
        return {
          faceIndex: meta.faceIndex,
          painted: await write('painted', name, painted),
          stmap: await write('stmap', name, stMap(frameToPaintedMat, painted.width, frame)),
          paintedPx: painted.width,
          frameToPaintedMat,
          paintedToFrameMat,
          corners: [corner(low, low), corner(high, low), corner(high, high), corner(low, high)],
        }
      }),
    ),
  ])
  return { frame: index, timestampSeconds, face: faceFile, mask: maskFile, faces, settings, files }
}

/** Writes the file that describes a package. @param clip Its size and frame rate, for people who set up a composition. */
export async function describePackage(
  folder: string,
  { clip, frames }: { clip: Readonly<Record<string, unknown>>; frames: readonly PackagedFrame[] },
): Promise<void> {
  const described = {
    format: 1,
    rebuild:
      'result = face.rgb + (1 - face.alpha) * frame, in the values as they are stored, without colour management',
    clip,
    frames: frames.map(({ files: _, ...frame }) => frame),
  }
  await writeFileAtomic(join(folder, PACKAGE_FILE), `${JSON.stringify(described, undefined, 1)}\n`)
}

/**
 * What laid over `before` gives `after` to the last bit: [H, W, 4] premultiplied colour and alpha, and [H, W, 1] the alpha.
 *
 * The alpha is that of the layers; where rounding to the frame's depth took away more than an over can, it is a little more.
 */
export function overOf(
  before: Bitmap,
  after: Bitmap,
  layers: readonly Pick<MergeFace, 'patch'>[],
): { face: Bitmap; mask: Bitmap } {
  const { width, height, channels } = before
  const size = { width, height }
  const share = alphaOf(layers, size)
  const full = before.data instanceof Uint16Array ? 65535 : 255
  const face = new Uint16Array(width * height * 4)
  const mask = new Uint16Array(width * height)
  for (let p = 0; p < mask.length; p++) {
    let alpha = Math.round(share[p]! * 65535)
    let same = alpha === 0
    for (let c = 0; c < 3; c++) {
      const at = p * channels + Math.min(c, channels - 1)
      const [was, is] = [before.data[at]!, after.data[at]!]
      if (was !== is) same = false
      // What is left of the frame must not be more than the result.
      if (is * 65535 < (65535 - alpha) * was) alpha = 65535 - Math.floor((65535 * is) / was)
    }
    if (same) continue
    if (alpha === 0) alpha = 65535 // The stages changed a pixel outside of every mask.
    for (let c = 0; c < 3; c++) {
      const at = p * channels + Math.min(c, channels - 1)
      face[p * 4 + c] = Math.max(0, Math.round((65535 * after.data[at]! - (65535 - alpha) * before.data[at]!) / full))
    }
    face[p * 4 + 3] = mask[p] = alpha
  }
  return { face: { data: face, ...size, channels: 4 }, mask: { data: mask, ...size, channels: 1 } }
}

/** How much of each pixel the layers cover together. */
function alphaOf(
  layers: readonly Pick<MergeFace, 'patch'>[],
  { width, height }: { width: number; height: number },
): Float32Array {
  const out = new Float32Array(width * height)
  for (const { patch } of layers) {
    if (!patch) continue
    const { rect, alpha } = patch
    for (let y = 0; y < rect.height; y++)
      for (let x = 0; x < rect.width; x++) {
        const i = (rect.y + y) * width + rect.x + x
        out[i] = 1 - (1 - out[i]!) * (1 - Math.min(1, Math.max(0, alpha.data[y * rect.width + x]!)))
      }
  }
  return out
}

/** A part at its place in a picture of the frame's size that is 0 elsewhere. */
function spread(part: Bitmap, { x, y }: { x: number; y: number }, { width, height }: Omit<Rect, 'x' | 'y'>): Bitmap {
  const { channels } = part
  const data = new Uint16Array(width * height * channels)
  const row = part.width * channels
  for (let i = 0; i < part.height; i++)
    data.set(part.data.subarray(i * row, (i + 1) * row), ((y + i) * width + x) * channels)
  return { data, width, height, channels }
}

/**
 * [H, W, 3] an ST map: where each pixel of the frame finds its colour in a square picture. Red: 0 at its left edge, 1 at
 * its right one. Green: 0 at its lower edge, 1 at its upper one. Blue: 1 inside of it. All 0 outside.
 */
function stMap(frameToSquareMat: Affine, side: number, { width, height }: Omit<Rect, 'x' | 'y'>): Bitmap {
  const [a, b, tx, c, d, ty] = frameToSquareMat
  const data = new Uint16Array(width * height * 3)
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i += 3) {
      const u = (a * x + b * y + tx + 0.5) / side
      const v = 1 - (c * x + d * y + ty + 0.5) / side
      if (u < 0 || u > 1 || v < 0 || v > 1) continue
      data[i] = u * 65535 + 0.5
      data[i + 1] = v * 65535 + 0.5
      data[i + 2] = 65535
    }
  return { data, width, height, channels: 3 }
}
