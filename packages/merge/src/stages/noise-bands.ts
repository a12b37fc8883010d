/** Bands of detail: 1, 2 and 4 pixels wide. */
export const BANDS = 3

/** How far the coarsest band looks round a pixel. */
export const REACH = 14

/** Over this a value is no noise; noise is read to a 4096th of it. */
const LARGEST = 0.25
const BINS = 4096

/**
 * A plane taken apart into bands of detail: each pixel is the sum of its bands and of a smooth rest, which is left out.
 *
 * @param plane [height, width]. At its edges it is mirrored, or goes on at the other side where it is `periodic`.
 * Source: à trous transform with the B3 spline: Starck, Murtagh 1994, A&A 288, 342
 */
export function bandsOf(
  plane: Float32Array,
  { width, height, periodic = false }: { width: number; height: number; periodic?: boolean },
): Float32Array[] {
  const bands: Float32Array[] = []
  let fine = plane
  for (let band = 0; band < BANDS; band++) {
    const smooth = smoothed(fine, width, height, 1 << band, periodic)
    bands.push(fine.map((v, i) => v - smooth[i]!))
    fine = smooth
  }
  return bands
}

/**
 * Deviation of the noise in values of which some hold edges too: the median of their amounts over that of normal noise.
 *
 * @param counts Which values count.
 * Source: Donoho, Johnstone 1994, https://doi.org/10.1093/biomet/81.3.425
 */
export function noiseOf(values: Float32Array, counts: Uint8Array): number {
  const bins = new Uint32Array(BINS + 1)
  let total = 0
  for (let i = 0; i < values.length; i++) {
    if (counts[i] === 0) continue
    total++
    bins[Math.min(BINS, (Math.abs(values[i]!) / LARGEST) * BINS) | 0]!++
  }
  if (total === 0) return 0
  let below = 0
  for (let bin = 0; bin <= BINS; bin++) {
    const more = below + bins[bin]!
    if (more >= total / 2) return ((bin + (total / 2 - below) / bins[bin]!) * LARGEST) / BINS / 0.6745
    below = more
  }
  return 0
}

function smoothed(plane: Float32Array, width: number, height: number, step: number, periodic: boolean): Float32Array {
  const place = (i: number, length: number) => {
    if (periodic) return (i + length) % length
    const folded = i < 0 ? -i : i >= length ? 2 * length - 2 - i : i
    return Math.min(length - 1, Math.max(0, folded))
  }
  const out = new Float32Array(plane.length)
  const across = new Float32Array(plane.length)
  for (let x = 0; x < width; x++) {
    const [a, b, d, e] = [x - 2 * step, x - step, x + step, x + 2 * step].map((i) => place(i, width)) as number[]
    for (let row = 0; row < plane.length; row += width)
      across[row + x] =
        (plane[row + a!]! + plane[row + e!]!) / 16 + (plane[row + b!]! + plane[row + d!]!) / 4 + plane[row + x]! * 0.375
  }
  for (let y = 0; y < height; y++) {
    const rows = [y - 2 * step, y - step, y + step, y + 2 * step].map((i) => place(i, height) * width)
    const [a, b, d, e] = rows as [number, number, number, number]
    for (let x = 0, to = y * width; x < width; x++, to++)
      out[to] = (across[a + x]! + across[e + x]!) / 16 + (across[b + x]! + across[d + x]!) / 4 + across[to]! * 0.375
  }
  return out
}
