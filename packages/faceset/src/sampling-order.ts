import { hashSeed, Random } from '@dfl/core'

/** Which face the k-th sample of a side shows, for k from 0 without end: an index into the faceset. */
export type SamplingOrder = (k: number) => number

/** Yaw bins for `uniformYaw`, and the range they cover; faces beyond it fall into the outermost bins. */
const YAW_BINS = 128
const FARTHEST_YAW_DEGREES = (1.2 * 180) / Math.PI

/** Every face once in a new random order, then again in another, and so on. Depends on the arguments alone. */
export function shuffledOrder(count: number, seed: number): SamplingOrder {
  const shuffled = remember((epoch: number) => new Random(hashSeed(seed, 'epoch', epoch)).shuffle(range(count)))
  return (k) => shuffled(Math.floor(k / count))[k % count]
}

/**
 * Every yaw as often as any other: one face from each yaw bin that has faces, bins in random order, then again; inside a
 * bin every face comes once before one comes twice.
 *
 * @param yawDegrees One for each face.
 */
export function uniformYawOrder(yawDegrees: readonly number[], seed: number): SamplingOrder {
  const all: number[][] = Array.from({ length: YAW_BINS }, () => [])
  yawDegrees.forEach((yaw, face) => {
    const bin = Math.floor((yaw / FARTHEST_YAW_DEGREES + 1) * 0.5 * YAW_BINS)
    all[Math.min(YAW_BINS - 1, Math.max(0, bin))].push(face)
  })
  const bins = all.filter((bin) => bin.length > 0)
  const binOrder = shuffledOrder(bins.length, hashSeed(seed, 'bins'))
  const inside = bins.map((bin, i) => shuffledOrder(bin.length, hashSeed(seed, 'bin', i)))
  return (k) => {
    const bin = binOrder(k)
    return bins[bin][inside[bin](Math.floor(k / bins.length))]
  }
}

/**
 * Faces with rare values more often than they occur: a face's share falls with the square root of how many share its bin,
 * for each kind of value, and is at most `MOST_REPEATS` times that of the commonest. In an epoch of as many samples as there are
 * faces, each comes as often as its share asks for, rounded up or down by lot.
 *
 * @param values Of each kind one number for each face.
 */
export function rareOrder(values: readonly (readonly number[])[], seed: number): SamplingOrder {
  const count = values[0]!.length
  const weights = new Float64Array(count).fill(1)
  for (const kind of values) {
    const bins = binned(kind)
    const sizes = new Float64Array(BINS)
    for (const bin of bins) sizes[bin]!++
    for (let face = 0; face < count; face++) weights[face]! /= Math.sqrt(sizes[bins[face]!]!)
  }
  const least = weights.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  let total = 0
  const sums = weights.map((weight) => {
    total += Math.min(weight, MOST_REPEATS * least)
    return total
  })
  const epochs = remember((epoch: number) => {
    const random = new Random(hashSeed(seed, 'rare', epoch))
    const first = random.uniform(0, 1)
    let face = 0
    const drawn = range(count).map((i) => {
      while (face < count - 1 && sums[face]! < ((i + first) / count) * total) face++
      return face
    })
    return random.shuffle(drawn)
  })
  return (k) => epochs(Math.floor(k / count))[k % count]
}

/** Bins over the range of a kind of value in `rareOrder`, and how much more often than a common face a rare one comes. */
const BINS = 6
const MOST_REPEATS = 8

/** A smaller range is noise, and all its values are alike. Openings are in units of the eyes' distance. */
const SMALLEST_RANGE = 0.02

/** The bin of each value, over the range that holds all of them. */
function binned(values: readonly number[]): number[] {
  const lowest = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const highest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const width = Math.max(SMALLEST_RANGE, highest - lowest) / BINS
  return values.map((value) => Math.min(BINS - 1, Math.floor((value - lowest) / width)))
}

/**
 * `order` for a cache that cannot hold all faces: samples come from a window of `size` places of `order`, at random, and
 * the window moves on by one place every `uses` samples. So a face is decoded once for about `uses` samples, all faces
 * get their turn, and the face of sample k still depends on k alone.
 */
export function windowedOrder(order: SamplingOrder, size: number, uses: number, seed: number): SamplingOrder {
  return (k) => order(Math.floor(k / uses) + new Random(hashSeed(seed, 'window', k)).integer(size))
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i)

/** `make` with its last few results kept: neighbouring samples ask for the same two epochs. */
function remember<T>(make: (key: number) => T): (key: number) => T {
  const kept = new Map<number, T>()
  return (key) => {
    const known = kept.get(key)
    if (known !== undefined) return known
    if (kept.size >= 3) kept.delete(kept.keys().next().value as number)
    const made = make(key)
    kept.set(key, made)
    return made
  }
}
