import type { Vector } from './turn-onto.js'

/** The x with `matrix` · x = `right`, for three unknowns. Source: Cramer's rule. */
export function solve3(matrix: ArrayLike<number>, right: ArrayLike<number>): Vector {
  const [a, b, c, d, e, f, g, h, i] = Array.from(matrix)
  const [p, q, r] = Array.from(right)
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
  return [
    (p * (e * i - f * h) - b * (q * i - f * r) + c * (q * h - e * r)) / determinant,
    (a * (q * i - f * r) - p * (d * i - f * g) + c * (d * r - q * g)) / determinant,
    (a * (e * r - q * h) - b * (d * r - q * g) + p * (d * h - e * g)) / determinant,
  ]
}
