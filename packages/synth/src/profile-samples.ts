import type { Landmarks, Random } from '@dfl/core'
import type { Backdrops } from './backdrops.js'
import { eachPixel, type GraySquare, graySquare, valueAt } from './gray-square.js'
import type { ProfileHead } from './profile-heads.js'
import { spoil } from './spoil.js'

/** A square part of a picture, turned clockwise. */
interface Region {
  centre: readonly [x: number, y: number]
  sizePx: number
  rollRadians: number
}

/** What a network for profiles is shown once, and what it should say. */
export interface ProfileSample {
  square: GraySquare
  /** [136] x and y of the 68 landmarks, from the square's middle in parts of its side. */
  points: Float32Array
  /** 1 where it shows a face from the side that looks to the right, else 0. */
  presence: number
  /** 0 or 1: whether the landmarks, and the presence, are to be learnt from it. */
  pointsWeight: number
  presenceWeight: number
}

/** Yaw of heads whose landmarks are learnt, and of those that are surely profiles. Between these and the last it is left open. */
const POINTS_DEGREES = [45, 108] as const
const PROFILE_DEGREES = [56, 103] as const
const OPEN_DEGREES = [32, 120] as const

/** What samples are made of. */
export interface ProfileSampleOptions {
  heads: readonly ProfileHead[]
  backdrops: Backdrops
  /** The region that a landmarker is given for a face with these landmarks. */
  regionOf(landmarks: Landmarks): Region
  sidePx: number
}

/** A random sample: a head about where its region says, something else, or a head where none should be seen. */
export function profileSample(options: ProfileSampleOptions, random: Random): ProfileSample {
  const { heads, backdrops, regionOf, sidePx } = options
  if (random.chance(0.12)) {
    const square = backdrops(random)
    spoil(square, random)
    return { square, points: new Float32Array(136), presence: 0, presenceWeight: 1, pointsWeight: 0 }
  }
  const head = heads[random.integer(heads.length)]
  const { yawDegrees } = head
  const within = ([from, to]: readonly [number, number]) => yawDegrees >= from && yawDegrees <= to
  const exact = regionOf(head.landmarks)
  const isBeside = random.chance(0.1)
  const region = isBeside ? besideOf(exact, random) : aboutAs(exact, random)
  const [square, points] = drawn(head, region, { backdrop: backdrops(random), sidePx, own: random.chance(0.3) })
  spoil(square, random)
  const presence = !isBeside && within(PROFILE_DEGREES) ? 1 : 0
  return {
    square,
    points,
    presence,
    presenceWeight: isBeside || presence || !within(OPEN_DEGREES) ? 1 : 0,
    pointsWeight: !isBeside && within(POINTS_DEGREES) ? 1 : 0,
  }
}

/** A region as detectors and earlier looks give it. */
function aboutAs({ centre: [x, y], sizePx, rollRadians }: Region, random: Random): Region {
  const some = (deviation: number, most: number) => Math.max(-most, Math.min(most, deviation * random.normal()))
  return {
    centre: [x + sizePx * some(0.06, 0.16), y + sizePx * some(0.05, 0.16)],
    sizePx: sizePx * Math.exp(some(0.1, 0.26)),
    rollRadians: rollRadians + some(0.13, 0.4),
  }
}

/** A region that is far too large or small, beside the face, or has it lying or upside down. */
function besideOf({ centre: [x, y], sizePx, rollRadians }: Region, random: Random): Region {
  const kind = random.integer(3)
  if (kind === 0) {
    const turn = (random.chance(0.5) ? 1 : -1) * random.uniform(1.1, Math.PI)
    return { centre: [x, y], sizePx, rollRadians: rollRadians + turn }
  }
  if (kind === 1) {
    const angle = random.uniform(0, 2 * Math.PI)
    const far = sizePx * random.uniform(0.45, 0.8)
    return { centre: [x + far * Math.cos(angle), y + far * Math.sin(angle)], sizePx, rollRadians }
  }
  const factor = random.chance(0.5) ? random.uniform(0.25, 0.5) : random.uniform(2, 3)
  return { centre: [x, y], sizePx: sizePx * factor, rollRadians }
}

/** A region drawn upright over a backdrop, and where the landmarks are in it. `own`: what was behind the head stays. */
function drawn(
  { luma, mask, sizePx: picturePx, landmarks }: ProfileHead,
  { centre, sizePx, rollRadians }: Region,
  { backdrop, sidePx, own }: { backdrop: GraySquare; sidePx: number; own: boolean },
): [GraySquare, Float32Array] {
  const [cos, sin] = [Math.cos(rollRadians), Math.sin(rollRadians)]
  const middle = (sidePx - 1) / 2
  const step = sizePx / sidePx
  const last = picturePx - 1
  const square = graySquare(sidePx)
  eachPixel(square, (column, row) => {
    const [u, v] = [(column - middle) * step, (row - middle) * step]
    const x = centre[0] + cos * u - sin * v
    const y = centre[1] + sin * u + cos * v
    const behind = backdrop.data[row * sidePx + column]
    if (x < 0 || x > last || y < 0) return behind
    // Below the picture neck and clothes go on.
    const covered = own && y <= last ? 1 : valueAt(mask, picturePx, picturePx, x, y) / 255
    return (covered * valueAt(luma, picturePx, picturePx, x, y)) / 255 + (1 - covered) * behind
  })
  const points = new Float32Array(136)
  landmarks.forEach(([x, y], i) => {
    const [dx, dy] = [x - centre[0], y - centre[1]]
    points[2 * i] = (cos * dx + sin * dy) / sizePx
    points[2 * i + 1] = (cos * dy - sin * dx) / sizePx
  })
  return [square, points]
}
