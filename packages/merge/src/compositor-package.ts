import { join } from 'node:path'
import type { Affine, Bitmap, Pixels, Point, Rect } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import { applyAffine, invertAffine, multiplyAffine, translation } from '@dfl/image'
import { encodeSamples, type Frame, type ImageSamples, ownChange, type VideoInfo } from '@dfl/media'
import { type MergeFace, squareMat } from './merge-face.js'
import type { MergeOptions } from './merge-options.js'
import type { MergedClipFrame } from './merged-frames.js'

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
  frame: Frame
  /** The clip that it is of. */
  info: VideoInfo
  settings: Partial<MergeOptions>
  merged?: NonNullable<MergedClipFrame['merged']>
}

/**
 * Writes a frame into a package from which a compositor rebuilds the merge: `face + (1 − mask) · frame`, exactly.
 *
 * `face/` holds what is added, premultiplied, and the mask as alpha; `mask/` the mask alone; `painted/` each face as the model
 * painted it and the stages left it, upright; `stmap/` where each pixel of the frame finds it there. All but `painted` have
 * the frame's size. They are PNG of 16 bits, or EXR of 32-bit floats where the frame holds floats, in the frame's own values.
 * The colours under the mask are the final ones, so that modes that are more than an overlay, such as seamless, come out as well.
 */
export async function packageFrame(
  folder: string,
  { frame, info, settings, merged }: FrameToPackage,
): Promise<PackagedFrame> {
  const { index, timestampSeconds } = frame
  if (!merged) return { frame: index, timestampSeconds, faces: [], settings, files: [] }
  const { part, bitmap, layers, rects } = merged
  const number = String(index).padStart(6, '0')
  const place = { x: part.x, y: part.y }
  const { before, after, ownValues } = await ownChange(frame, { bitmap, rects, ...place }, info)
  const { face, mask } = overOf(before, after, layers)
  const floats = face.data instanceof Float32Array
  const files: string[] = []
  const write = async (kind: string, name: string, image: ImageSamples) => {
    const file = `${kind}/${name}.${floats ? 'exr' : 'png'}`
    files.push(join(folder, file))
    await writeFileAtomic(join(folder, file), await encodeSamples(image, floats ? 'exr' : 'png'))
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
          painted: await write('painted', name, ownValues(wordsOf(painted))),
          stmap: await write('stmap', name, stMap(frameToPaintedMat, painted.width, { size: frame, floats })),
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
 * What laid over `before` gives `after` to the last bit: [H, W, 4] premultiplied colour and alpha, and [H, W, 1] the alpha;
 * floats for floats, words for all others.
 *
 * The alpha is that of the layers; where rounding to the frame's depth took away more than an over can, it is a little more.
 */
export function overOf(
  before: ImageSamples,
  after: ImageSamples,
  layers: readonly Pick<MergeFace, 'patch'>[],
): { face: ImageSamples; mask: ImageSamples } {
  const { width, height, channels } = before
  const size = { width, height }
  const share = alphaOf(layers, size)
  const floats = before.data instanceof Float32Array
  const make = (length: number) => (floats ? new Float32Array(length) : new Uint16Array(length))
  const [face, mask] = [make(width * height * 4), make(width * height)]
  const full = before.data instanceof Uint16Array ? 65535 : 255
  const { step, rounded, least, rest, over } = floats ? FLOATS : wordsOver(full)
  for (let p = 0; p < mask.length; p++) {
    let alpha = rounded(share[p]!)
    let same = alpha === 0
    const at = (c: number) => p * channels + (channels < 3 ? 0 : c)
    for (let c = 0; c < 3; c++) {
      const [was, is] = [before.data[at(c)]!, after.data[at(c)]!]
      if (!Object.is(was, is)) same = false
      // What is left of the frame must not be more than the result.
      alpha = Math.max(alpha, least(was, is, alpha))
    }
    if (same) continue
    if (alpha === 0) alpha = rounded(1) // The stages changed a pixel outside of every mask.
    for (let tries = 0, exact = false; !exact && tries < TRIES; tries++) {
      if (tries > 0) alpha = tries < TRIES - 1 ? Math.min(rounded(1), alpha + step) : rounded(1)
      face[p * 4 + 3] = mask[p] = alpha
      alpha = mask[p]!
      exact = true
      for (let c = 0; c < 3; c++) {
        const [was, is] = [before.data[at(c)]!, after.data[at(c)]!]
        face[p * 4 + c] = rest(was, is, alpha)
        if (over(face[p * 4 + c]!, was, alpha) !== is) exact = false
      }
    }
  }
  return { face: { data: face, ...size, channels: 4 }, mask: { data: mask, ...size, channels: 1 } }
}

/** How many alphas are tried for a pixel, the last of them 1: with one in a hundred, a sum of floats rounds past the result. */
const TRIES = 16

/** How the numbers of a package are worked out, in the arithmetic in which it will be put together. */
interface Arithmetic {
  /** A little more alpha. */
  step: number
  /** An alpha of 0..1 as it is stored. */
  rounded(share: number): number
  /** The least alpha with which no more than `is` is left of `was`. */
  least(was: number, is: number, alpha: number): number
  /** What added to what is left of `was` gives `is`. */
  rest(was: number, is: number, alpha: number): number
  /** What a compositor gets. */
  over(face: number, was: number, alpha: number): number
}

/** Of samples 0..`full`, in 16-bit words; what is put together is rounded to the samples at the end. */
const wordsOver = (full: number): Arithmetic => ({
  step: 1,
  rounded: (share) => Math.round(share * 65535),
  least: (was, is, alpha) => (is * 65535 < (65535 - alpha) * was ? 65535 - Math.floor((65535 * is) / was) : alpha),
  rest: (was, is, alpha) => Math.max(0, Math.round((65535 * is - (65535 - alpha) * was) / full)),
  over: (face, was, alpha) => Math.round((face * full + (65535 - alpha) * was) / 65535),
})

const { fround } = Math
const leftOf = (was: number, alpha: number) => fround(fround(1 - alpha) * was)

/** Of 32-bit floats of any size; each step is rounded as machines do. */
const FLOATS: Arithmetic = {
  step: 1.37e-5,
  rounded: fround,
  least(was, is, alpha) {
    if (was === is || was === 0) return alpha
    // Of what is below black nothing may be left: the difference would lose digits.
    if (!(was > 0 && is > 0)) return 1
    return leftOf(was, alpha) <= is ? alpha : Math.min(1, fround(1 - is / was + 2 ** -23))
  },
  rest: (was, is, alpha) => (Number.isFinite(was) ? fround(is - leftOf(was, alpha)) : 0),
  over: (face, was, alpha) => fround(face + leftOf(was, alpha)),
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
function spread(part: ImageSamples, { x, y }: { x: number; y: number }, size: Omit<Rect, 'x' | 'y'>): ImageSamples {
  const { width, height } = size
  const { channels } = part
  const length = width * height * channels
  const data = part.data instanceof Float32Array ? new Float32Array(length) : new Uint16Array(length)
  const row = part.width * channels
  for (let i = 0; i < part.height; i++)
    data.set(part.data.subarray(i * row, (i + 1) * row), ((y + i) * width + x) * channels)
  return { data, width, height, channels }
}

/** Display-referred floats as 16-bit words. */
const wordsOf = ({ data, ...rest }: Pixels): Bitmap => ({
  ...rest,
  data: Uint16Array.from(data, (value) => Math.min(1, Math.max(0, value)) * 65535 + 0.5),
})

/**
 * [H, W, 3] an ST map: where each pixel of the frame finds its colour in a square picture. Red: 0 at its left edge, 1 at
 * its right one. Green: 0 at its lower edge, 1 at its upper one. Blue: 1 inside of it. All 0 outside.
 */
function stMap(
  frameToSquareMat: Affine,
  side: number,
  { size: { width, height }, floats }: { size: Omit<Rect, 'x' | 'y'>; floats: boolean },
): ImageSamples {
  const [a, b, tx, c, d, ty] = frameToSquareMat
  const data = floats ? new Float32Array(width * height * 3) : new Uint16Array(width * height * 3)
  const [one, half] = floats ? [1, 0] : [65535, 0.5]
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i += 3) {
      const u = (a * x + b * y + tx + 0.5) / side
      const v = 1 - (c * x + d * y + ty + 0.5) / side
      if (u < 0 || u > 1 || v < 0 || v > 1) continue
      data[i] = u * one + half
      data[i + 1] = v * one + half
      data[i + 2] = one
    }
  return { data, width, height, channels: 3 }
}
