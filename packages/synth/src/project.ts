import type { HeadGeometry } from './head-model.js'
import type { Scene } from './scene.js'

/** A head as a camera sees it. */
export interface Projected {
  /** [V] samples from the left and from the top. */
  x: Float32Array
  y: Float32Array
  /** [V] cm from the camera's plane. */
  depth: Float32Array
  /** [3·V] normals in the camera's directions, not of unit length: right, up, towards the camera. */
  normals: Float32Array
}

/** The point that heads turn about, in cm of the mean head. */
const PIVOT = [0, 1.5, -2] as const

/**
 * A head's vertices in samples of the picture.
 *
 * @param shape [3·V] in cm.
 * @param perPixel Samples per pixel along each axis.
 */
export function project(
  { triangles }: Pick<HeadGeometry, 'triangles'>,
  shape: Float32Array,
  scene: Scene,
  perPixel: number,
): Projected {
  const count = shape.length / 3
  const [m, width, height] = [rotationOf(scene.pose), scene.width * perPixel, scene.height * perPixel]
  const focal = height / 2 / Math.tan((scene.fovDegrees * Math.PI) / 360)
  const x = new Float32Array(count)
  const y = new Float32Array(count)
  const depth = new Float32Array(count)
  const camera = new Float32Array(3 * count)
  for (let i = 0, k = 0; i < count; i++, k += 3) {
    const a = shape[k] - PIVOT[0]
    const b = shape[k + 1] - PIVOT[1]
    const c = shape[k + 2] - PIVOT[2]
    const right = m[0] * a + m[1] * b + m[2] * c
    const up = m[3] * a + m[4] * b + m[5] * c
    const near = m[6] * a + m[7] * b + m[8] * c
    const z = scene.distanceCm - near
    camera[k] = right
    camera[k + 1] = up
    camera[k + 2] = near
    x[i] = width / 2 + (focal * (right + scene.shiftCm[0])) / z
    y[i] = height / 2 - (focal * (up + scene.shiftCm[1])) / z
    depth[i] = z
  }
  return { x, y, depth, normals: normalsOf(triangles, camera) }
}

/** Rows of the rotation from the head to the camera (right, up, towards the camera): yaw, then pitch, then roll. */
export function rotationOf({ yawDegrees, pitchDegrees, rollDegrees }: Scene['pose']): readonly number[] {
  const [yaw, pitch, roll] = [yawDegrees, -pitchDegrees, -rollDegrees].map((degrees) => (degrees * Math.PI) / 180)
  const [cy, sy, cp, sp, cr, sr] = [yaw, pitch, roll].flatMap((angle) => [Math.cos(angle), Math.sin(angle)])
  return [
    cr * cy + sr * -sp * sy,
    -sr * cp,
    cr * sy + sr * sp * cy,
    sr * cy + cr * sp * sy,
    cr * cp,
    sr * sy - cr * sp * cy,
    -cp * sy,
    sp,
    cp * cy,
  ]
}

/** Normals of vertices: sums of those of their triangles, larger ones counting more. */
function normalsOf(triangles: Uint16Array, points: Float32Array): Float32Array {
  const out = new Float32Array(points.length)
  for (let t = 0; t < triangles.length; t += 3) {
    const a = 3 * triangles[t]
    const b = 3 * triangles[t + 1]
    const c = 3 * triangles[t + 2]
    const ux = points[b] - points[a]
    const uy = points[b + 1] - points[a + 1]
    const uz = points[b + 2] - points[a + 2]
    const vx = points[c] - points[a]
    const vy = points[c + 1] - points[a + 1]
    const vz = points[c + 2] - points[a + 2]
    const nx = uy * vz - uz * vy
    const ny = uz * vx - ux * vz
    const nz = ux * vy - uy * vx
    out[a] += nx
    out[a + 1] += ny
    out[a + 2] += nz
    out[b] += nx
    out[b + 1] += ny
    out[b + 2] += nz
    out[c] += nx
    out[c + 1] += ny
    out[c + 2] += nz
  }
  return out
}
