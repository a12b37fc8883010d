import type { Affine, Landmarks, Point, Rect } from '@dfl/core'
import type { Detection, FaceRegion } from './types.js'

/** How much wider than the face the region is that landmarks are read from. */
const MARGIN = 1.5

/** Eyes closer to each other than this, in widths of the face's box, say little about its roll: they are seen from the side. */
const PROFILE = 0.15

/**
 * How far from the eyes towards the tip of the nose the point is from which the mouth lies straight down, whichever way a
 * head is turned: nose and mouth stand out by other lengths. Measured on 12 rendered heads at 75 to 90 degrees of yaw.
 */
const NOSE_SHARE = 0.57

/** The region around a detected face: the box's longer side and half as much again, turned as the face is. */
export function regionOfDetection(detection: Detection): FaceRegion {
  const { rect } = detection
  return {
    centre: [rect.x + rect.width / 2, rect.y + rect.height / 2],
    sizePx: Math.max(rect.width, rect.height) * MARGIN,
    rollRadians: rollOf(detection),
  }
}

/** Whether a face is seen from the side, as far as a detector tells. */
export function isProfile({ rect, keyPoints: [a, b] }: Detection): boolean {
  return a !== undefined && b !== undefined && Math.hypot(b[0] - a[0], b[1] - a[1]) < PROFILE * rect.width
}

/** The roll of the line of the eyes; of a profile, that of the line from between eyes and nose to the mouth. */
function rollOf(detection: Detection): number {
  const [a, b, nose, mouth] = detection.keyPoints
  if (!a || !b) return 0
  if (!nose || !mouth || !isProfile(detection)) return Math.atan2(b[1] - a[1], b[0] - a[0])
  return rollFromSide([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], nose, mouth)
}

/** The roll of the line from between eyes and nose to the mouth, which needs no eyes side by side. */
function rollFromSide(eyes: Point, nose: Point, mouth: Point): number {
  const [x, y] = [0, 1].map((k) => mouth[k]! - eyes[k]! - NOSE_SHARE * (nose[k]! - eyes[k]!)) as [number, number]
  return Math.atan2(-x, y)
}

/**
 * The region around points of a face: their box in the face's own orientation and half as much again.
 *
 * @param eyes  Two points whose line is level in an upright face, the one on the left of an upright image first.
 */
export function regionOfPoints(points: readonly Point[], eyes: readonly [Point, Point]): FaceRegion {
  return turnedRegion(points, Math.atan2(eyes[1][1] - eyes[0][1], eyes[1][0] - eyes[0][0]))
}

/** The box of points turned by an angle, and half as much again. */
function turnedRegion(points: readonly Point[], rollRadians: number): FaceRegion {
  const cos = Math.cos(rollRadians)
  const sin = Math.sin(rollRadians)
  const upright = boundingBox(points.map(([x, y]) => [cos * x + sin * y, cos * y - sin * x] as const))
  const cx = upright.x + upright.width / 2
  const cy = upright.y + upright.height / 2
  return {
    centre: [cos * cx - sin * cy, sin * cx + cos * cy],
    sizePx: Math.max(upright.width, upright.height) * MARGIN,
    rollRadians,
  }
}

/** Outer corners of the eyes closer to each other than this part of the way from eyes to mouth lie behind each other. */
const BEHIND = 0.4

/** The region around 68 landmarks. For landmarkers that know nothing better. */
export function regionOfLandmarks(landmarks: Landmarks): FaceRegion {
  const [a, b] = [landmarks[36]!, landmarks[45]!]
  const [eyes, mouth] = [centreOf(landmarks.slice(36, 48)), centreOf(landmarks.slice(48, 68))]
  const isFromSide = Math.hypot(b[0] - a[0], b[1] - a[1]) < BEHIND * Math.hypot(mouth[0] - eyes[0], mouth[1] - eyes[1])
  return isFromSide ? regionOfProfile(landmarks) : regionOfPoints(landmarks, [a, b])
}

/** The region around 68 landmarks of a face seen from the side, whose eyes lie one behind the other. */
export function regionOfProfile(landmarks: Landmarks): FaceRegion {
  return turnedRegion(
    landmarks,
    rollFromSide(centreOf(landmarks.slice(36, 48)), landmarks[30]!, centreOf(landmarks.slice(48, 68))),
  )
}

/**
 * About how far a head is turned, to either side, in degrees: of where the tip of the nose is between the outer corners of the
 * eyes, beyond which it stands out by half their distance. Takes next to nothing, which laying a head under them does not.
 */
export function turnOf(landmarks: Landmarks): number {
  const [[ax, ay], [bx, by], [x, y]] = [landmarks[36]!, landmarks[45]!, landmarks[30]!]
  const [dx, dy] = [bx - ax, by - ay]
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)
  return (Math.atan(Math.abs(2 * along - 1)) * 180) / Math.PI
}

const centreOf = (points: readonly Point[]): Point =>
  points.reduce<Point>(([x, y], point) => [x + point[0] / points.length, y + point[1] / points.length], [0, 0])

/** A region `share` of the way from one to another. */
export function mixedRegion(a: FaceRegion, b: FaceRegion, share: number): FaceRegion {
  const turn = b.rollRadians - a.rollRadians
  return {
    centre: [mix(a.centre[0], b.centre[0], share), mix(a.centre[1], b.centre[1], share)],
    sizePx: mix(a.sizePx, b.sizePx, share),
    // The short way round.
    rollRadians: a.rollRadians + Math.atan2(Math.sin(turn), Math.cos(turn)) * share,
  }
}

/** A rectangle `share` of the way from one to another. */
export const mixedRect = (a: Rect, b: Rect, share: number): Rect => ({
  x: mix(a.x, b.x, share),
  y: mix(a.y, b.y, share),
  width: mix(a.width, b.width, share),
  height: mix(a.height, b.height, share),
})

/** Whether two regions take a face for upright in about the same direction. */
export const isSameWayUp = (a: Pick<FaceRegion, 'rollRadians'>, b: Pick<FaceRegion, 'rollRadians'>) =>
  Math.cos(a.rollRadians - b.rollRadians) > 0.5

/** A number `share` of the way from one to another. */
export const mix = (a: number, b: number, share: number) => a + (b - a) * share

/** Pixels of the image → pixels of the region drawn upright as a square of `side` pixels. */
export function imageToRegionMat({ centre, sizePx, rollRadians }: FaceRegion, side: number): Affine {
  const scale = side / sizePx
  const cos = Math.cos(rollRadians) * scale
  const sin = Math.sin(rollRadians) * scale
  const middle = (side - 1) / 2
  return [cos, sin, middle - cos * centre[0] - sin * centre[1], -sin, cos, middle + sin * centre[0] - cos * centre[1]]
}

/** The smallest upright rectangle around points. */
export function boundingBox(points: readonly Point[]): Rect {
  let left = Number.POSITIVE_INFINITY
  let top = Number.POSITIVE_INFINITY
  let right = Number.NEGATIVE_INFINITY
  let bottom = Number.NEGATIVE_INFINITY
  for (const [x, y] of points) {
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x)
    bottom = Math.max(bottom, y)
  }
  return { x: left, y: top, width: right - left, height: bottom - top }
}

/** Shared area of two rectangles over their joint area, 0..1. */
export function overlap(a: Rect, b: Rect): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  const shared = Math.max(0, width) * Math.max(0, height)
  return shared / Math.max(1e-12, a.width * a.height + b.width * b.height - shared)
}

/** Shared area of two rectangles over the smaller one's area, 0..1: 1 when one lies inside the other. */
export function containment(a: Rect, b: Rect): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  const shared = Math.max(0, width) * Math.max(0, height)
  return shared / Math.max(1e-12, Math.min(a.width * a.height, b.width * b.height))
}
