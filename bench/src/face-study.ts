import { hashSeed, Random } from '@dfl/core'
import type { Axis } from '@dfl/evaluate'
import { MATCHED_PAIRS } from '@dfl/synth'
import type { FaceResult } from './by-face.js'
import { type Normal, normalOf, solveNormal } from './fit.js'

/** What of a swap is held against the true one. */
export type FaceError = 'what it does' | 'SSIM' | 'identity'

/** How much worse faces are that lie so far from SRC's. */
export interface RingExcess {
  axis: Axis
  error: FaceError
  /** The ring: from this distance to its double, in the axis's unit. */
  distance: number
  /** Faces in it, and pairs that they are of. */
  faces: number
  pairs: number
  /** What their error is above that of near faces, all else held, in standard deviations; and the interval of 95 %. */
  excess: number
  low: number
  high: number
}

/** What the study says of one axis. */
export interface AxisFinding {
  axis: Axis
  rings: readonly RingExcess[]
  /** The first ring whose excess counts, as that of the next one out does. Nothing where none does. */
  told?: RingExcess
}

/** The distances that are tried, in the unit of each axis: each about 1.4 times the one before. */
export const TRIED: Readonly<Record<Axis, readonly number[]>> = {
  yaw: [3, 4, 6, 8, 12, 17, 24],
  pitch: [2, 3, 4, 6, 8, 12],
  mouth: [0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12],
  smile: [0.015, 0.02, 0.03, 0.04, 0.06, 0.08],
  brows: [0.01, 0.015, 0.02, 0.03, 0.04],
  eyes: [0.1, 0.15, 0.2, 0.3, 0.45],
  gaze: [0.1, 0.15, 0.2, 0.3, 0.4],
  lightSide: [0.05, 0.1, 0.15, 0.2, 0.3, 0.4],
  lightUp: [0.05, 0.1, 0.15, 0.2, 0.3],
  brightness: [0.02, 0.03, 0.04, 0.06],
  sharpness: [0.02, 0.03, 0.04, 0.06],
}
const AXES = Object.keys(TRIED) as Axis[]

/** A ring counts from so many standard deviations on, and only with so many faces of so many pairs in it. */
const CLEARLY = 0.5
const LEAST_FACES = 12
const LEAST_PAIRS = 3
/** Beyond so many times the middle distance tried, other axes weigh no more. */
const FAR = 4
const DRAWS = 400
/** Matched pairs count as pieces of so many frames: one pair would be no sample. */
const PIECE_FRAMES = 12

const ERRORS: Readonly<Record<FaceError, (face: FaceResult, axis: Axis) => number | undefined>> = {
  'what it does': ({ off }, axis) => (off[axis] === undefined ? undefined : Math.abs(off[axis])),
  SSIM: ({ ssimError }) => ssimError,
  identity: ({ identity }) => identity,
}

/** All axes, as `studyAxis` tells each. */
export const studyFaces = (faces: readonly FaceResult[]): AxisFinding[] => AXES.map((axis) => studyAxis(faces, axis))

/**
 * From which distance on in one axis DST faces come out worse than those that SRC shows.
 *
 * The error of each face is told by its pair, by what it shows (all axes and their squares: an open mouth is hard to paint
 * anyway), by its distances in the other axes, and by the ring around SRC in which it lies: nearer than half a distance,
 * to the distance, to its double, beyond. Matched pairs share their DST, so a face is held against its own twin there.
 * Intervals are of pairs drawn anew. A ring counts whose excess reaches half a standard deviation of what is left unexplained, surely
 * above 0; among so many rings some do by chance, so that the next one out must count as well.
 *
 * Source: fixed effects as in Mundlak 1978, https://doi.org/10.2307/1913646; bootstrap of clusters, Efron 1979, https://doi.org/10.1214/aos/1176344552
 */
export function studyAxis(faces: readonly FaceResult[], axis: Axis): AxisFinding {
  const byError = (Object.keys(ERRORS) as FaceError[]).map((error) =>
    TRIED[axis].flatMap((distance) => ringExcess(faces, { axis, error, distance }) ?? []),
  )
  const told = byError
    .flatMap((rings) => rings.find((ring, i) => counts(ring) && rings[i + 1] && counts(rings[i + 1]!)) ?? [])
    .sort((a, b) => a.distance - b.distance || b.excess - a.excess)[0]
  return { axis, rings: byError.flat(), ...(told ? { told } : {}) }
}

const counts = ({ excess, low }: RingExcess) => excess >= CLEARLY && low > 0

interface Row {
  unit: string
  pair: string
  inRing: boolean
  /** Told, then what came. */
  values: number[]
}

function ringExcess(
  all: readonly FaceResult[],
  ring: { axis: Axis; error: FaceError; distance: number },
): RingExcess | undefined {
  const rows = rowsOf(all, ring)
  const inside = rows.filter(({ inRing }) => inRing)
  const pairs = new Set(inside.map(({ pair }) => pair)).size
  if (inside.length < LEAST_FACES || pairs < LEAST_PAIRS) return undefined
  const units = new Map<string, Normal>()
  for (const unit of new Set(rows.map((row) => row.unit)))
    units.set(unit, normalOf(rows.filter((row) => row.unit === unit).map(({ values }) => values)))
  const sums = [...units.values()]
  const weights = solveNormal(sums)
  const left = rows.map(({ values }) => values.at(-1)! - weights.reduce((sum, w, i) => sum + w * values[i]!, 0))
  const deviation = Math.sqrt(left.reduce((sum, v) => sum + v * v, 0) / left.length)
  const random = new Random(hashSeed(`${ring.axis} ${ring.error} ${ring.distance}`))
  const drawn = Array.from({ length: DRAWS }, () => {
    const some = sums.map(() => sums[random.integer(sums.length)]!)
    return solveNormal(some)[0]! / deviation
  }).sort((a, b) => a - b)
  return {
    ...ring,
    ...{ faces: inside.length, pairs, excess: weights[0]! / deviation },
    ...{ low: drawn[Math.floor(0.025 * DRAWS)]!, high: drawn[Math.floor(0.975 * DRAWS)]! },
  }
}

/** What tells each face's error, the ring first, each freed from the mean of its pair, or of its twins. */
function rowsOf(
  all: readonly FaceResult[],
  { axis, error, distance }: { axis: Axis; error: FaceError; distance: number },
): Row[] {
  const faces = all.filter((face) => face.distances[axis] !== undefined && ERRORS[error](face, axis) !== undefined)
  const isMatched = (face: FaceResult) => MATCHED_PAIRS.some(({ name }) => name === face.pair)
  const usual = Object.fromEntries(AXES.map((other) => [other, momentsOf(faces, other)]))
  const rows = faces.map((face) => {
    const far = face.distances[axis]!
    const between = (from: number, to: number) => Number(far >= from * distance && far < to * distance)
    const others = AXES.filter((other) => other !== axis).map((other) =>
      Math.min(FAR, (face.distances[other] ?? 0) / middle(TRIED[other])),
    )
    const shown = AXES.flatMap((other) => {
      const { mean, deviation } = usual[other]!
      const value = ((face.values[other] ?? mean) - mean) / deviation
      return [value, value * value]
    })
    const narrow = Number(face.pair === MATCHED_PAIRS[0]!.name)
    const rings = [between(1, 2), between(0.5, 1), between(2, Number.POSITIVE_INFINITY)]
    return {
      unit: isMatched(face) ? `matched ${Math.floor(face.frame / PIECE_FRAMES)}` : face.pair,
      group: isMatched(face) ? `matched ${face.frame}` : face.pair,
      pair: face.pair,
      inRing: rings[0] === 1,
      values: [...rings, narrow, ...others, ...shown, ERRORS[error](face, axis)!],
    }
  })
  const groups = new Map<string, typeof rows>()
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row])
  for (const group of groups.values()) {
    const means = group[0]!.values.map((_, i) => group.reduce((sum, { values }) => sum + values[i]! / group.length, 0))
    for (const row of group) row.values = row.values.map((value, i) => value - means[i]!)
  }
  return rows
}

function momentsOf(faces: readonly FaceResult[], axis: Axis): { mean: number; deviation: number } {
  const known = faces.flatMap(({ values }) => values[axis] ?? [])
  const mean = known.reduce((sum, v) => sum + v / known.length, 0)
  const deviation = Math.sqrt(known.reduce((sum, v) => sum + (v - mean) ** 2 / known.length, 0))
  return { mean, deviation: deviation || 1 }
}

const middle = (values: readonly number[]) => values[Math.floor(values.length / 2)]!
