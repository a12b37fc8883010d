/**
 * A function that moves values so that they are spread as others are, keeping their order: for each value, the one that
 * as large a share of `to` lies below as of `from` lies below it. Also known as histogram matching.
 *
 * @param from  Values as they are.
 * @param to  Values as they should be spread.
 * @param options  `fromWeights`, `toWeights`: how much each value counts, 1 if not given. `bins`: of the histograms.
 *
 * Source: Gonzalez, Woods, Digital Image Processing, histogram specification; optimal in one dimension: Villani 2003,
 * Topics in Optimal Transportation, §2.2
 */
export function transport(
  from: Float32Array,
  to: Float32Array,
  { fromWeights, toWeights, bins = 512 }: { fromWeights?: Float32Array; toWeights?: Float32Array; bins?: number } = {},
): (value: number) => number {
  const [low, high] = rangeOf([from, to])
  if (!(high > low)) return (value) => value
  const scale = bins / (high - low)
  const sharesFrom = sharesBelow(from, { low, scale, bins, weights: fromWeights })
  const sharesTo = sharesBelow(to, { low, scale, bins, weights: toWeights })
  if (!sharesFrom || !sharesTo) return (value) => value
  // Each bin of `from` becomes a stretch between two positions in the histogram of `to`. Where `to` has a gap, stretches
  // begin at its end and end at its beginning, so that nothing is moved into it.
  const begin = new Float64Array(bins)
  const end = new Float64Array(bins)
  for (let b = 0, first = 0, last = 0; b < bins; b++) {
    while (first < bins - 1 && sharesTo[first + 1] <= sharesFrom[b] + TINY) first++
    while (last < bins - 1 && sharesTo[last + 1] < sharesFrom[b + 1] - TINY) last++
    begin[b] = positionOf(sharesTo, first, sharesFrom[b])
    end[b] = positionOf(sharesTo, last, sharesFrom[b + 1])
    // Many equal values, as of a clipped light, stay together instead of being pulled to one end of where they go.
    const reach = sharesFrom[b + 1] - sharesFrom[b] <= TINY ? 0 : Math.min(MOST_STRETCH, end[b] - begin[b]) / 2
    const middle = (begin[b] + end[b]) / 2
    begin[b] = middle - reach
    end[b] = middle + reach
  }
  return (value) => {
    const at = (value - low) * scale
    const b = at > 0 ? Math.min(bins - 1, at | 0) : 0
    return low + (begin[b] + (at - b) * (end[b] - begin[b])) / scale
  }
}

/** A bin is drawn out to no more than so many. */
const MOST_STRETCH = 6

/** Shares that differ by less are the same. */
const TINY = 1e-9

function positionOf(shares: Float64Array, bin: number, share: number): number {
  const within = shares[bin + 1] - shares[bin]
  return within > TINY ? bin + Math.min(1, Math.max(0, (share - shares[bin]) / within)) : bin
}

/** The share of values below the beginning of each bin, and 1 at the end; nothing where no value counts. */
function sharesBelow(
  values: Float32Array,
  { low, scale, bins, weights }: { low: number; scale: number; bins: number; weights?: Float32Array },
): Float64Array | undefined {
  const shares = new Float64Array(bins + 1)
  for (let i = 0; i < values.length; i++) {
    const b = Math.min(bins - 1, ((values[i] - low) * scale) | 0)
    shares[b + 1] += weights ? weights[i] : 1
  }
  for (let b = 0; b < bins; b++) shares[b + 1] += shares[b]
  const total = shares[bins]
  if (!(total > 0)) return undefined
  for (let b = 0; b <= bins; b++) shares[b] /= total
  return shares
}

function rangeOf(lists: readonly Float32Array[]): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const list of lists)
    for (let i = 0; i < list.length; i++) {
      if (list[i] < low) low = list[i]
      if (list[i] > high) high = list[i]
    }
  return [low, high]
}
