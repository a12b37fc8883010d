import { fitHead, HEAD_68, MIRRORED_68, mouthOpening } from '@dfl/align'
import { DflError, type Landmarks } from '@dfl/core'
import { INNER } from './shape-points.js'
import { solve3 } from './solve-3.js'
import type { Vector } from './turn-onto.js'

const FIRST_OF_MOUTH = 48
/** Landmarks in the middle of the face. */
const MIDDLE = [8, 27, 28, 29, 30, 33]

/** Poses and shape are found in turns, this often. */
const ROUNDS = 2

/** As `fitHead` sees: a camera this many eye distances away. */
const CAMERA_DISTANCE = 12

/** How much the mean head counts, in frames; and as a share of the frames, because their errors are alike. */
const PRIOR_FRAMES = 1
const PRIOR_SHARE = 0.02

/** How much jaw and mouth count where the mouth is not shut, and when it is. */
const OPEN_WEIGHT = 0.03
const SHUT_BELOW = 0.05

/**
 * The 68 landmarks of a person's face as they were found, without pose: x to its own left, y up, z out of the face, in
 * distances of the outer corners of the eyes. Pose and shape are found in turns, from an average head on, and each point is
 * laid where it explains its places in all frames best. Jaw and mouth are taken from frames with the mouth shut, the jaw
 * from the side that faces the camera. At last both sides are made even: where found landmarks differ from left to right, it
 * is mostly their error.
 *
 * @param faces Landmarks of one person, in pixels of the frames.
 * @throws DflError `NO_FACES` with fewer than 3 faces.
 * Source: structure from known rotations, Tomasi and Kanade 1992, https://doi.org/10.1007/BF00129684; with a prior
 */
export function seenShape(faces: readonly Landmarks[]): readonly Vector[] {
  if (faces.length < 3)
    throw new DflError('NO_FACES', `Expected at least 3 faces for \`faces\`, but got ${faces.length}. Extract more.`, {
      data: { got: faces.length },
    })
  let shape: readonly Vector[] = HEAD_68
  for (let round = 0; round < ROUNDS; round++) {
    const views = faces.map((landmarks) => viewOf(landmarks, shape))
    const before = shape
    shape = before.map((point, i) => place(i, views, point))
  }
  return evened(shape)
}

/** The shape's points, each the mean of itself and of its mirrored fellow. */
function evened(shape: readonly Vector[]): Vector[] {
  const middle = MIDDLE.reduce((sum, point) => sum + shape[point][0] / MIDDLE.length, 0)
  return shape.map(([x, y, z], i) => {
    const [u, v, w] = shape[MIRRORED_68[i]]
    return [(x + 2 * middle - u) / 2, (y + v) / 2, (z + w) / 2]
  })
}

interface View {
  rotation: readonly number[]
  /** Landmarks over the eye distance, y up. */
  seen: readonly (readonly [number, number])[]
  shift: [number, number]
  shut: boolean
  yaw: number
}

function viewOf(landmarks: Landmarks, shape: readonly Vector[]): View {
  const { rotation, scale } = fitHead(landmarks, shape)
  const view: View = {
    rotation,
    seen: landmarks.map(([x, y]) => [x / scale, -y / scale] as const),
    shift: [0, 0],
    shut: mouthOpening(landmarks) < SHUT_BELOW,
    yaw: Math.atan2(-rotation[6], rotation[8]),
  }
  centre(view, shape)
  return view
}

/** How much larger a point looks because it is nearer. */
const nearness = ([x, y, z]: Vector, r: readonly number[]) =>
  1 / (1 - (r[6] * x + r[7] * y + r[8] * z) / CAMERA_DISTANCE)

/** Lays the shape's nose and eyes over those of a view. */
function centre(view: View, shape: readonly Vector[]): void {
  const { rotation: r, seen } = view
  let [x, y] = [0, 0]
  for (const i of INNER) {
    const k = nearness(shape[i], r)
    const [a, b, c] = shape[i]
    x += (seen[i][0] - k * (r[0] * a + r[1] * b + r[2] * c)) / INNER.length
    y += (seen[i][1] - k * (r[3] * a + r[4] * b + r[5] * c)) / INNER.length
  }
  view.shift = [x, y]
}

/** Where a point must be to be seen where it is, by least squares; the mean head decides what the frames leave open. */
function place(point: number, views: readonly View[], now: Vector): Vector {
  const normal = new Float64Array(9)
  const right = new Float64Array(3)
  const add = (row: readonly number[], value: number, weight: number) => {
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) normal[3 * i + j] += weight * row[i] * row[j]
      right[i] += weight * row[i] * value
    }
  }
  let total = 0
  for (const view of views) {
    const weight = weightOf(point, view)
    if (weight === 0) continue
    total += weight
    const { rotation: r, seen, shift } = view
    const k = nearness(now, r)
    add([k * r[0], k * r[1], k * r[2]], seen[point][0] - shift[0], weight)
    add([k * r[3], k * r[4], k * r[5]], seen[point][1] - shift[1], weight)
  }
  const prior = PRIOR_FRAMES + PRIOR_SHARE * total
  for (const [axis, value] of HEAD_68[point].entries()) {
    normal[4 * axis] += prior
    right[axis] += prior * value
  }
  return solve3(normal, right)
}

function weightOf(point: number, { yaw, shut }: View): number {
  if (point >= FIRST_OF_MOUTH) return shut ? 1 : OPEN_WEIGHT
  if (point > 16) return 1
  // The far side of the jaw is a guess once the head turns.
  const hidden = point < 8 ? -yaw : point > 8 ? yaw : 0
  if (hidden > 0.35 || Math.abs(yaw) > 0.8) return 0
  return shut ? 1 : OPEN_WEIGHT
}
