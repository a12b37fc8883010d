/**
 * Pearson's correlation, −1..1, or `undefined` where it is not defined: fewer than two values, or one side never moves.
 *
 * Source: K. Pearson 1895, https://doi.org/10.1098/rspl.1895.0041
 */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number | undefined {
  const n = Math.min(a.length, b.length)
  let meanA = 0
  let meanB = 0
  for (let i = 0; i < n; i++) {
    meanA += a[i]! / n
    meanB += b[i]! / n
  }
  let ab = 0
  let aa = 0
  let bb = 0
  for (let i = 0; i < n; i++) {
    ab += (a[i]! - meanA) * (b[i]! - meanB)
    aa += (a[i]! - meanA) ** 2
    bb += (b[i]! - meanB) ** 2
  }
  const tiny = 1e-18 * n
  if (n < 2 || aa <= tiny * (1 + meanA * meanA) || bb <= tiny * (1 + meanB * meanB)) return undefined
  return Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb)))
}

/**
 * Spearman's rank correlation, −1..1, or `undefined` where it is not defined. Equal values share their mean rank.
 *
 * Source: C. Spearman 1904, https://doi.org/10.2307/1412159
 */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number | undefined {
  return correlation(ranks(a), ranks(b))
}

function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i]! - values[j]!)
  const out = new Float64Array(values.length)
  for (let from = 0; from < order.length; ) {
    let to = from
    while (to + 1 < order.length && values[order[to + 1]!] === values[order[from]!]) to++
    for (let k = from; k <= to; k++) out[order[k]!] = (from + to) / 2
    from = to + 1
  }
  return out
}
