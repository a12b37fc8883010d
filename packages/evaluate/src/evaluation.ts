import { hullMask, imageToFaceMat } from '@dfl/align'
import type { Landmarks, Pixels } from '@dfl/core'
import { dilate, erode, rgbToGray, warpAffine } from '@dfl/image'
import type { FaceAnalysis, FaceTrack } from './analysis.js'
import { blurEffect } from './check/blur-effect.js'
import { type ImageError, imageError } from './image-error.js'
import { type Jitter, jitter } from './jitter.js'
import { type Likeness, likeness } from './likeness.js'
import { borderGrain } from './metrics/border-grain.js'
import { flicker, flickerCells } from './metrics/flicker.js'
import { type IdentityMetrics, identityMetrics } from './metrics/identity.js'
import { colorDifference, gmsd, uncoveredArea } from './metrics/perceptual.js'
import { type PerformanceError, performanceError } from './metrics/performance-error.js'
import { SEAM_VIEW, seamStep } from './metrics/seam.js'

/** How far a swap is from the true one inside the face. */
export interface TruthError extends ImageError {
  gmsd: number
  /** ΔE*ab. */
  color: number
}

/** What the pictures of one frame say. */
export interface FrameMetrics {
  /** How far the result is from the truth inside the face, where that is known. */
  truth?: TruthError
  /** The same after the truth's face was laid on DST's by its own landmarks. */
  truthFace?: TruthError
  /** ΔE*ab of the step at the edge of what the swap changed, wherever it lies: see `seamStep`. */
  borderColor: number
  grain: number
  /** Share of DST's face that still is DST. */
  uncovered: number
  /** How blurred the middle of the face is, 0 sharp .. 1: see `blurEffect`. */
  blur: { result: number; dst: number }
  /** For `flicker`. */
  cells: { result: Float32Array; dst: Float32Array }
}

/** Side of the square in which a face's pictures are compared. */
const SIDE = 160

/** Side of the square from brows to chin whose sharpness is told: as `dfl check` looks at faces. */
const BLUR_SIDE = 128

/**
 * What the pictures of one frame say of a swap.
 *
 * @param pictures The same frame of the result, of DST, and of the true swap where it is known: [H, W, 3] each.
 * The truth is compared twice. As it is, the size and the place of its head count, which a swap into DST's head cannot have:
 * over 24 rendered pairs SSIM went with these at −0.95. Laid on DST's face, what was painted counts alone.
 *
 * @param landmarks Of DST, in pixels of the frame.
 * @param truthLandmarks Of the truth, where its face shall be laid on DST's; found or exact as those of DST are.
 */
export function frameMetrics(
  pictures: { result: Pixels; dst: Pixels; truth?: Pixels },
  landmarks: Landmarks,
  truthLandmarks?: Landmarks,
): FrameMetrics {
  const mat = imageToFaceMat(landmarks, 'whole_face', SIDE)
  const size = { width: SIDE, height: SIDE }
  const cut = (picture: Pixels, by = mat) => warpAffine(picture, by, size, { border: 'replicate' })
  const [result, dst] = [cut(pictures.result), cut(pictures.dst)]
  const errorTo = (truth: Pixels): TruthError => ({
    ...imageError(result, truth, face),
    gmsd: gmsd(result, truth, face),
    color: colorDifference(result, truth, face),
  })
  const [a, b, tx, c, d, ty] = mat
  const face = hullMask(
    landmarks.map(([x, y]) => [a * x + b * y + tx, c * x + d * y + ty] as const),
    size,
  )
  const band = (outer: Pixels, inner: Pixels): Pixels => ({
    ...outer,
    data: outer.data.map((v, i) => Math.max(0, v - inner.data[i])),
  })
  const width = SIDE / 16
  const bands = { inside: band(face, erode(face, width)), outside: band(dilate(face, width), face) }
  const middle = imageToFaceMat(landmarks, 'half_face', BLUR_SIDE)
  const blurOf = (picture: Pixels) =>
    blurEffect(rgbToGray(warpAffine(picture, middle, { width: BLUR_SIDE, height: BLUR_SIDE }, { border: 'replicate' })))
  return {
    ...(pictures.truth ? { truth: errorTo(cut(pictures.truth)) } : {}),
    ...(pictures.truth && truthLandmarks
      ? { truthFace: errorTo(cut(pictures.truth, imageToFaceMat(truthLandmarks, 'whole_face', SIDE))) }
      : {}),
    borderColor: seamIn(pictures, landmarks),
    grain: borderGrain(result, dst, bands),
    uncovered: uncoveredArea(result, dst, face),
    blur: { result: blurOf(pictures.result), dst: blurOf(pictures.dst) },
    cells: { result: flickerCells(result), dst: flickerCells(dst) },
  }
}

/** The step at the edge of what changed, in a cut that is wide enough for masks larger than the face. */
function seamIn({ result, dst }: { result: Pixels; dst: Pixels }, landmarks: Landmarks): number {
  const { faceType, size, scale } = SEAM_VIEW
  const mat = imageToFaceMat(landmarks, faceType, size, { scale })
  const [wideResult, wideDst] = [result, dst].map((picture) =>
    warpAffine(picture, mat, { width: size, height: size }, { border: 'replicate' }),
  )
  const chin = landmarks[8]![1]
  const faceWidth = Math.abs(landmarks[16]![0] - landmarks[0]![0])
  return seamStep(wideResult!, wideDst!, dst.height - chin > faceWidth / 8)
}

/** Everything that is measured of a merged clip. */
export interface Evaluation {
  likeness: Likeness
  identity: IdentityMetrics
  performance: PerformanceError
  /** The same of the true swap, where it is known: what is left when all is perfect. */
  truthPerformance?: PerformanceError
  /** Means over the frames. */
  picture: {
    truth?: TruthError
    truthFace?: TruthError
    borderColor: number
    grain: number
    uncovered: number
    blur: { result: number; dst: number }
  }
  /** Trembling of brightness and of landmarks, of the whole clip and of each shot. */
  steadiness: { flicker: number; jitter: Jitter }
  /** Shots without a face are left out. */
  shots: readonly { firstFrame: number; frames: number; flicker: number; jitter: number }[]
  /** By DST's people, the one with most frames first; where DST has several. */
  people?: readonly { frames: number; identity: IdentityMetrics }[]
  frames: number
  framesWithFace: number
}

/** What was read of a clip, frame by frame. */
export interface EvaluationInput {
  swap: FaceTrack
  dst: FaceTrack
  truth?: FaceTrack
  src: readonly { embedding: readonly number[] }[]
  frames: readonly (FrameMetrics | undefined)[]
  /** Index in `frames` of the first frame of each shot; one shot if not given. */
  shotStarts?: readonly number[]
  /** Number of DST's person in each frame, where there are several. */
  personOfFrame?: readonly (number | undefined)[]
}

/**
 * Everything that is measured of a merged clip, from what was read of each of its frames.
 *
 * @throws DflError `BAD_SHAPE` when tracks differ in length, `NO_FACES` when there is nothing to compare.
 */
export function evaluation(input: EvaluationInput): Evaluation {
  const { swap, dst, truth, src, frames, shotStarts = [0], personOfFrame } = input
  const told = frames.filter((frame) => frame !== undefined)
  const mean = (of: (frame: FrameMetrics) => number) => told.reduce((sum, frame) => sum + of(frame), 0) / told.length
  const faces = (track: FaceTrack, of: (i: number) => boolean = () => true) =>
    track.filter((face, i): face is FaceAnalysis => face !== undefined && of(i))
  const identityIn = (of?: (i: number) => boolean) =>
    identityMetrics({ swap: faces(swap, of), src, dst: faces(dst, of) })
  const between = (from: number, to: number) => {
    const part = frames.slice(from, to)
    return {
      flicker: flicker(
        part.map((frame) => frame?.cells.result),
        part.map((frame) => frame?.cells.dst),
      ).percent,
      jitter: jitter(swap.slice(from, to), dst.slice(from, to)),
    }
  }
  const whole = between(0, frames.length)
  return {
    likeness: likeness({ swap, dst, src, ...(truth ? { truth } : {}) }),
    identity: identityIn(),
    performance: performanceError(swap, dst),
    ...(truth ? { truthPerformance: performanceError(truth, dst) } : {}),
    picture: {
      ...meanTruth('truth', told),
      ...meanTruth('truthFace', told),
      borderColor: mean((frame) => frame.borderColor),
      grain: mean((frame) => frame.grain),
      uncovered: mean((frame) => frame.uncovered),
      blur: { result: mean((frame) => frame.blur.result), dst: mean((frame) => frame.blur.dst) },
    },
    steadiness: { flicker: whole.flicker, jitter: whole.jitter },
    shots: shotStarts.flatMap((from, shot) => {
      const to = shotStarts[shot + 1] ?? frames.length
      if (!frames.slice(from, to).some((frame) => frame)) return []
      const { flicker: trembling, jitter: moving } = between(from, to)
      return [{ firstFrame: from, frames: to - from, flicker: trembling, jitter: moving.added }]
    }),
    ...(personOfFrame ? { people: peopleOf(personOfFrame, identityIn) } : {}),
    frames: frames.length,
    framesWithFace: told.length,
  }
}

/** Means over the frames that have it; nothing where none has. */
function meanTruth(
  which: 'truth' | 'truthFace',
  frames: readonly FrameMetrics[],
): Partial<Record<typeof which, TruthError>> {
  const known = frames.flatMap((frame) => frame[which] ?? [])
  if (known.length === 0) return {}
  const mean = (of: (one: TruthError) => number) => known.reduce((sum, one) => sum + of(one), 0) / known.length
  const means: TruthError = {
    mae: mean((e) => e.mae),
    psnr: mean((e) => Math.min(100, e.psnr)),
    ssim: mean((e) => e.ssim),
    gmsd: mean((e) => e.gmsd),
    color: mean((e) => e.color),
  }
  return { [which]: means }
}

function peopleOf(
  personOfFrame: readonly (number | undefined)[],
  identityIn: (of: (i: number) => boolean) => IdentityMetrics,
): NonNullable<Evaluation['people']> {
  const people = [...new Set(personOfFrame.filter((person) => person !== undefined))]
  return people
    .map((person) => ({
      frames: personOfFrame.filter((one) => one === person).length,
      identity: identityIn((i) => personOfFrame[i] === person),
    }))
    .sort((a, b) => b.frames - a.frames)
}
