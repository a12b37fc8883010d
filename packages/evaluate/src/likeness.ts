import { eyeOpening, mouthOpening } from '@dfl/align'
import { DflError, distance, median } from '@dfl/core'
import { commonFrames, type FaceAnalysis, type FaceTrack } from './analysis.js'
import { correlation } from './statistics.js'

/** How many of SRC's faces, the nearest ones, a distance to SRC is the mean of. */
const NEAREST = 10

/** What `likeness` compares. All tracks show the same frames; `src` is any footage of SRC. */
export interface LikenessInput {
  /** The result's faces. */
  swap: FaceTrack
  /** DST's faces in the same frames. */
  dst: FaceTrack
  /** SRC's faces, in any order. */
  src: readonly Pick<FaceAnalysis, 'embedding'>[]
  /** What a perfect swap shows in the same frames, where that is known. Without it SRC's own spread stands for it. */
  truth?: FaceTrack
}

/** How much a swap looks like SRC and does what DST does. */
export interface Likeness {
  /** 0: as far from SRC as DST is; 1: as near as the true swap is. May lie outside 0..1. */
  identity: number
  /** Medians over the frames of the distance to SRC's faces, in units of the embedding. */
  distances: { swap: number; dst: number; perfect: number }
  /** What counts as perfect: the true swap, or how far SRC's faces are from SRC's other faces. */
  perfectIs: 'truth' | 'src'
  /** Share of frames, 0..1, whose face is nearer to SRC than to DST's face of the same frame. */
  nearerToSrc: number
  /** Pearson's correlation with DST over the clip; `undefined` where one of them never moves. */
  performance: { yaw?: number; mouth?: number; eyes?: number }
  /** Frames with a face in every track, which all numbers are of. */
  frames: number
  /** Share of DST's faces, 0..1, that are also found in the swap. */
  found: number
}

/**
 * How much a swap looks like SRC and does what DST does.
 *
 * The distance of a face to SRC is the mean L2 distance of its embedding to the 10 nearest of SRC's embeddings: near
 * ones show a similar pose, so pose weighs little, and ten of them outvote a wrong face among SRC's. A clip's distance is
 * the median over its frames, and `identity` places the swap's on the line from DST's (0) to the perfect swap's (1).
 *
 * @throws DflError `BAD_SHAPE` when tracks differ in length, `NO_FACES` when there is nothing to compare.
 */
export function likeness({ swap, dst, src, truth }: LikenessInput): Likeness {
  if (src.length < 2)
    throw new DflError(
      'NO_FACES',
      `Expected at least 2 faces for \`src\`, but got ${src.length}. Extract faces from SRC's footage first.`,
      { data: { got: src.length } },
    )
  const rows = commonFrames(truth ? { swap, dst, truth } : { swap, dst })
  const toSrc = (face: FaceAnalysis) => distanceToSrc(face.embedding, src)
  const swapDistances = rows.map(([face]) => toSrc(face!))
  const distances = {
    swap: median(swapDistances),
    dst: median(rows.map(([, face]) => toSrc(face!))),
    perfect: truth
      ? median(rows.map(([, , face]) => toSrc(face!)))
      : median(src.map(({ embedding }, self) => distanceToSrc(embedding, src, self))),
  }
  const nearer = rows.filter(([s, d], i) => swapDistances[i]! < distance(s!.embedding, d!.embedding)).length
  const follows = (of: (face: FaceAnalysis) => number) =>
    correlation(
      rows.map(([face]) => of(face!)),
      rows.map(([, face]) => of(face!)),
    )
  const dstFaces = dst.filter((face) => face !== undefined).length
  return {
    identity: (distances.dst - distances.swap) / (distances.dst - distances.perfect),
    distances,
    perfectIs: truth ? 'truth' : 'src',
    nearerToSrc: nearer / rows.length,
    performance: {
      yaw: follows((face) => face.pose.yawDegrees),
      mouth: follows((face) => mouthOpening(face.landmarks)),
      eyes: follows((face) => eyeOpening(face.landmarks)),
    },
    frames: rows.length,
    found: dst.filter((face, i) => face !== undefined && swap[i] !== undefined).length / dstFaces,
  }
}

/** Mean distance to the ten nearest of SRC's faces, leaving out the one at `self`. */
export function distanceToSrc(
  embedding: ArrayLike<number>,
  src: readonly Pick<FaceAnalysis, 'embedding'>[],
  self = -1,
): number {
  const all = new Float64Array(src.length - (self >= 0 ? 1 : 0))
  let n = 0
  for (let i = 0; i < src.length; i++) if (i !== self) all[n++] = distance(embedding, src[i]!.embedding)
  const nearest = all.sort().subarray(0, NEAREST)
  return nearest.reduce((sum, d) => sum + d, 0) / nearest.length
}
