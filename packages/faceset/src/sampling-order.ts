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
