import { type Pixels, resolveOptions } from '@dfl/core'
import { checkNotNegative, checkRaster } from './checks.js'
import { createPixels } from './pixels.js'
import { recursiveGaussian } from './recursive-gaussian.js'
import { copyPixels } from './scratch.js'

/** What blurs see beyond the picture: black, or its nearest edge pixel. */
export type BlurBorder = 'zero' | 'replicate'

const OPTIONS = {
  border: {
    type: 'choice',
    default: 'replicate',
    choices: ['zero', 'replicate'],
    description: 'What lies outside the picture: 0, or its nearest edge pixel.',
  },
} as const

/** Up to this sigma the taps are summed one by one; beyond it the recursive filter is faster. */
const LARGEST_DIRECT_SIGMA_PX = 2

/**
 * `pixels` blurred by a Gaussian: a new [H, W, C] of the same range.
 *
 * Up to a sigma of 2 pixels with all taps within 4 sigma; beyond it in constant time per pixel, off by less than 0.001
 * of the range.
 *
 * @param sigmaPx  Standard deviation; 0 gives a copy.
 *
 * Source: Deriche 1993, Recursively implementing the Gaussian and its derivatives, INRIA RR-1893
 */
export function gaussianBlur(pixels: Pixels, sigmaPx: number, options: { border?: BlurBorder } = {}): Pixels {
  checkRaster(pixels, 'pixels')
  checkNotNegative(sigmaPx, 'sigmaPx')
  const { border } = resolveOptions(OPTIONS, options)
  const copy = copyPixels(pixels)
  if (sigmaPx === 0) return copy
  if (sigmaPx > LARGEST_DIRECT_SIGMA_PX) {
    const [low, high] = rangeOf(pixels.data, border === 'zero')
    recursiveGaussian(copy, sigmaPx, border === 'replicate')
    clampTo(copy.data, low, high)
    return copy
  }
  return convolve(pixels, gaussianTaps(sigmaPx), border === 'replicate')
}

/**
 * `pixels` averaged over squares of 2 · radiusPx + 1 pixels: a new [H, W, C] of the same range.
 *
 * @param radiusPx  Rounded to a whole number; 0 gives a copy.
 */
export function boxBlur(pixels: Pixels, radiusPx: number, options: { border?: BlurBorder } = {}): Pixels {
  checkRaster(pixels, 'pixels')
  checkNotNegative(radiusPx, 'radiusPx')
  const { border } = resolveOptions(OPTIONS, options)
  const copy: Pixels = { ...pixels, data: pixels.data.slice() }
  const radius = Math.round(radiusPx)
  if (radius > 0) filterLines(copy, runningMean(radius, border === 'replicate'))
  return copy
}

/** The smallest and the largest sample, and 0 if it counts too. */
function rangeOf(data: Float32Array, withZero: boolean): [number, number] {
  let low = withZero ? 0 : data[0]
  let high = low
  for (let i = 0; i < data.length; i++) {
    const v = data[i]
    if (v < low) low = v
    else if (v > high) high = v
  }
  return [low, high]
}

/** Takes back what the recursive filter's fit errs beyond a mean of samples, so that masks stay within 0..1. */
function clampTo(data: Float32Array, low: number, high: number): void {
  for (let i = 0; i < data.length; i++) {
    const v = data[i]
    if (v < low) data[i] = low
    else if (v > high) data[i] = high
  }
}

/** Weights of the samples at 0, 1, 2 … from the centre; with both sides they sum to 1. */
function gaussianTaps(sigmaPx: number): Float64Array {
  const taps = new Float64Array(Math.ceil(4 * sigmaPx) + 1)
  let sum = 0
  for (let k = 0; k < taps.length; k++) {
    taps[k] = Math.exp(-(k * k) / (2 * sigmaPx * sigmaPx))
    sum += k === 0 ? taps[k] : 2 * taps[k]
  }
  return taps.map((tap) => tap / sum)
}

/** Rows and then columns convolved with a symmetric kernel. */
function convolve(pixels: Pixels, taps: Float64Array, replicate: boolean): Pixels {
  const { width, height, channels: c } = pixels
  const radius = taps.length - 1
  const stride = width * c
  const sideways = new Float32Array(pixels.data.length)
  const padded = new Float32Array(stride + 2 * radius * c)
  for (let y = 0; y < height; y++) {
    const row = pixels.data.subarray(y * stride, (y + 1) * stride)
    padded.set(row, radius * c)
    if (replicate)
      for (let i = 0; i < radius * c; i++) {
        padded[i] = row[i % c]
        padded[radius * c + stride + i] = row[stride - c + (i % c)]
      }
    const at = y * stride
    for (let i = 0; i < stride; i++) {
      const centre = i + radius * c
      let sum = padded[centre] * taps[0]
      for (let k = 1, d = c; k <= radius; k++, d += c) sum += (padded[centre - d] + padded[centre + d]) * taps[k]
      sideways[at + i] = sum
    }
  }
  const out = createPixels(width, height, c)
  for (let y = 0; y < height; y++) {
    for (let k = -radius; k <= radius; k++) {
      if (!replicate && (y + k < 0 || y + k >= height)) continue
      const from = Math.min(height - 1, Math.max(0, y + k)) * stride
      const tap = taps[Math.abs(k)]
      for (let i = 0, o = y * stride; i < stride; i++, o++) out.data[o] += sideways[from + i] * tap
    }
  }
  return out
}

/** Changes the samples of one line, at 0, 1 … length − 1, in place. */
type LineFilter = (line: Float64Array, length: number) => void

/** Applies `filter` to all rows and then all columns of every channel, in place. */
function filterLines({ data, width, height, channels: c }: Pixels, filter: LineFilter): void {
  const stride = width * c
  const line = new Float64Array(Math.max(width, height))
  for (let y = 0; y < height; y++) {
    for (let channel = 0; channel < c; channel++) {
      const first = y * stride + channel
      for (let x = 0, i = first; x < width; x++, i += c) line[x] = data[i]
      filter(line, width)
      for (let x = 0, i = first; x < width; x++, i += c) data[i] = line[x]
    }
  }
  // Sixteen columns at a time are turned into lines, so that each visit to a row reads a whole cache line.
  const group = Array.from({ length: 16 }, () => new Float64Array(height))
  for (let first = 0; first < stride; first += 16) {
    const count = Math.min(16, stride - first)
    for (let y = 0, i = first; y < height; y++, i += stride) for (let k = 0; k < count; k++) group[k][y] = data[i + k]
    for (let k = 0; k < count; k++) filter(group[k], height)
    for (let y = 0, i = first; y < height; y++, i += stride) for (let k = 0; k < count; k++) data[i + k] = group[k][y]
  }
}

/** A mean over 2 · radius + 1 samples, in constant time per sample. */
function runningMean(radius: number, replicate: boolean): LineFilter {
  let source = new Float64Array(0)
  return (line, length) => {
    if (source.length < length + 2 * radius + 1) source = new Float64Array(length + 2 * radius + 1)
    meanLine(line, length, source, { radius, replicate })
  }
}

/** A function of its own, as those that are made for each picture are never compiled well. `source` is overwritten. */
function meanLine(
  line: Float64Array,
  length: number,
  source: Float64Array,
  { radius, replicate }: { radius: number; replicate: boolean },
): void {
  source.fill(replicate ? line[0] : 0, 0, radius)
  for (let i = 0; i < length; i++) source[radius + i] = line[i]
  source.fill(replicate ? line[length - 1] : 0, radius + length)
  const scale = 1 / (2 * radius + 1)
  let sum = 0
  for (let i = 0; i < 2 * radius; i++) sum += source[i]
  for (let i = 0; i < length; i++) {
    sum += source[i + 2 * radius]
    line[i] = sum * scale
    sum -= source[i]
  }
}
