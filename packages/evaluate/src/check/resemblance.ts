import { hullMask, imageToFaceMat } from '@dfl/align'
import type { Landmarks, Pixels } from '@dfl/core'
import { applyAffineAll, meanAndStd, warpAffine } from '@dfl/image'
import { graySsim } from '../image-error.js'
import type { Coverage } from './coverage.js'
import { evenly } from './evenly.js'
import type { FaceTraits } from './traits.js'

/** A face as it was cut out, small enough to keep those of a whole clip. */
export interface FacePicture {
  /** [side, side] 0..255. */
  luma: Uint8Array
  side: number
  /** In pixels of it. */
  landmarks: Landmarks
}

/** Side of the square in which faces are compared, in pixels: of a full face, whatever was cut out. */
const SIDE = 96

/** Faces of DST that are compared, evenly chosen. */
const MOST = 120

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
  const pictures = { src: laidOut(src), dst: laidOut(dst) }
  let [sum, count] = [0, 0]
  for (const { dst: name, src: theirs } of evenly(nearest, MOST)) {
    const [to, from] = [pictures.dst(name), pictures.src(theirs[0] ?? '')]
    const like = to && from && likePicture(from, to)
    if (like === undefined) continue
    sum += like
    count++
  }
  return count === 0 ? 0 : sum / count
}

/** A face in the square that is compared. */
interface LaidOut {
  gray: Pixels
  landmarks: Landmarks
}

/** Faces by name, each laid out when first asked for: few of a clip ever are. */
function laidOut(faces: readonly FaceTraits[]): (name: string) => LaidOut | undefined {
  const pictures = new Map(faces.map((face) => [face.filename, face.picture]))
  const made = new Map<string, LaidOut>()
  return (name) => {
    const picture = pictures.get(name)
    if (picture && !made.has(name)) made.set(name, layOut(picture))
    return made.get(name)
  }
}

function layOut({ luma, side, landmarks }: FacePicture): LaidOut {
  const mat = imageToFaceMat(landmarks, 'full_face', SIDE)
  const gray: Pixels = { data: Float32Array.from(luma, (v) => v / 255), width: side, height: side, channels: 1 }
  return {
    gray: warpAffine(gray, mat, { width: SIDE, height: SIDE }, { border: 'replicate' }),
    landmarks: applyAffineAll(mat, landmarks),
  }
}

/** SSIM of two faces inside the second, after the first got its mean and contrast; nothing where landmarks hold no area. */
function likePicture(from: LaidOut, to: LaidOut): number | undefined {
  const [inA, inB] = [hullMask(from.landmarks, SIDE), hullMask(to.landmarks, SIDE)]
  if ([inA, inB].some(({ data }) => data.every((v) => v === 0))) return undefined
  const [own, wanted] = [meanAndStd(from.gray, inA), meanAndStd(to.gray, inB)]
  const scale = wanted.std[0] / Math.max(own.std[0], 1e-3)
  const data = from.gray.data.map((v) => (v - own.mean[0]) * scale + wanted.mean[0])
  return graySsim({ ...from.gray, data }, to.gray, inB)
}
