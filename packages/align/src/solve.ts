/**
 * The x with `matrix` · x = `right`, by elimination with row exchange; where the matrix leaves x open, 0.
 *
 * @param matrix  [n · n] row by row, left as it is.
 * @param right  [n]
 */
export function solve(matrix: ArrayLike<number>, right: ArrayLike<number>): number[] {
  const n = right.length
  const rows = Array.from({ length: n }, (_, i) => [
    ...Array.from({ length: n }, (_, j) => matrix[n * i + j]),
    right[i],
  ])
  const largest = Math.max(...Array.from(matrix, Math.abs))
  for (let i = 0; i < n; i++) {
    let pivot = i
    for (let j = i + 1; j < n; j++) if (Math.abs(rows[j][i]) > Math.abs(rows[pivot][i])) pivot = j
    ;[rows[i], rows[pivot]] = [rows[pivot], rows[i]]
    if (Math.abs(rows[i][i]) <= 1e-14 * largest) continue
    for (let j = 0; j < n; j++) {
      if (j === i) continue
      const f = rows[j][i] / rows[i][i]
      if (f !== 0) for (let k = i; k <= n; k++) rows[j][k] -= f * rows[i][k]
    }
  }
  return rows.map((row, i) => (Math.abs(row[i]) <= 1e-14 * largest ? 0 : row[n] / row[i]))
}
