/**
 * Bhattacharyya distance of two rows of square-rooted histograms of `levels` each: 0 where they are equal, 1 for each pair
 * that has nothing in common.
 *
 * Source: Bhattacharyya 1943, in the form of OpenCV's HISTCMP_BHATTACHARYYA
 */
export function histogramDistance(a: Float32Array, b: Float32Array, levels = 64): number {
  let distance = 0
  for (let from = 0; from < a.length; from += levels) {
    let common = 0
    for (let i = from; i < from + levels; i++) common += a[i]! * b[i]!
    distance += Math.sqrt(Math.max(0, 1 - common))
  }
  return distance
}

/** Mean absolute difference of two pictures, 0..255; anything above `most` may come back as any number above it. */
export function pictureDistance(a: Uint8Array, b: Uint8Array, most = Number.POSITIVE_INFINITY): number {
  const limit = most * a.length
  let sum = 0
  for (let i = 0; i < a.length; i += 16) {
    for (let k = i; k < i + 16; k++) sum += Math.abs(a[k]! - b[k]!)
    if (sum > limit) break
  }
  return sum / a.length
}

/**
 * The items in an order in which each is followed by the one most like it of those that are left.
 *
 * @param first Index of the item that begins.
 */
export function chain<T>(items: readonly T[], distance: (a: T, b: T) => number, first = 0): T[] {
  const left = [...items]
  const out = left.splice(first, 1)
  while (left.length > 0) {
    const last = out[out.length - 1]!
    let best = 0
    let nearest = Number.POSITIVE_INFINITY
    for (let i = 0; i < left.length; i++) {
      const d = distance(last, left[i]!)
      if (d < nearest) {
        nearest = d
        best = i
      }
    }
    out.push(left[best]!)
    left[best] = left[left.length - 1]!
    left.pop()
  }
  return out
}

/** Most others that an item is compared with by `dissimilarity`. */
const MOST_OTHERS = 4000

/** How unlike the others each item is: the sum of its distances to them, or to an even choice of them where there are many. */
export function dissimilarity<T>(items: readonly T[], distance: (a: T, b: T) => number): number[] {
  const step = Math.max(1, items.length / MOST_OTHERS)
  const others = Array.from({ length: Math.ceil(items.length / step) }, (_, i) => items[Math.floor(i * step)]!)
  return items.map((item) => others.reduce((sum, other) => sum + distance(item, other), 0))
}
