/** A place in space. */
export type Vector = readonly [x: number, y: number, z: number]

/**
 * `points` turned, scaled and shifted so that they lie over `target` as well as they can.
 *
 * @param by Which of the points decide; all if not given.
 * Source: Horn 1987, https://doi.org/10.1364/JOSAA.4.000629 (unit quaternions)
 */
export function turnOnto(points: readonly Vector[], target: readonly Vector[], by?: readonly number[]): Vector[] {
  const deciding = by ?? points.map((_, i) => i)
  const [p, q] = [mean(points, deciding), mean(target, deciding)]
  const m = new Float64Array(9)
  let [before, after] = [0, 0]
  for (const i of deciding) {
    const a = minus(points[i], p)
    const b = minus(target[i], q)
    for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) m[3 * j + k] += a[j] * b[k]
    before += a[0] ** 2 + a[1] ** 2 + a[2] ** 2
    after += b[0] ** 2 + b[1] ** 2 + b[2] ** 2
  }
  const [w, x, y, z] = mainQuaternion(m)
  const rotation = [
    w * w + x * x - y * y - z * z,
    2 * (x * y - w * z),
    2 * (x * z + w * y),
    2 * (x * y + w * z),
    w * w - x * x + y * y - z * z,
    2 * (y * z - w * x),
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    w * w - x * x - y * y + z * z,
  ]
  const scale = Math.sqrt(after / Math.max(before, 1e-12))
  return points.map((point) => {
    const a = minus(point, p)
    const row = (r: number) => rotation[3 * r] * a[0] + rotation[3 * r + 1] * a[1] + rotation[3 * r + 2] * a[2]
    return [q[0] + scale * row(0), q[1] + scale * row(1), q[2] + scale * row(2)]
  })
}

/** The quaternion of the best rotation: the main eigenvector of Horn's matrix, by multiplying it often. */
function mainQuaternion(m: ArrayLike<number>): readonly number[] {
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = Array.from(m)
  const n = [
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ]
  // Made positive, so that the largest eigenvalue is the largest in size.
  const lift = n.flat().reduce((sum, v) => sum + Math.abs(v), 1e-9)
  let v = [1, 1e-3, 1e-3, 1e-3]
  for (let round = 0; round < 400; round++) {
    const next = n.map((row, i) => row.reduce((sum, value, j) => sum + value * v[j], lift * v[i]))
    const length = Math.hypot(...next)
    v = next.map((value) => value / length)
  }
  return v
}

function mean(points: readonly Vector[], of: readonly number[]): Vector {
  let [x, y, z] = [0, 0, 0]
  for (const i of of) {
    x += points[i][0] / of.length
    y += points[i][1] / of.length
    z += points[i][2] / of.length
  }
  return [x, y, z]
}

const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
