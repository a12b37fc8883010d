import { type Affine, DflError, type Point } from '@dfl/core'

/** `point` mapped by `mat`. */
export function applyAffine(mat: Affine, point: Point): Point {
  const [a, b, tx, c, d, ty] = mat
  return [a * point[0] + b * point[1] + tx, c * point[0] + d * point[1] + ty]
}

/** All `points` mapped by `mat`. */
export function applyAffineAll(mat: Affine, points: readonly Point[]): Point[] {
  return points.map((point) => applyAffine(mat, point))
}

/**
 * The map that undoes `mat`.
 *
 * @throws DflError `BAD_OPTION` when `mat` squeezes the plane into a line or holds something that is no number.
 */
export function invertAffine(mat: Affine): Affine {
  const [a, b, tx, c, d, ty] = mat
  const det = a * d - b * c
  if (!Number.isFinite(1 / det) || !Number.isFinite(tx + ty))
    throw new DflError(
      'BAD_OPTION',
      `Expected an invertible matrix for \`mat\`, but got [${mat.join(', ')}]. Check the points it was made from.`,
      { data: { mat } },
    )
  const ia = d / det
  const ib = -b / det
  const ic = -c / det
  const id = a / det
  return [ia, ib, -(ia * tx + ib * ty), ic, id, -(ic * tx + id * ty)]
}

/** The map that applies `inner` first and `outer` to its result. */
export function multiplyAffine(outer: Affine, inner: Affine): Affine {
  const [a, b, tx, c, d, ty] = outer
  const [e, f, ux, g, h, uy] = inner
  return [a * e + b * g, a * f + b * h, a * ux + b * uy + tx, c * e + d * g, c * f + d * h, c * ux + d * uy + ty]
}

/** How much longer `mat` makes a line, as the square root of how it changes areas. */
export function affineScale(mat: Affine): number {
  return Math.sqrt(Math.abs(mat[0] * mat[4] - mat[1] * mat[3]))
}

/** The map that moves by (x, y). */
export function translation(x: number, y: number): Affine {
  return [1, 0, x, 0, 1, y]
}

/** The map that scales about the origin, which is the centre of the upper-left pixel. */
export function scaling(x: number, y = x): Affine {
  return [x, 0, 0, 0, y, 0]
}
