/** A 3 × 3 matrix, row by row. */
export type Matrix3 = readonly number[]

/** The product of two matrices. */
export function multiply3(a: Matrix3, b: Matrix3): number[] {
  return Array.from({ length: 9 }, (_, i) => {
    const row = i - (i % 3)
    const column = i % 3
    return a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6]
  })
}

/** Rows as columns. */
export const transpose3 = (a: Matrix3): number[] => [a[0], a[3], a[6], a[1], a[4], a[7], a[2], a[5], a[8]]

/**
 * A function of a symmetric matrix: the matrix with the same eigenvectors whose eigenvalues are `change` of its own.
 *
 * Source: Jacobi 1846, https://doi.org/10.1515/crll.1846.30.51
 */
export function mapEigenvalues(symmetric: Matrix3, change: (eigenvalue: number) => number): number[] {
  let a = [...symmetric]
  let vectors: number[] = [1, 0, 0, 0, 1, 0, 0, 0, 1]
  for (let sweep = 0; sweep < 12; sweep++)
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      if (Math.abs(a[p * 3 + q]) < 1e-18) continue
      const angle = 0.5 * Math.atan2(2 * a[p * 3 + q], a[q * 4] - a[p * 4])
      const turn: number[] = [1, 0, 0, 0, 1, 0, 0, 0, 1]
      turn[p * 4] = turn[q * 4] = Math.cos(angle)
      turn[p * 3 + q] = Math.sin(angle)
      turn[q * 3 + p] = -Math.sin(angle)
      a = multiply3(transpose3(turn), multiply3(a, turn))
      vectors = multiply3(vectors, turn)
    }
  const changed = [change(a[0]), 0, 0, 0, change(a[4]), 0, 0, 0, change(a[8])]
  return multiply3(vectors, multiply3(changed, transpose3(vectors)))
}
