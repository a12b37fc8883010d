import type { Landmarks } from '@dfl/core'
import { HEAD_68 } from './head-68.js'
import { checkLandmarks } from './landmarks.js'
import { solve } from './solve.js'

/** The 68 landmarks of a head at rest, as `HEAD_68` has them. */
export type Head68 = readonly (readonly [x: number, y: number, z: number])[]

/** An average head laid under landmarks, as seen from about a metre. */
export interface HeadFit {
  /** Rows of the rotation from the head (x to its left, y up, z out of the face) to the camera (x right, y up, z back). */
  rotation: readonly number[]
  /** Pixels of the image per distance of the outer corners of the eyes. */
  scale: number
}

/** How much each landmark counts: bone and eye corners fully, brows, mouth and jaw little, as they move or slide. */
const WEIGHTS = HEAD_68.map((_, i) => {
  if (i <= 16) return i <= 2 || i >= 14 ? 0.3 : 0.05
  if (i <= 26) return 0.2
  if (i <= 35) return 1
  if (i <= 47) return i === 36 || i === 39 || i === 42 || i === 45 ? 1 : 0.2
  return i === 48 || i === 54 ? 0.15 : 0
})

/**
 * How far the camera is taken to be, in distances of the outer corners of the eyes: about a metre. From a near camera
 * a turned head looks a tenth more turned than from afar; this stays within a few per cent of both.
 */
const CAMERA_DISTANCE = 12

/**
 * The rotation and scale at which an average head best covers the landmarks, by weighted least squares: first
 * the best affine map, then Gauss–Newton on the rotation as seen in perspective, with far-off points counting less.
 *
 * @param landmarks  In pixels of any image with square pixels.
 * @param head  Another head than the average one, in its units and directions.
 *
 * Source: DeMenthon and Davis 1995, https://doi.org/10.1007/BF01450852 (the start); Huber 1964 (the weights)
 */
export function fitHead(landmarks: Landmarks, head: Head68 = HEAD_68): HeadFit {
  checkLandmarks(landmarks)
  const fit = startOf(landmarks, head)
  for (let step = 0; step < 12; step++) if (refine(fit, landmarks, head) < 1e-7) break
  return { rotation: fit.rotation, scale: fit.scale }
}

interface State {
  rotation: number[]
  scale: number
  /** Where the head's origin lies, y up. */
  x: number
  y: number
}

/** Rows of the best affine map, made orthogonal and equally long. */
function startOf(landmarks: Landmarks, head: Head68): State {
  const normal = new Float64Array(16)
  const right = [new Float64Array(4), new Float64Array(4)]
  head.forEach(([x, y, z], i) => {
    const row = [x, y, z, 1]
    for (let j = 0; j < 4; j++) {
      for (let k = 0; k < 4; k++) normal[4 * j + k] += WEIGHTS[i] * row[j] * row[k]
      right[0][j] += WEIGHTS[i] * row[j] * landmarks[i][0]
      right[1][j] -= WEIGHTS[i] * row[j] * landmarks[i][1]
    }
  })
  const u = solve(normal, right[0])
  const v = solve(normal, right[1])
  const length = (a: ArrayLike<number>) => Math.hypot(a[0], a[1], a[2]) || 1e-9
  const scale = (length(u) + length(v)) / 2
  const i = [u[0] / length(u), u[1] / length(u), u[2] / length(u)]
  const along = i[0] * v[0] + i[1] * v[1] + i[2] * v[2]
  const across = [v[0] - along * i[0], v[1] - along * i[1], v[2] - along * i[2]]
  const j = across.map((a) => a / length(across))
  const k = [i[1] * j[2] - i[2] * j[1], i[2] * j[0] - i[0] * j[2], i[0] * j[1] - i[1] * j[0]]
  return { rotation: [...i, ...j, ...k], scale, x: u[3], y: v[3] }
}

/** One Gauss–Newton step, in place; gives back how far it went, in radians and scales. */
function refine(fit: State, landmarks: Landmarks, head: Head68): number {
  const { rotation: r, scale } = fit
  const normal = new Float64Array(36)
  const gradient = new Float64Array(6)
  const add = (row: readonly number[], residual: number, weight: number) => {
    for (let j = 0; j < 6; j++) {
      for (let k = 0; k < 6; k++) normal[6 * j + k] += weight * row[j] * row[k]
      gradient[j] += weight * row[j] * residual
    }
  }
  head.forEach(([X, Y, Z], i) => {
    if (WEIGHTS[i] === 0) return
    const a = r[0] * X + r[1] * Y + r[2] * Z
    const b = r[3] * X + r[4] * Y + r[5] * Z
    const c = r[6] * X + r[7] * Y + r[8] * Z
    // What is nearer looks larger; and how that changes with c.
    const size = scale / (1 - c / CAMERA_DISTANCE)
    const sizePerDepth = (size * size) / (scale * CAMERA_DISTANCE)
    const ex = landmarks[i][0] - size * a - fit.x
    const ey = -landmarks[i][1] - size * b - fit.y
    const distance = Math.hypot(ex, ey) / (0.06 * scale)
    const weight = distance > 1 ? WEIGHTS[i] / distance : WEIGHTS[i]
    // Turned by (p, q, s) a vector (a, b, c) moves by (q c − s b, s a − p c, p b − q a); scale moves by its logarithm.
    const [xPerDepth, yPerDepth] = [a * sizePerDepth, b * sizePerDepth]
    add([xPerDepth * b, size * c - xPerDepth * a, -size * b, size * a, 1, 0], ex, weight)
    add([yPerDepth * b - size * c, -yPerDepth * a, size * a, size * b, 0, 1], ey, weight)
  })
  const [p, q, s, grow, x, y] = solve(normal, gradient)
  fit.rotation = turn(r, p, q, s)
  fit.scale *= Math.exp(grow)
  fit.x += x
  fit.y += y
  return Math.hypot(p, q, s, grow)
}

/** `rotation` followed by a turn about the vector (p, q, s), by its length in radians. Source: Rodrigues 1840. */
function turn(rotation: readonly number[], p: number, q: number, s: number): number[] {
  const angle = Math.hypot(p, q, s)
  const sin = angle < 1e-9 ? 1 : Math.sin(angle) / angle
  const cos = angle < 1e-9 ? 0.5 : (1 - Math.cos(angle)) / angle ** 2
  const m = [
    1 - cos * (q * q + s * s),
    cos * p * q - sin * s,
    cos * p * s + sin * q,
    cos * p * q + sin * s,
    1 - cos * (p * p + s * s),
    cos * q * s - sin * p,
    cos * p * s - sin * q,
    cos * q * s + sin * p,
    1 - cos * (p * p + q * q),
  ]
  return rotation.map((_, n) => {
    const [row, column] = [Math.floor(n / 3) * 3, n % 3]
    return m[row] * rotation[column] + m[row + 1] * rotation[3 + column] + m[row + 2] * rotation[6 + column]
  })
}
