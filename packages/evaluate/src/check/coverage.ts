import { clipOf } from '@dfl/core'
import { AXES, type Axis, type AxisSpec, type AxisValues, axisDistance, axisValues, quantile, sorted } from './axes.js'
import type { FaceTraits } from './traits.js'

/** A thing that DST does and SRC does not. */
export interface Gap {
  axis: Axis
  direction: 'below' | 'above'
  /** DST's faces of this gap: file names, in order of time. */
  faces: readonly string[]
  /** Share of all DST faces, 0..1. */
  share: number
  /** DST's values in the gap; SRC's values that hold all but the 2 % at either end. */
  dstRange: readonly [number, number]
  srcRange: readonly [number, number]
  /** When it happens in DST, in seconds of a clip; '' for images of a folder that was given no name. */
  times: readonly { clip: string; from: number; to: number }[]
  /** What is missing, for people; and what to do about it. */
  sentence: string
  shoot: string
}

/** What of DST is covered by SRC. */
export interface Coverage {
  /** Share of DST's faces, 0..1, that are near to some of SRC's in every respect, each taken for itself. */
  covered: number
  /** Share of DST's faces, 0..1, that are near in each respect. */
  byAxis: Readonly<Partial<Record<Axis, number>>>
  /** Largest first. */
  gaps: readonly Gap[]
  /** Mean over DST's faces of the distance to the SRC face most like it: 1.2 to 1.9 in nine rendered pairs of which nothing is missing, 3.9 where nearly all is. */
  distance: number
  /** For every DST face the SRC faces most like it, all respects together, nearest first. */
  nearest: readonly Nearest[]
}

/** The SRC faces that a DST face will be painted from. */
export interface Nearest {
  dst: string
  src: readonly string[]
  /** To the nearest: 1 is one tolerance in one respect, or less in several. */
  distance: number
}

/** A gap counts when this share of DST's faces, and this many, are in it. */
const LEAST_SHARE = 0.01
const LEAST_FACES = 3
const NEIGHBOURS = 5

/**
 * What DST shows that SRC does not.
 *
 * A DST face is covered in a respect when three of SRC's faces lie within a tolerance of it. Expressions are told against
 * what is usual for the person, so that narrow eyes are not taken for shut ones.
 */
export function coverage(src: readonly FaceTraits[], dst: readonly FaceTraits[]): Coverage {
  const [ofSrc, ofDst] = [axisValues(src), axisValues(dst)]
  const values = AXES.map((spec) => ({ spec, src: ofSrc[spec.axis], dst: ofDst[spec.axis] }))
  const uncovered = new Set<number>()
  const byAxis: Partial<Record<Axis, number>> = {}
  const gaps: Gap[] = []
  for (const { spec, ...sides } of values) {
    const known = sorted(sides.src)
    if (known.length === 0) continue
    const missing = { below: [] as number[], above: [] as number[] }
    let told = 0
    sides.dst.forEach((value, i) => {
      if (value === undefined) return
      told++
      const side = sideOfGap(known, value, spec)
      if (side) missing[side].push(i)
    })
    for (const side of ['below', 'above'] as const) {
      const faces = missing[side]
      if (faces.length < Math.max(LEAST_FACES, LEAST_SHARE * dst.length)) continue
      for (const i of faces) uncovered.add(i)
      gaps.push(gapOf({ spec, side, faces, dst, values: sides.dst as number[], known }))
    }
    if (told > 0) byAxis[spec.axis] = 1 - (missing.below.length + missing.above.length) / told
  }
  gaps.sort((a, b) => b.share - a.share)
  const nearest = dst.map((face, i) => nearestTo(face.filename, i, { values, src }))
  return {
    covered: dst.length === 0 ? 1 : 1 - uncovered.size / dst.length,
    byAxis,
    gaps,
    distance: nearest.reduce((sum, one) => sum + one.distance / dst.length, 0),
    nearest,
  }
}

/** On which side of SRC's values a value lies too far, if it does. */
function sideOfGap(known: Float64Array, value: number, { tolerance, only }: AxisSpec): 'below' | 'above' | undefined {
  if (axisDistance(known, value) <= tolerance) return undefined
  // In a hole between SRC's faces it lies on the side that more of them are not on.
  let lower = 0
  for (const other of known) if (other < value) lower++
  const above = lower >= known.length / 2
  if (only !== undefined && (only === 1) !== above) return undefined
  return above ? 'above' : 'below'
}

function gapOf(found: {
  spec: AxisSpec
  side: 'below' | 'above'
  faces: readonly number[]
  dst: readonly FaceTraits[]
  values: readonly number[]
  known: Float64Array
}): Gap {
  const { spec, side, dst, values, known } = found
  const faces = [...found.faces].sort((a, b) => inTime(dst[a], dst[b]))
  const own = faces.map((i) => values[i])
  const dstRange = [Math.min(...own), Math.max(...own)] as const
  const srcRange = [quantile(known, 0.02), quantile(known, 0.98)] as const
  const { dst: does, shoot } = spec[side]
  const [low, high] = dstRange.map(spec.say)
  const values_ = low === high ? low : `${low} to ${high}`
  return {
    axis: spec.axis,
    direction: side,
    faces: faces.map((i) => dst[i].filename),
    share: faces.length / dst.length,
    dstRange,
    srcRange,
    times: stretches(faces.map((i) => dst[i])),
    sentence: `DST ${does} (${values_}${spec.measure ? `, ${spec.measure}` : ''}) in ${faces.length} of ${dst.length} faces, for which SRC has next to nothing: its range is ${spec.say(srcRange[0])} to ${spec.say(srcRange[1])}.`,
    shoot: `Shoot or find ${shoot}.`,
  }
}

/** Faces within a second of each other as one stretch. */
function stretches(faces: readonly FaceTraits[]): Gap['times'] {
  const out: { clip: string; from: number; to: number }[] = []
  for (const face of faces) {
    const clip = clipOf(face)
    const { timestampSeconds: time } = face
    const last = out.at(-1)
    if (last?.clip === clip && time - last.to <= 1) last.to = time
    else out.push({ clip, from: time, to: time })
  }
  return out
}

/** Clip by clip, and in order of time. */
export function inTime(a: Place, b: Place): number {
  const [clip, other] = [clipOf(a), clipOf(b)]
  if (clip !== other) return clip < other ? -1 : 1
  return a.timestampSeconds - b.timestampSeconds
}

type Place = Pick<FaceTraits, 'sourceFilename' | 'timestampSeconds'>

interface SidesValues {
  spec: AxisSpec
  src: AxisValues
  dst: AxisValues
}

/** The SRC faces with the smallest sum of squared differences, in tolerances. */
function nearestTo(
  name: string,
  index: number,
  { values, src }: { values: readonly SidesValues[]; src: readonly FaceTraits[] },
): Nearest {
  const distances = new Float64Array(src.length)
  for (const { spec, src: theirs, dst } of values) {
    const value = dst[index]
    if (value === undefined) continue
    for (let i = 0; i < distances.length; i++) distances[i] += (((theirs[i] ?? value) - value) / spec.tolerance) ** 2
  }
  const order = Array.from(distances.keys()).sort((a, b) => distances[a] - distances[b])
  return {
    dst: name,
    src: order.slice(0, NEIGHBOURS).map((i) => src[i].filename),
    distance: order.length === 0 ? Number.POSITIVE_INFINITY : Math.sqrt(distances[order[0]]),
  }
}
