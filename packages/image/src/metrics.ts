import { DflError, type Pixels } from '@dfl/core'
import { checkChannels, checkRaster, checkSameShape } from './checks.js'

/**
 * Mean of |a − b| over all samples; with a mask each pixel counts by its value there. 0 where the mask is 0 all over.
 *
 * @param a  [H, W, C]
 * @param b  [H, W, C]
 * @param mask  [H, W, 1] float32 0..1.
 */
export function meanAbsoluteError(a: Pixels, b: Pixels, mask?: Pixels): number {
  return weightedMean(a, b, mask, Math.abs)
}

/**
 * Peak signal-to-noise ratio in decibels for a peak of 1; infinite where the pictures are equal.
 *
 * @param a  [H, W, C] float32 0..1.
 * @param b  [H, W, C] float32 0..1.
 * @param mask  [H, W, 1] float32 0..1: each pixel counts by its value.
 */
export function psnr(a: Pixels, b: Pixels, mask?: Pixels): number {
  return -10 * Math.log10(weightedMean(a, b, mask, (d) => d * d))
}

function weightedMean(a: Pixels, b: Pixels, mask: Pixels | undefined, of: (difference: number) => number): number {
  checkRaster(a, 'a')
  checkSameShape(a, b, 'b')
  if (mask) {
    checkSameShape(a, mask, 'mask', false)
    checkChannels(mask, 1, 'mask')
  }
  const { channels: c } = a
  let sum = 0
  let weight = 0
  for (let p = 0, i = 0; i < a.data.length; p++) {
    const w = mask ? mask.data[p] : 1
    weight += w
    for (let k = 0; k < c; k++, i++) sum += w * of(a.data[i] - b.data[i])
  }
  return weight > 0 ? sum / (weight * c) : 0
}

/** Side of the window and standard deviation of its Gaussian, as published. */
const WINDOW = 11
const SIGMA = 1.5
const C1 = 0.01 ** 2
const C2 = 0.03 ** 2

/**
 * Structural similarity of two pictures, −1..1: the mean over all windows of 11 pixels that fit, and over the channels.
 *
 * @param a  [H, W, C] float32 0..1, at least 11 pixels wide and high.
 * @param b  [H, W, C] float32 0..1.
 *
 * Source: Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861; without its down-sampling step
 */
export function ssim(a: Pixels, b: Pixels): number {
  checkRaster(a, 'a')
  checkSameShape(a, b, 'b')
  const { width, height, channels: c } = a
  if (width < WINDOW || height < WINDOW)
    throw new DflError(
      'BAD_SHAPE',
      `Expected at least ${WINDOW}x${WINDOW} pixels for \`a\`, but got ${width}x${height}. Compare larger pictures.`,
    )
  const taps = Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - (WINDOW - 1) / 2) ** 2) / (2 * SIGMA ** 2)))
  const total = taps.reduce((sum, tap) => sum + tap)
  const window = Float64Array.from(taps, (tap) => tap / total)
  let sum = 0
  for (let channel = 0; channel < c; channel++) sum += channelSsim(a, b, channel, window)
  return sum / c
}

/** SSIM of one channel. Each row is summed sideways once; eleven such rows make one row of windows. */
function channelSsim(a: Pixels, b: Pixels, channel: number, window: Float64Array): number {
  const { width, height, channels: c } = a
  const columns = width - WINDOW + 1
  // Five moments a, b, a², b², ab side by side, for each of the last eleven rows.
  const rows = Array.from({ length: WINDOW }, () => new Float64Array(columns * 5))
  const sums = new Float64Array(columns * 5)
  let total = 0
  for (let y = 0; y < height; y++) {
    const row = rows[y % WINDOW]
    for (let x = 0; x < columns; x++) {
      let [ma, mb, aa, bb, ab] = [0, 0, 0, 0, 0]
      for (let k = 0, i = (y * width + x) * c + channel; k < WINDOW; k++, i += c) {
        const va = a.data[i]
        const vb = b.data[i]
        const wa = window[k] * va
        const wb = window[k] * vb
        ma += wa
        mb += wb
        aa += wa * va
        bb += wb * vb
        ab += wa * vb
      }
      const o = x * 5
      row[o] = ma
      row[o + 1] = mb
      row[o + 2] = aa
      row[o + 3] = bb
      row[o + 4] = ab
    }
    if (y < WINDOW - 1) continue
    sums.fill(0)
    for (let k = 0; k < WINDOW; k++) addScaled(sums, rows[(y + 1 + k) % WINDOW], window[k])
    for (let i = 0; i < sums.length; i += 5) {
      const ma = sums[i]
      const mb = sums[i + 1]
      const va = sums[i + 2] - ma * ma
      const vb = sums[i + 3] - mb * mb
      const covariance = sums[i + 4] - ma * mb
      total += ((2 * ma * mb + C1) * (2 * covariance + C2)) / ((ma * ma + mb * mb + C1) * (va + vb + C2))
    }
  }
  return total / (columns * (height - WINDOW + 1))
}

function addScaled(sums: Float64Array, from: Float64Array, weight: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] += weight * from[i]
}
