import { type Affine, DflError, type Point } from '@dfl/core'
import { centroid } from './landmarks.js'

/**
 * The map from `from` to `to` by one scale, one rotation and one shift, with the least sum of squared distances.
 *
 * In the plane the problem is linear, so no singular values are needed; as the map can only turn, mirrored points give
 * the best map that does not mirror.
 *
 * @param from  At least two different points.
 * @param to  As many points, the n-th belonging to the n-th of `from`.
 *
 * Source: Umeyama 1991, https://doi.org/10.1109/34.88573; in closed form for two dimensions
 */
export function similarityTransform(from: readonly Point[], to: readonly Point[]): Affine {
  if (from.length !== to.length)
    throw new DflError('BAD_SHAPE', `Expected ${from.length} points for \`to\`, but got ${to.length}.`)
  if (from.length < 2)
    throw new DflError('BAD_SHAPE', `Expected at least 2 points for \`from\`, but got ${from.length}.`)
  const [fx, fy] = centroid(from)
  const [gx, gy] = centroid(to)
  let dot = 0
  let cross = 0
  let square = 0
  for (let i = 0; i < from.length; i++) {
    const x = from[i][0] - fx
    const y = from[i][1] - fy
    const u = to[i][0] - gx
    const v = to[i][1] - gy
    dot += x * u + y * v
    cross += x * v - y * u
    square += x * x + y * y
  }
  const a = dot / square
  const b = cross / square
  if (!Number.isFinite(a) || !Number.isFinite(b))
    throw new DflError(
      'BAD_SHAPE',
      'Expected finite points that are not all the same for `from`, but got points that fix no scale. Detect the face again.',
    )
  return [a, -b, gx - a * fx + b * fy, b, a, gy - b * fx - a * fy]
}
