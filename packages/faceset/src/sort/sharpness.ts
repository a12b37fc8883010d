import type { Pixels } from '@dfl/core'

/** Side of the blocks that contrast is measured in, in pixels. */
const BLOCK = 64
/** Edges that are this blurred are seen as sharp by most people. */
const SHARP = 0.64
const BETA = 3.6

/**
 * How sharp a face is, 0..1: the share of its edges that look sharp (cumulative probability of blur detection).
 *
 * @param gray [H, W, 1] float32 0..1.
 * @param inside [H, W, 1]: only edges where it is 1 count.
 *
 * Source: Narvekar and Karam 2011, https://doi.org/10.1109/TIP.2011.2131660; edge widths: Marziliano et al. 2002. Edges are
 * the stronger half of the thinned horizontal gradient.
 */
export function sharpness(gray: Pixels, inside: Pixels): number {
  const { data, width, height } = gray
  const gradient = horizontalEdges(gray, inside)
  const threshold = quantile(gradient, 0.5)
  let edges = 0
  let sharp = 0
  for (let top = 0; top < height; top += BLOCK)
    for (let left = 0; left < width; left += BLOCK) {
      const [bottom, right] = [Math.min(height, top + BLOCK), Math.min(width, left + BLOCK)]
      let low = 1
      let high = 0
      for (let y = top; y < bottom; y++)
        for (let i = y * width + left; i < y * width + right; i++) {
          if (data[i]! < low) low = data[i]!
          if (data[i]! > high) high = data[i]!
        }
      const justNoticeable = (high - low) * 255 <= 50 ? 5 : 3
      let count = 0
      let narrow = 0
      for (let y = top; y < bottom; y++)
        for (let x = left; x < right; x++) {
          const strength = gradient[y * width + x]!
          if (strength === 0 || strength < threshold) continue
          count++
          const blur = 1 - Math.exp(-((edgeWidth(data, y * width, x, width) / justNoticeable) ** BETA))
          if (blur < SHARP) narrow++
        }
      if (count <= 0.002 * (bottom - top) * (right - left)) continue
      edges += count
      sharp += narrow
    }
  return edges > 0 ? sharp / edges : 0
}

/** Strength of upright edges at their crests, 0 elsewhere: a Sobel gradient, thinned along its row. */
function horizontalEdges({ data, width, height }: Pixels, inside: Pixels): Float32Array {
  const slope = new Float32Array(data.length)
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x
      if (inside.data[i]! < 1) continue
      const gx =
        data[i - width + 1]! -
        data[i - width - 1]! +
        2 * (data[i + 1]! - data[i - 1]!) +
        data[i + width + 1]! -
        data[i + width - 1]!
      const gy =
        data[i + width - 1]! -
        data[i - width - 1]! +
        2 * (data[i + width]! - data[i - width]!) +
        data[i + width + 1]! -
        data[i - width + 1]!
      if (Math.abs(gx) >= Math.abs(gy)) slope[i] = Math.abs(gx)
    }
  const out = new Float32Array(data.length)
  for (let i = 1; i < slope.length - 1; i++)
    if (slope[i]! > 0.02 && slope[i]! >= slope[i - 1]! && slope[i]! > slope[i + 1]!) out[i] = slope[i]!
  return out
}

/** Pixels over which brightness goes on rising or falling through the edge at column `x`. */
function edgeWidth(data: Float32Array, row: number, x: number, width: number): number {
  const rising = data[row + x + 1]! > data[row + x - 1]! ? 1 : -1
  let left = x
  while (left > 0 && rising * (data[row + left]! - data[row + left - 1]!) > 0) left--
  let right = x
  while (right < width - 1 && rising * (data[row + right + 1]! - data[row + right]!) > 0) right++
  return right - left
}

/** The value that a share of the positive values stays below. */
function quantile(values: Float32Array, share: number): number {
  const positive = values.filter((value) => value > 0).sort()
  return positive.length > 20 ? positive[Math.floor(share * positive.length)]! : 0
}

/** Taps of a smooth second derivative and of the smoothing across it, as a Laplacian of aperture 11 has them. */
const SECOND = secondDerivative()
const SMOOTH = binomial(10)

/**
 * How much fine structure a face shows: the variance of its Laplacian, which motion blur lowers.
 *
 * @param gray [H, W, 1] float32 0..1.
 * @param inside [H, W, 1]: only where it is 1 counts.
 */
export function laplacianVariance(gray: Pixels, inside: Pixels): number {
  const { width, height, data } = gray
  const along = convolve(convolve(data, width, height, SECOND, 1), width, height, SMOOTH, width)
  const across = convolve(convolve(data, width, height, SECOND, width), width, height, SMOOTH, 1)
  let [count, sum, squares] = [0, 0, 0]
  for (let i = 0; i < along.length; i++) {
    if (inside.data[i]! < 1) continue
    const value = along[i]! + across[i]!
    count++
    sum += value
    squares += value * value
  }
  return count > 0 ? squares / count - (sum / count) ** 2 : 0
}

/** Rows (`step` 1) or columns (`step` the width) under 11 taps that are the same from both ends; not for the outer 5 pixels. */
function convolve(
  data: Float32Array,
  width: number,
  height: number,
  taps: readonly number[],
  step: number,
): Float32Array {
  const out = new Float32Array(data.length)
  const [t0, t1, t2, t3, t4, t5] = taps as [number, number, number, number, number, number]
  for (let i = 5 * step; i < width * height - 5 * step; i++)
    out[i] =
      t5 * data[i]! +
      t4 * (data[i - step]! + data[i + step]!) +
      t3 * (data[i - 2 * step]! + data[i + 2 * step]!) +
      t2 * (data[i - 3 * step]! + data[i + 3 * step]!) +
      t1 * (data[i - 4 * step]! + data[i + 4 * step]!) +
      t0 * (data[i - 5 * step]! + data[i + 5 * step]!)
  return out
}

function binomial(order: number): number[] {
  let row = [1]
  for (let n = 0; n < order; n++) row = [...row, 0].map((value, i) => value + (row[i - 1] ?? 0))
  const sum = 2 ** order
  return row.map((value) => value / sum)
}

function secondDerivative(): number[] {
  const smooth = binomial(8)
  return Array.from({ length: 11 }, (_, i) => (smooth[i] ?? 0) - 2 * (smooth[i - 1] ?? 0) + (smooth[i - 2] ?? 0))
}
