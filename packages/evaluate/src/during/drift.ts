import { mouthOpening } from '@dfl/align'
import { distance } from '@dfl/core'
import type { FaceAnalysis, FaceTrack } from '../analysis.js'
import { distanceToSrc } from '../likeness.js'
import { sayPercent } from '../say-number.js'

/** Where a head is and what its mouth does. */
export interface PoseAndMouth {
  yawDegrees: number
  pitchDegrees: number
  /** As `mouthOpening` of @dfl/align. */
  mouth: number
}

/** DST faces whose swap is still, or again, taken for DST. */
export interface Drift {
  /** Places in the track, in its order. */
  fallen: readonly number[]
  /** Faces that were looked at. */
  faces: number
  /** What the fallen faces have in common, where they have something in common. */
  where?: { name: string; side: 'above' | 'below'; limit: number; srcFaces: number }
  /** For people. */
  sentence: string
}

/** Fallen faces lie beyond a limit, the others before it: so many more of the ones than of the others, as shares. */
const PARTED = 0.7
const LEAST_FALLEN = 2

const AXES: readonly {
  name: string
  of(face: PoseAndMouth): number
  say(limit: number): string
}[] = [
  { name: 'yaw', of: (face) => face.yawDegrees, say: (v) => `${Math.round(v)}°` },
  { name: 'pitch', of: (face) => face.pitchDegrees, say: (v) => `${Math.round(v)}°` },
  { name: 'mouth opening', of: (face) => face.mouth, say: sayPercent },
]

/**
 * Where the output falls back to DST: the DST faces whose swap is nearer to the DST face itself than to SRC's faces, what
 * they have in common, and how many faces SRC has there. Nothing where it is fewer than two, or nearly all: a model that
 * has not learnt SRC yet has not fallen back.
 *
 * @param tracks `swap` and `dst` of the same faces; `src` tells who SRC is.
 * @param srcFaces What all of SRC's faces do.
 */
export function driftToDst(
  { swap, dst, src }: { swap: FaceTrack; dst: FaceTrack; src: readonly Pick<FaceAnalysis, 'embedding'>[] },
  srcFaces: readonly PoseAndMouth[],
): Drift | undefined {
  const known = dst.flatMap((face, i) => {
    const swapped = swap[i]
    if (!face || !swapped) return []
    const fell = distance(swapped.embedding, face.embedding) < distanceToSrc(swapped.embedding, src)
    return [{ i, fell, does: { ...face.pose, mouth: mouthOpening(face.landmarks) } }]
  })
  const fallen = known.filter(({ fell }) => fell)
  if (fallen.length < LEAST_FALLEN || fallen.length > 0.8 * known.length) return undefined
  const common = AXES.flatMap((axis) =>
    (['above', 'below'] as const).map((side) => ({ axis, side, ...parting(known, axis.of, side) })),
  ).reduce((best, one) => (one.parted > best.parted + 1e-9 ? one : best))
  const begins = `The output falls back to DST in ${fallen.length} of ${known.length} faces looked at`
  const base = { fallen: fallen.map(({ i }) => i), faces: known.length }
  if (common.parted < PARTED)
    return { ...base, sentence: `${begins}, which have neither pose nor mouth in common: look at their light.` }
  const { axis, side, limit } = common
  const beyond = (face: PoseAndMouth) => (side === 'above' ? axis.of(face) > limit : axis.of(face) < limit)
  const there = srcFaces.filter(beyond).length
  const sign = side === 'above' ? '>' : '<'
  return {
    ...base,
    where: { name: axis.name, side, limit, srcFaces: there },
    sentence: `${begins}, those with ${axis.name} ${sign} ${axis.say(limit)}; SRC has ${there} of ${srcFaces.length} faces there.`,
  }
}

/** The limit that parts fallen faces from others best, and how well: 1 is cleanly. Source: Youden 1950, index J */
function parting(
  faces: readonly { fell: boolean; does: PoseAndMouth }[],
  of: (face: PoseAndMouth) => number,
  side: 'above' | 'below',
): { parted: number; limit: number } {
  const sign = side === 'above' ? 1 : -1
  const sorted = faces.map(({ fell, does }) => ({ fell, value: sign * of(does) })).sort((a, b) => b.value - a.value)
  const all = sorted.filter(({ fell }) => fell).length
  let best = { parted: 0, limit: 0 }
  let inside = 0
  for (let k = 0; k + 1 < sorted.length; k++) {
    if (sorted[k]!.fell) inside++
    const parted = inside / all - (k + 1 - inside) / (sorted.length - all)
    if (parted > best.parted) best = { parted, limit: (sign * (sorted[k]!.value + sorted[k + 1]!.value)) / 2 }
  }
  return best
}
