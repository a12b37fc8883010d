import { clipOf } from '@dfl/core'
import { sayPercent } from '../say-percent.js'
import type { FaceTraits } from './traits.js'

/** What is compared, one number each. */
export type Axis =
  | 'yaw'
  | 'pitch'
  | 'mouth'
  | 'smile'
  | 'brows'
  | 'eyes'
  | 'gaze'
  | 'lightSide'
  | 'lightUp'
  | 'brightness'
  | 'sharpness'

interface AxisSpec {
  axis: Axis
  /** Two faces within this of each other are alike. */
  tolerance: number
  /** A DST face beyond SRC's in this direction is told; 0: in both. */
  only?: 1 | -1
  of(face: FaceTraits, side: SideScale): number | undefined
  /** What DST does beyond SRC, downwards and upwards; and what to do about it. */
  below: { dst: string; shoot: string }
  above: { dst: string; shoot: string }
  /** A value as people read it. */
  say(value: number): string
}

/** What is usual for a side's face, against which its expressions are told. */
interface SideScale {
  eyes: number
  smile: number
  brows: number
}

const signed = (text: string) => text.replace('-', '−')
const degrees = (v: number) => signed(`${Math.round(v)}°`)

/** Everything that is compared, and how near is near: about what a network can bridge by itself. */
const AXES: readonly AxisSpec[] = [
  {
    axis: 'yaw',
    tolerance: 12,
    of: (face) => face.yawDegrees,
    below: { dst: 'turns to its right', shoot: "SRC's head turned to its own right (its left cheek to the camera)" },
    above: { dst: 'turns to its left', shoot: "SRC's head turned to its own left (its right cheek to the camera)" },
    say: degrees,
  },
  {
    axis: 'pitch',
    tolerance: 10,
    of: (face) => face.pitchDegrees,
    below: { dst: 'looks down', shoot: 'SRC with the chin down' },
    above: { dst: 'looks up', shoot: 'SRC with the chin up' },
    say: degrees,
  },
  {
    axis: 'mouth',
    tolerance: 0.07,
    of: (face) => face.mouth,
    below: { dst: 'keeps the mouth shut', shoot: 'SRC with the mouth shut' },
    above: { dst: 'opens the mouth', shoot: 'SRC talking, laughing and with the mouth wide open' },
    say: sayPercent,
  },
  {
    axis: 'smile',
    tolerance: 0.09,
    of: (face, side) => face.smile - side.smile,
    below: { dst: 'purses the lips', shoot: 'SRC with pursed lips (say "oo")' },
    above: { dst: 'widens the mouth', shoot: 'SRC smiling broadly' },
    say: sayPercent,
  },
  {
    axis: 'brows',
    tolerance: 0.09,
    of: (face, side) => face.brows - side.brows,
    below: { dst: 'lowers the brows', shoot: 'SRC frowning' },
    above: { dst: 'raises the brows', shoot: 'SRC with raised brows' },
    say: sayPercent,
  },
  {
    axis: 'eyes',
    tolerance: 0.45,
    of: (face, side) => face.eyes / side.eyes,
    below: { dst: 'shuts the eyes', shoot: 'SRC blinking and with shut eyes' },
    above: { dst: 'opens the eyes wide', shoot: 'SRC with wide open eyes' },
    say: sayPercent,
  },
  {
    axis: 'gaze',
    tolerance: 0.4,
    of: (face) => face.gaze,
    below: { dst: 'looks to its right', shoot: 'SRC looking to its own right without turning the head' },
    above: { dst: 'looks to its left', shoot: 'SRC looking to its own left without turning the head' },
    say: (v) => signed(v.toFixed(1)),
  },
  {
    axis: 'lightSide',
    tolerance: 0.3,
    of: (face) => face.light.right,
    below: { dst: "is lit from the picture's left", shoot: "SRC with the lamp on the picture's left" },
    above: { dst: "is lit from the picture's right", shoot: "SRC with the lamp on the picture's right" },
    say: (v) => signed(v.toFixed(2)),
  },
  {
    axis: 'lightUp',
    tolerance: 0.4,
    of: (face) => face.light.up,
    below: { dst: 'is lit from below', shoot: 'SRC lit from below' },
    above: { dst: 'is lit from above', shoot: 'SRC lit from above' },
    say: (v) => signed(v.toFixed(2)),
  },
  {
    axis: 'brightness',
    tolerance: 0.2,
    of: (face) => face.light.brightness,
    below: { dst: 'is darker', shoot: 'SRC in dimmer light' },
    above: { dst: 'is brighter', shoot: 'SRC in brighter light' },
    say: sayPercent,
  },
  {
    axis: 'sharpness',
    tolerance: 0.15,
    only: 1,
    of: (face) => 1 - face.blur,
    below: { dst: 'is softer', shoot: 'SRC out of focus' },
    above: { dst: 'is sharper', shoot: 'SRC in focus, closer and without motion blur' },
    say: (v) => signed(v.toFixed(2)),
  },
]

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
  /** Mean over DST's faces of the distance to the SRC face most like it: about 1.5 where SRC shows all that DST does. */
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
/** So many SRC faces must be near: one may be an accident. */
const WITNESSES = 3
const NEIGHBOURS = 5

/**
 * What DST shows that SRC does not.
 *
 * A DST face is covered in a respect when three of SRC's faces lie within a tolerance of it. Expressions are told against
 * what is usual for the person, so that narrow eyes are not taken for shut ones.
 */
export function coverage(src: readonly FaceTraits[], dst: readonly FaceTraits[]): Coverage {
  const scales = { src: scaleOf(src), dst: scaleOf(dst) }
  const values = AXES.map((spec) => ({
    spec,
    src: src.map((face) => spec.of(face, scales.src)),
    dst: dst.map((face) => spec.of(face, scales.dst)),
  }))
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
  const witnesses = Math.min(WITNESSES, known.length)
  let near = 0
  for (const other of known) if (Math.abs(other - value) <= tolerance && ++near >= witnesses) return undefined
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
    sentence: `DST ${does} (${values_}) in ${faces.length} of ${dst.length} faces, for which SRC has next to nothing: its range is ${spec.say(srcRange[0])} to ${spec.say(srcRange[1])}.`,
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

interface AxisValues {
  spec: AxisSpec
  src: readonly (number | undefined)[]
  dst: readonly (number | undefined)[]
}

/** The SRC faces with the smallest sum of squared differences, in tolerances. */
function nearestTo(
  name: string,
  index: number,
  { values, src }: { values: readonly AxisValues[]; src: readonly FaceTraits[] },
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

/** How the person looks at rest: open eyes, the middle of mouth width and brow height. */
function scaleOf(faces: readonly FaceTraits[]): SideScale {
  const of = (value: (face: FaceTraits) => number, q: number) => quantile(sorted(faces.map(value)), q)
  return {
    eyes: Math.max(
      0.02,
      of((face) => face.eyes, 0.9),
    ),
    smile: of((face) => face.smile, 0.5),
    brows: of((face) => face.brows, 0.5),
  }
}

const sorted = (values: readonly (number | undefined)[]) =>
  Float64Array.from(values.filter((value) => value !== undefined)).sort()

function quantile(values: Float64Array, q: number): number {
  if (values.length === 0) return 0
  const at = q * (values.length - 1)
  const i = Math.floor(at)
  return values[i] + (at - i) * ((values[i + 1] ?? values[i]) - values[i])
}
