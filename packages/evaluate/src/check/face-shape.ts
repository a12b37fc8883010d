import { fitHead, HEAD_68, mouthOpening } from '@dfl/align'
import { DflError, type Landmarks } from '@dfl/core'
import { solve3 } from './solve-3.js'
import { turnOnto, type Vector } from './turn-onto.js'

/** Landmarks that lie on bone or on the outline: jaw, nose, corners of the eyes. */
const JAW = Array.from({ length: 17 }, (_, i) => i)
const INNER = [27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 39, 42, 45]
const POINTS = [...JAW, ...INNER]
/** The point on the other side of the face. */
const MIRRORED = [...JAW.map((i) => 16 - i), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 42, 39, 36]
/** Those in its middle. */
const MIDDLE = [8, 27, 28, 29, 30, 33]

/** How much a point of the jaw counts beside one of nose and eyes: found landmarks tell the jaw's width half as well. */
const JAW_WEIGHT = 0.2

/** Poses and shape are found in turns, this often. */
const ROUNDS = 2

/** As `fitHead` sees: a camera this many eye distances away. */
const CAMERA_DISTANCE = 12

/** How much the mean head counts, in frames; and as a share of the frames, because their errors are alike. */
const PRIOR_FRAMES = 1
const PRIOR_SHARE = 0.02

/** Parts into which a clip is cut to see how much the number depends on the part. */
const BLOCKS = 6

/** The bone and outline of a person's face, without pose and expression. */
export interface FaceShape {
  /** Places of jaw, nose and corners of the eyes: x to its own left, y up, z out of the face, in eye distances. */
  points: readonly Vector[]
  /** Faces that it is made of. */
  faces: number
}

/** How alike the faces of two people are in bone and outline. */
export interface ShapeDifference {
  /**
   * Root mean square distance of the points as seen from the front, those of the jaw counted by a fifth, in % of the distance of the
   * outer corners of the eyes.
   */
  percent: number
  /** Standard error of `percent`, from leaving parts of the footage out. */
  spread: number
  /** SRC's measure over DST's: above 1 SRC's is larger. */
  ratios: { jawWidth: number; cheekWidth: number; faceHeight: number; noseLength: number; noseWidth: number }
  /** Share of DST's face from the front, 0..1, that lies outside SRC's: what a pasted mask leaves uncovered. */
  uncovered: number
}

/**
 * The shape of a person's face, from its landmarks in many frames: pose and shape are found in turns, from an average head on, and
 * each point is laid where it explains its places in all frames best. The jaw is taken from frames with the mouth shut,
 * and from the side that faces the camera. At last both sides are made even: where found landmarks differ from left to right, it
 * is mostly their error.
 *
 * @param faces Landmarks of one person, in pixels of the frames.
 * @throws DflError `NO_FACES` with fewer than 3 faces.
 * Source: structure from known rotations, Tomasi and Kanade 1992, https://doi.org/10.1007/BF00129684; with a prior
 */
export function faceShape(faces: readonly Landmarks[]): FaceShape {
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
  return { points: evened(shape), faces: faces.length }
}

/** The shape's points, each the mean of itself and of its mirrored fellow. */
function evened(shape: readonly Vector[]): Vector[] {
  const middle = MIDDLE.reduce((sum, point) => sum + shape[point][0] / MIDDLE.length, 0)
  return POINTS.map((point, i) => {
    const [[x, y, z], [u, v, w]] = [shape[point], shape[MIRRORED[i]]]
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
    shut: mouthOpening(landmarks) < 0.05,
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
  if (point > 16) return 1
  // The far side of the jaw is a guess once the head turns.
  const hidden = point < 8 ? -yaw : point > 8 ? yaw : 0
  if (hidden > 0.35 || Math.abs(yaw) > 0.8) return 0
  return shut ? 1 : 0.03
}

/**
 * How much two people differ in the bone and outline of their faces, with the spread of that number.
 *
 * @param src Landmarks of SRC in many frames, in pixels of the frames, in order of time; and of DST.
 */
export function shapeDifference(src: readonly Landmarks[], dst: readonly Landmarks[]): ShapeDifference {
  const shapes = { src: faceShape(src), dst: faceShape(dst) }
  const percent = difference(shapes.src, shapes.dst)
  const without = (faces: readonly Landmarks[], other: FaceShape) => {
    if (faces.length < 3 * BLOCKS) return []
    const block = Math.ceil(faces.length / BLOCKS)
    return Array.from({ length: BLOCKS }, (_, k) =>
      difference(faceShape(faces.filter((__, i) => Math.floor(i / block) !== k)), other),
    )
  }
  return {
    percent,
    spread: Math.sqrt(jackknife(without(src, shapes.dst)) + jackknife(without(dst, shapes.src))),
    ratios: ratios(shapes.src, shapes.dst),
    uncovered: uncoveredArea(shapes.src, shapes.dst),
  }
}

/** Variance of a number from what it is when each part is left out. Source: Tukey 1958. */
function jackknife(values: readonly number[]): number {
  const n = values.length
  if (n === 0) return 0
  const mean = values.reduce((sum, v) => sum + v, 0) / n
  return ((n - 1) / n) * values.reduce((sum, v) => sum + (v - mean) ** 2, 0)
}

function difference(a: FaceShape, b: FaceShape): number {
  const turned = turnOnto(a.points, b.points)
  let [sum, weights] = [0, 0]
  turned.forEach(([x, y], i) => {
    // As seen from the front: what landmarks tell of depth has next to nothing to do with a face's true depth.
    const [u, v] = b.points[i]
    const weight = POINTS[i] > 16 ? 1 : JAW_WEIGHT
    weights += weight
    sum += weight * ((x - u) ** 2 + (y - v) ** 2)
  })
  return 100 * Math.sqrt(sum / weights)
}

function ratios(a: FaceShape, b: FaceShape): ShapeDifference['ratios'] {
  const eyes = (shape: FaceShape) => apart(shape, 36, 45)
  const ratio = (from: number, to: number) => apart(a, from, to) / eyes(a) / (apart(b, from, to) / eyes(b))
  return {
    jawWidth: (ratio(4, 12) + ratio(5, 11)) / 2,
    cheekWidth: (ratio(1, 15) + ratio(2, 14)) / 2,
    faceHeight: ratio(27, 8),
    noseLength: ratio(27, 33),
    noseWidth: ratio(31, 35),
  }
}

const pointOf = ({ points }: FaceShape, landmark: number) => points[POINTS.indexOf(landmark)]

function apart(shape: FaceShape, from: number, to: number): number {
  const [a, b] = [pointOf(shape, from), pointOf(shape, to)]
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}

/** Share of the second outline, from the front, outside the first, when eyes and nose lie over each other. */
function uncoveredArea(src: FaceShape, dst: FaceShape): number {
  const inner = POINTS.map((point, i) => (point > 16 ? i : -1)).filter((i) => i >= 0)
  const laid = turnOnto(src.points, dst.points, inner)
  const outline = (points: readonly Vector[]) => JAW.map((i) => [points[i][0], points[i][1]] as const)
  const [mask, face] = [outline(laid), outline(dst.points)]
  // Counted on a grid: outlines are not convex.
  const ys = face.map(([, y]) => y)
  const [low, high] = [Math.min(...ys), Math.max(...ys)]
  let [inside, outside] = [0, 0]
  for (let row = 0; row < 60; row++)
    for (let column = 0; column < 60; column++) {
      const place = [-1.2 + (2.4 * (column + 0.5)) / 60, low + ((high - low) * (row + 0.5)) / 60] as const
      if (!contains(face, place)) continue
      inside++
      if (!contains(mask, place)) outside++
    }
  return inside === 0 ? 0 : outside / inside
}

function contains(polygon: readonly (readonly [number, number])[], [x, y]: readonly [number, number]): boolean {
  let inside = false
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [[ax, ay], [bx, by]] = [polygon[i], polygon[j]]
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside
  }
  return inside
}
