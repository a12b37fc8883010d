import { hullMask, imageToFaceMat } from '@dfl/align'
import type { Landmarks, Pixels } from '@dfl/core'
import { applyAffineAll, meanAndStd, warpAffine } from '@dfl/image'
import { graySsim } from '../image-error.js'
import type { Coverage } from './coverage.js'
import { evenly } from './evenly.js'
import type { FaceTraits } from './traits.js'

/** A face, small enough to keep those of a whole clip: luma 0..255 and landmarks in it, in a square of `PICTURE_SIDE`. */
export interface FacePicture {
  luma: Uint8Array
  landmarks: Landmarks
}

/** Side of the square in which faces are compared, in pixels: of a full face, whatever was cut out. */
export const PICTURE_SIDE = 96

/** Faces of DST that are compared, evenly chosen. */
const MOST = 120

/** @param gray [S, S, 1], an aligned face. @param landmarks In pixels of `gray`. */
export function facePicture(gray: Pixels, landmarks: Landmarks): FacePicture {
  const mat = imageToFaceMat(landmarks, 'full_face', PICTURE_SIDE)
  const size = { width: PICTURE_SIDE, height: PICTURE_SIDE }
  const { data } = warpAffine(gray, mat, size, { border: 'replicate' })
  return { luma: Uint8Array.from(data, (v) => Math.round(255 * v)), landmarks: applyAffineAll(mat, landmarks) }
}

/**
 * How much DST's faces look like the SRC face that is most like each in pose, expression and light: mean SSIM inside the
 * face, of gray pictures whose mean and contrast were made equal. What is not alike a network has to change: features and
 * their places, lines and relief, and all that SRC does not show.
 *
 * @param nearest As `coverage` tells it. @returns −1..1, about 0.5 to 0.8 for pairs of people; 0 where there is nothing to compare.
 * Source: SSIM as `imageError`; that it tells the result: docs/design/insight.md.
 */
export function resemblance(
  src: readonly FaceTraits[],
  dst: readonly FaceTraits[],
  { nearest }: Pick<Coverage, 'nearest'>,
): number {
  const byName = (faces: readonly FaceTraits[]) => new Map(faces.map((face) => [face.filename, face.picture]))
  const pictures = { src: byName(src), dst: byName(dst) }
  let [sum, count] = [0, 0]
  for (const { dst: name, src: theirs } of evenly(nearest, MOST)) {
    const [to, from] = [pictures.dst.get(name), pictures.src.get(theirs[0] ?? '')]
    const like = to && from && likePicture(from, to)
    if (like === undefined) continue
    sum += like
    count++
  }
  return count === 0 ? 0 : sum / count
}

/** SSIM of two faces inside the second, after the first got its mean and contrast; nothing where landmarks hold no area. */
function likePicture(from: FacePicture, to: FacePicture): number | undefined {
  const [a, b] = [raster(from), raster(to)]
  const [inA, inB] = [hullMask(from.landmarks, PICTURE_SIDE), hullMask(to.landmarks, PICTURE_SIDE)]
  if ([inA, inB].some(({ data }) => data.every((v) => v === 0))) return undefined
  const [own, wanted] = [meanAndStd(a, inA), meanAndStd(b, inB)]
  const scale = wanted.std[0] / Math.max(own.std[0], 1e-3)
  return graySsim({ ...a, data: a.data.map((v) => (v - own.mean[0]) * scale + wanted.mean[0]) }, b, inB)
}

const raster = ({ luma }: FacePicture): Pixels => ({
  data: Float32Array.from(luma, (v) => v / 255),
  width: PICTURE_SIDE,
  height: PICTURE_SIDE,
  channels: 1,
})
