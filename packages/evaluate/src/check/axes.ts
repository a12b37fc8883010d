import { decimal, sayPercent, signed } from '../say-number.js'
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

export interface AxisSpec {
  axis: Axis
  /** Two faces within this of each other are alike. */
  tolerance: number
  /** A DST face beyond SRC's in this direction is told; in both if not given. */
  only?: 1 | -1
  of(face: FaceTraits, side: SideScale): number | undefined
  /** What DST does beyond SRC, downwards and upwards; and what to do about it. */
  below: { dst: string; shoot: string }
  above: { dst: string; shoot: string }
  /** A value as people read it; and what it is of, where that does not go without saying. */
  say(value: number): string
  measure?: string
}

/** What is usual for a side's face, against which its expressions are told. */
export interface SideScale {
  eyes: number
  smile: number
  brows: number
}

const degrees = (v: number) => signed(`${Math.round(v)}°`)

/**
 * Everything that is compared, and how near is near: about what a network can bridge by itself. From a study of 1,344
 * rendered faces, `npm run bench -- forecast`, in docs/design/insight.md.
 *
 * By what comes out: mouth, which comes out clearly less open from 0.06 on; and lightSide, where light falls clearly otherwise
 * from 0.15 on, and 0.2 is the first distance that names next to nothing that SRC has. By what it names, for what comes out
 * was no worse: yaw, the largest distance that names all that SRC lacks; pitch, the smallest that names next to nothing that it has.
 *
 * Not told, judged: smile, brows, eyes and gaze, whose faces are too few or no worse; brightness and sharpness, which no pair
 * lacks. lightUp does harm from 0.15 on, but those lamps are equally high: it is relief and beard, which `shading` tells.
 */
export const AXES: readonly AxisSpec[] = [
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
    tolerance: 8,
    of: (face) => face.pitchDegrees,
    below: { dst: 'looks down', shoot: 'SRC with the chin down' },
    above: { dst: 'looks up', shoot: 'SRC with the chin up' },
    say: degrees,
  },
  {
    axis: 'mouth',
    tolerance: 0.06,
    of: (face) => face.mouth,
    below: { dst: 'keeps the mouth shut', shoot: 'SRC with the mouth shut' },
    above: { dst: 'opens the mouth', shoot: 'SRC talking, laughing and with the mouth wide open' },
    say: sayPercent,
    measure: 'of the distance of the eyes',
  },
  {
    axis: 'smile',
    tolerance: 0.09,
    of: (face, side) => face.smile - side.smile,
    below: { dst: 'purses the lips', shoot: 'SRC with pursed lips (say "oo")' },
    above: { dst: 'widens the mouth', shoot: 'SRC smiling broadly' },
    say: sayPercent,
    measure: 'of the distance of the eyes, more than usual',
  },
  {
    axis: 'brows',
    tolerance: 0.09,
    of: (face, side) => face.brows - side.brows,
    below: { dst: 'lowers the brows', shoot: 'SRC frowning' },
    above: { dst: 'raises the brows', shoot: 'SRC with raised brows' },
    say: sayPercent,
    measure: 'of the distance of the eyes, more than usual',
  },
  {
    axis: 'eyes',
    tolerance: 0.45,
    of: (face, side) => face.eyes / side.eyes,
    below: { dst: 'shuts the eyes', shoot: 'SRC blinking and with shut eyes' },
    above: { dst: 'opens the eyes wide', shoot: 'SRC with wide open eyes' },
    say: sayPercent,
    measure: 'of what is usual',
  },
  {
    axis: 'gaze',
    tolerance: 0.4,
    of: (face) => face.gaze,
    below: { dst: 'looks to its right', shoot: 'SRC looking to its own right without turning the head' },
    above: { dst: 'looks to its left', shoot: 'SRC looking to its own left without turning the head' },
    say: (v) => decimal(v, 1),
    measure: 'where −1 and 1 are the corners of the eye',
  },
  {
    axis: 'lightSide',
    tolerance: 0.2,
    of: (face) => face.light.right,
    below: { dst: "is lit from the picture's left", shoot: "SRC with the lamp on the picture's left" },
    above: { dst: "is lit from the picture's right", shoot: "SRC with the lamp on the picture's right" },
    say: (v) => decimal(v),
    measure: "the slope of the skin's light across the face",
  },
  {
    axis: 'lightUp',
    tolerance: 0.4,
    of: (face) => face.light.up,
    below: { dst: 'is lit from below', shoot: 'SRC lit from below' },
    above: { dst: 'is lit from above', shoot: 'SRC lit from above' },
    say: (v) => decimal(v),
    measure: "the slope of the skin's light up the face",
  },
  {
    axis: 'brightness',
    tolerance: 0.2,
    of: (face) => face.light.brightness,
    below: { dst: 'is darker', shoot: 'SRC in dimmer light' },
    above: { dst: 'is brighter', shoot: 'SRC in brighter light' },
    say: sayPercent,
    measure: 'of white',
  },
  {
    axis: 'sharpness',
    tolerance: 0.15,
    only: 1,
    of: (face) => 1 - face.blur,
    below: { dst: 'is softer', shoot: 'SRC out of focus' },
    above: { dst: 'is sharper', shoot: 'SRC in focus, closer and without motion blur' },
    say: (v) => decimal(v),
    measure: 'where 1 is quite sharp',
  },
]

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

/** A value of each face, or nothing where a face does not tell it. */
export type AxisValues = readonly (number | undefined)[]

/**
 * What faces show in each respect, in its own unit, face by face.
 *
 * @param rest Faces of the same person, which tell what is usual for it.
 */
export function axisValues(
  faces: readonly FaceTraits[],
  rest: readonly FaceTraits[] = faces,
): Record<Axis, AxisValues> {
  const scale = scaleOf(rest)
  const out: Partial<Record<Axis, AxisValues>> = {}
  for (const { axis, of } of AXES) out[axis] = faces.map((face) => of(face, scale))
  return out as Record<Axis, AxisValues>
}

/** So many SRC faces must be near: one may be an accident. */
const WITNESSES = 3

/**
 * How far a value is from SRC's third-nearest, in the unit of its axis; from the furthest of fewer than three.
 *
 * @param known SRC's values, at least one.
 */
export function axisDistance(known: ArrayLike<number>, value: number): number {
  const nearest = new Array<number>(Math.min(WITNESSES, known.length)).fill(Number.POSITIVE_INFINITY)
  for (let i = 0; i < known.length; i++) {
    let far = Math.abs(known[i] - value)
    for (let k = 0; k < nearest.length; k++) if (far < nearest[k]) [far, nearest[k]] = [nearest[k], far]
  }
  return nearest.at(-1)!
}

/** The values that are known, from small to large. */
export const sorted = (values: AxisValues) => Float64Array.from(values.filter((value) => value !== undefined)).sort()

/** The value that a share `q` of sorted ones lies below; 0 of none. */
export function quantile(values: Float64Array, q: number): number {
  if (values.length === 0) return 0
  const at = q * (values.length - 1)
  const i = Math.floor(at)
  return values[i] + (at - i) * ((values[i + 1] ?? values[i]) - values[i])
}
