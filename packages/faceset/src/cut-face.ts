import { eyesMouthMask, imageToFaceMat } from '@dfl/align'
import type { Affine, Bitmap, FaceMeta, FaceType, Landmarks } from '@dfl/core'
import { applyAffineAll, multiplyAffine, warpAffine } from '@dfl/image'
import { REACH } from './augment.js'
import { faceMask } from './face-mask.js'

/**
 * Pixels of a cut for each pixel of the model. One bilinear sampling of a cut this dense comes closest to a Lanczos
 * resampling of the aligned image itself, and keeps its gradients' energy; a sparser one blurs, a denser one aliases.
 */
const DENSITY = 1.4

/** How a sampler cuts its faces. */
export interface CutSpec {
  /** The model's face type and side in pixels. */
  faceType: FaceType
  resolution: number
  /** Whether the aligned images show more than `faceType`, so that a turned sample finds something beyond its edges. */
  wider: boolean
  eyesMouth: boolean
}

/**
 * A face ready for sampling: `side` x `side` pixels of red, green, blue and mask, one byte each, and behind them
 * `side` x `side` bytes of the eyes-and-mouth mask if the spec asks for it. Shared memory, so that any thread can read it.
 */
export type FaceCut = SharedArrayBuffer

/** Side of a cut, in pixels. */
export const cutSide = ({ resolution, wider }: CutSpec): number =>
  Math.ceil(resolution * DENSITY * (wider ? REACH : 1) - 1e-9)

/** Size of a cut in memory. */
export const cutBytes = (spec: CutSpec): number => cutSide(spec) ** 2 * (spec.eyesMouth ? 5 : 4)

/** Pixels of the face cropped to the model's face type → pixels of the cut. Both have the same centre. */
export function faceToCutMat(spec: CutSpec): Affine {
  const shift = (cutSide(spec) - 1) / 2 - (DENSITY * (spec.resolution - 1)) / 2
  return [DENSITY, 0, shift, 0, DENSITY, shift]
}

/** A face with all that cutting it needs. */
export interface CutInput extends Pick<FaceMeta, 'landmarks' | 'polygons' | 'eyebrowsExpandMod'> {
  /** The aligned image, [S, S, 3]. */
  image: Bitmap
  /** The face's own mask, [M, M, 1]. */
  mask?: Bitmap
}

/** An aligned image cut for sampling. */
export function cutFace({ image, mask, ...shape }: CutInput, spec: CutSpec): FaceCut {
  const { landmarks } = shape
  const side = cutSide(spec)
  const size = { width: side, height: side }
  const alignedToFaceMat = imageToFaceMat(landmarks, spec.faceType, spec.resolution)
  const alignedToCutMat = multiplyAffine(faceToCutMat(spec), alignedToFaceMat)
  const face = warpAffine(image, alignedToCutMat, size, { interpolation: 'lanczos3', border: 'replicate' })
  const cutLandmarks = applyAffineAll(alignedToCutMat, landmarks)
  const covered = faceMask({ ...shape, size: image.width }, { mask, alignedToOutputMat: alignedToCutMat, size })
  const cut = new SharedArrayBuffer(cutBytes(spec))
  const bytes = new Uint8ClampedArray(cut) // Clamps and rounds.
  for (let i = 0; i < side * side; i++) {
    bytes[i * 4] = face.data[i * 3] * 255
    bytes[i * 4 + 1] = face.data[i * 3 + 1] * 255
    bytes[i * 4 + 2] = face.data[i * 3 + 2] * 255
    bytes[i * 4 + 3] = covered.data[i] * 255
  }
  if (spec.eyesMouth) writeEyesMouth(bytes.subarray(side * side * 4), side, cutLandmarks, spec)
  return cut
}

/** Draws eyes and mouth into a plane of the cut. Their softness follows the model's crop, not the margin around it. */
function writeEyesMouth(plane: Uint8ClampedArray, side: number, cutLandmarks: Landmarks, spec: CutSpec): void {
  const inner = cutSide({ ...spec, wider: false })
  const margin = (side - inner) >> 1
  const mask = eyesMouthMask(
    cutLandmarks.map(([x, y]) => [x - margin, y - margin] as const),
    inner,
  )
  for (let y = 0; y < inner; y++)
    for (let x = 0; x < inner; x++) plane[(y + margin) * side + x + margin] = mask.data[y * inner + x] * 255
}
