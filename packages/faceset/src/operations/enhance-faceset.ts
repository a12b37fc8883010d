import { type Bitmap, DflError, type Pixels } from '@dfl/core'
import { createPixels, crop, resize, toPixels } from '@dfl/image'
import type { Faceset } from '../faceset.js'
import type { FacesetProgress } from '../pack/pack-faceset.js'
import { copyFaces } from './copy-faces.js'

/** Makes a picture finer: [h, w, 3] float32 0..1 in, [k·h, k·w, 3] out, k the same whole number for every picture. */
export type Enhancer = (picture: Pixels) => Promise<Pixels>

/** How faces are enhanced. */
export interface EnhanceOptions {
  /** Says which enhancer it is: only the same goes on in a folder that was begun. */
  name: string
  /** Side of the square pieces that the enhancer is given, in pixels; 0 gives it whole faces. */
  tileSize?: number
  /** Side of the enhanced faces, in pixels; what the enhancer makes of them is scaled to it. As before if not given. */
  size?: number
}

/**
 * Makes the faces of a faceset finer with a super-resolution network of the user, into a new faceset. Walk it to make it
 * work, stop it and call it again as often as you like.
 *
 * Large faces go through in pieces that overlap by half and are blended, so that no seams show.
 */
export function enhanceFaceset(
  faceset: Faceset,
  folder: string,
  enhance: Enhancer,
  { name, tileSize = 0, size = faceset.info.size }: EnhanceOptions,
): AsyncGenerator<FacesetProgress> {
  return copyFaces([faceset], folder, {
    recipe: { operation: 'enhance', name, tileSize, size },
    size,
    newImages: true,
    change: async (face, from) => {
      const finer = await enhanceTiled(await from.readImage(face), enhance, tileSize)
      const image = resize(finer, { width: size, height: size }, { filter: 'lanczos3' })
      const k = size / face.size
      const shift = (k - 1) / 2
      const grow = ([x, y]: readonly [number, number]) => [k * x + shift, k * y + shift] as const
      const [a, b, tx, c, d, ty] = face.imageToFaceMat
      return {
        face: {
          ...face,
          size,
          landmarks: face.landmarks.map(grow),
          imageToFaceMat: [k * a, k * b, k * tx + shift, k * c, k * d, k * ty + shift],
          ...(face.polygons && { polygons: face.polygons.map((one) => ({ ...one, points: one.points.map(grow) })) }),
        },
        image,
      }
    },
  })
}

/** The picture through `enhance`, in overlapping pieces where it is larger than one. */
async function enhanceTiled(image: Bitmap, enhance: Enhancer, tileSize: number): Promise<Pixels> {
  const picture = toPixels(image)
  const { width } = picture
  if (tileSize <= 0 || tileSize >= width) return checked(await enhance(picture), width)
  const step = Math.floor(tileSize / 2)
  const starts = Array.from({ length: Math.ceil((width - tileSize) / step) + 1 }, (_, i) =>
    Math.min(i * step, width - tileSize),
  )
  let sum: Pixels | undefined
  let weights = new Float32Array()
  let k = 1
  for (const y of starts)
    for (const x of starts) {
      const finer = checked(await enhance(crop(picture, { x, y, width: tileSize, height: tileSize })), tileSize)
      k = finer.width / tileSize
      sum ??= createPixels(width * k, width * k, 3)
      if (weights.length === 0) weights = new Float32Array(sum.width * sum.width)
      addTent(sum, weights, finer, x * k, y * k)
    }
  if (!sum) return picture
  for (let i = 0; i < sum.data.length; i++) sum.data[i]! /= weights[Math.floor(i / 3)]!
  return sum
}

/** Adds a piece with weights that fall from its middle to its edges. */
function addTent(sum: Pixels, weights: Float32Array, piece: Pixels, x0: number, y0: number): void {
  const side = piece.width
  const tent = Float32Array.from({ length: side }, (_, i) => Math.min(i + 0.5, side - i - 0.5) / side + 1e-3)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const at = (y + y0) * sum.width + x + x0
      const weight = tent[x]! * tent[y]!
      weights[at]! += weight
      for (let c = 0; c < 3; c++) sum.data[at * 3 + c]! += weight * piece.data[(y * side + x) * 3 + c]!
    }
}

function checked(finer: Pixels, side: number): Pixels {
  const k = finer.width / side
  if (finer.width === finer.height && finer.channels === 3 && Number.isInteger(k)) return finer
  throw new DflError(
    'BAD_SHAPE',
    `Expected a square whose side is a whole multiple of ${side} px, with 3 channels, from \`enhance\`, but got ` +
      `${finer.width} x ${finer.height} of ${finer.channels}. Use a super-resolution network for RGB pictures.`,
  )
}
