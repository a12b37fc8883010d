import type { Landmarks } from '@dfl/core'
import { withoutLean } from './lean.js'
import { seenShape } from './seen-shape.js'
import { INNER, JAW, SHAPE_POINTS } from './shape-points.js'
import { turnOnto, type Vector } from './turn-onto.js'

/** How much a point of the jaw counts beside one of nose and eyes. */
const JAW_WEIGHT = 0.2

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
  /** SRC's measure over DST's: above 1 SRC's is larger, by more than is told, as found landmarks lean to the usual face. */
  ratios: { jawWidth: number; cheekWidth: number; faceHeight: number; noseLength: number; noseWidth: number }
  /** Share of DST's face from the front, 0..1, that lies outside SRC's: what a pasted mask leaves uncovered. */
  uncovered: number
}

/**
 * The shape of a person's face, from its landmarks in many frames, freed from pose, expression and the lean of found landmarks
 * towards the usual face. Of landmarks that are exact it makes too much, as these do not lean.
 *
 * @param faces Found landmarks of one person, in pixels of the frames.
 * @throws DflError `NO_FACES` with fewer than 3 faces.
 */
export function faceShape(faces: readonly Landmarks[]): FaceShape {
  return { points: withoutLean(seenShape(faces)), faces: faces.length }
}

/**
 * How much two people differ in the bone and outline of their faces, with the spread of that number.
 *
 * @param src Found landmarks of SRC in many frames, in pixels of the frames, in order of time; and of DST.
 */
export function shapeDifference(src: readonly Landmarks[], dst: readonly Landmarks[]): ShapeDifference {
  const seen = { src: seenShape(src), dst: seenShape(dst) }
  const shapes = {
    src: { points: withoutLean(seen.src), faces: src.length },
    dst: { points: withoutLean(seen.dst), faces: dst.length },
  }
  const percent = shapesApart(shapes.src, shapes.dst)
  const without = (faces: readonly Landmarks[], other: FaceShape) => {
    if (faces.length < 3 * BLOCKS) return []
    const block = Math.ceil(faces.length / BLOCKS)
    return Array.from({ length: BLOCKS }, (_, k) =>
      shapesApart(faceShape(faces.filter((__, i) => Math.floor(i / block) !== k)), other),
    )
  }
  return {
    percent,
    spread: Math.sqrt(jackknife(without(src, shapes.dst)) + jackknife(without(dst, shapes.src))),
    ratios: ratios(seen.src, seen.dst),
    uncovered: uncoveredArea(seen.src, seen.dst),
  }
}

/** Variance of a number from what it is when each part is left out. Source: Tukey 1958. */
function jackknife(values: readonly number[]): number {
  const n = values.length
  if (n === 0) return 0
  const mean = values.reduce((sum, v) => sum + v, 0) / n
  return ((n - 1) / n) * values.reduce((sum, v) => sum + (v - mean) ** 2, 0)
}

/** Root mean square distance of two shapes as `ShapeDifference.percent` has it, the first laid on the second. */
export function shapesApart(a: FaceShape, b: FaceShape): number {
  const turned = turnOnto(a.points, b.points)
  let [sum, weights] = [0, 0]
  turned.forEach(([x, y], i) => {
    // As seen from the front: what landmarks tell of depth has next to nothing to do with a face's true depth.
    const [u, v] = b.points[i]
    const weight = SHAPE_POINTS[i] > 16 ? 1 : JAW_WEIGHT
    weights += weight
    sum += weight * ((x - u) ** 2 + (y - v) ** 2)
  })
  return 100 * Math.sqrt(sum / weights)
}

/** Of shapes as they were found: where these lean, both lean alike, so it is told right which is larger. */
function ratios(a: readonly Vector[], b: readonly Vector[]): ShapeDifference['ratios'] {
  const over = (shape: readonly Vector[], from: number, to: number) => apart(shape, from, to) / apart(shape, 36, 45)
  const ratio = (from: number, to: number) => over(a, from, to) / over(b, from, to)
  return {
    jawWidth: (ratio(4, 12) + ratio(5, 11)) / 2,
    cheekWidth: (ratio(1, 15) + ratio(2, 14)) / 2,
    faceHeight: ratio(27, 8),
    noseLength: ratio(27, 33),
    noseWidth: ratio(31, 35),
  }
}

const apart = (shape: readonly Vector[], from: number, to: number) =>
  Math.hypot(...shape[from].map((v, axis) => v - shape[to][axis]))

/**
 * Share of the second outline, from the front, outside the first, when eyes and nose lie over each other: as landmarks were
 * found, since masks are made of these.
 */
function uncoveredArea(src: readonly Vector[], dst: readonly Vector[]): number {
  const laid = turnOnto(src, dst, INNER)
  const outline = (points: readonly Vector[]) => JAW.map((i) => [points[i][0], points[i][1]] as const)
  const [mask, face] = [outline(laid), outline(dst)]
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
