import { DflError, type Pixels } from '@dfl/core'
import { meanAbsoluteError, psnr, rgbToGray } from '@dfl/image'

/** How far a picture is from the true one, inside a mask. */
export interface ImageError {
  /** Mean absolute error over the channels, 0..1. */
  mae: number
  /** Peak signal-to-noise ratio in dB; Infinity for equal pictures. */
  psnr: number
  /** Mean structural similarity of the luma, −1..1; 1 for equal pictures. */
  ssim: number
}

/**
 * How far `result` is from `truth` where `mask` says that the face is.
 *
 * Each number is a mean weighted with the mask. SSIM compares the luma (BT.601) in Gaussian windows of 11 px, σ = 1.5 px,
 * repeating the pixels at the picture's edge.
 *
 * @param result [H, W, 3]
 * @param truth [H, W, 3], the same size.
 * @param mask [H, W, 1], the same size.
 * @throws DflError `BAD_SHAPE` when the sizes differ, `NO_FACES` when the mask is empty.
 * Source: Wang, Bovik, Sheikh, Simoncelli 2004, https://doi.org/10.1109/TIP.2003.819861 (K1 = 0.01, K2 = 0.03).
 */
export function imageError(result: Pixels, truth: Pixels, mask: Pixels): ImageError {
  expectShape('result', result, truth, 3)
  expectShape('mask', mask, truth, 1)
  const total = mask.data.reduce((sum, weight) => sum + weight, 0)
  if (total === 0)
    throw new DflError(
      'NO_FACES',
      'Expected some face for `mask`, but got a mask of zeros. Skip frames without a face.',
    )
  return {
    mae: meanAbsoluteError(result, truth, mask),
    psnr: psnr(result, truth, mask),
    ssim: graySsim(rgbToGray(result), rgbToGray(truth), mask),
  }
}

/**
 * As `ssim` of @dfl/image, of gray pictures, with a mask that says how much each window counts.
 *
 * @param a [H, W, 1] @param b [H, W, 1] @param mask [H, W, 1], not 0 all over.
 */
export function graySsim(a: Pixels, b: Pixels, mask: Pixels): number {
  const { width, height } = mask
  const product = (x: Pixels, y: Pixels) => Float64Array.from(x.data, (v, i) => v * y.data[i]!)
  const window = (x: ArrayLike<number>) => blur(x, width, height)
  const ma = window(a.data)
  const mb = window(b.data)
  const aa = window(product(a, a))
  const bb = window(product(b, b))
  const ab = window(product(a, b))
  const c1 = 0.01 ** 2
  const c2 = 0.03 ** 2
  let sum = 0
  let total = 0
  for (let i = 0; i < mask.data.length; i++) {
    const w = mask.data[i]!
    if (w === 0) continue
    total += w
    const x = ma[i]!
    const y = mb[i]!
    const varianceX = aa[i]! - x * x
    const varianceY = bb[i]! - y * y
    const covariance = ab[i]! - x * y
    sum += (w * ((2 * x * y + c1) * (2 * covariance + c2))) / ((x * x + y * y + c1) * (varianceX + varianceY + c2))
  }
  return sum / total
}

const TAPS = (() => {
  const taps = Float64Array.from({ length: 11 }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * 1.5 ** 2)))
  const sum = taps.reduce((a, b) => a + b)
  return taps.map((t) => t / sum)
})()

function blur(x: ArrayLike<number>, width: number, height: number): Float64Array {
  const rows = new Float64Array(x.length)
  const out = new Float64Array(x.length)
  for (let y = 0; y < height; y++)
    for (let i = 0; i < width; i++) {
      let sum = 0
      for (let t = -5; t <= 5; t++) sum += TAPS[t + 5]! * x[y * width + Math.max(0, Math.min(width - 1, i + t))]!
      rows[y * width + i] = sum
    }
  for (let y = 0; y < height; y++)
    for (let t = -5; t <= 5; t++) {
      const from = Math.max(0, Math.min(height - 1, y + t)) * width
      const tap = TAPS[t + 5]!
      for (let i = 0; i < width; i++) out[y * width + i]! += tap * rows[from + i]!
    }
  return out
}

function expectShape(name: string, got: Pixels, like: Pixels, channels: number): void {
  if (got.width !== like.width || got.height !== like.height || got.channels !== channels || like.channels !== 3)
    throw new DflError(
      'BAD_SHAPE',
      `Expected [${like.height}, ${like.width}, ${channels}], the size of \`truth\`, for \`${name}\`, but got [${got.height}, ${got.width}, ${got.channels}]. Compare pictures of the same frame.`,
      { data: { name } },
    )
}
