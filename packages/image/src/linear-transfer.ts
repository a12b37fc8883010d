import type { Pixels } from '@dfl/core'
import { checkChannels, checkRaster, checkSameShape } from './checks.js'
import { type Matrix3, mapEigenvalues, multiply3, transpose3 } from './matrix3.js'

/** Where colours lie and how they spread. */
export interface ColorSpread {
  mean: number[]
  /** 3 × 3, row by row. */
  covariance: number[]
}

/**
 * Mean and covariance (of the whole population) of colours. With a mask each pixel counts by its value there.
 *
 * @param pixels  [H, W, 3]
 * @param mask  [H, W, 1] float32 0..1. Where it is 0 all over, everything is 0.
 */
export function colorSpread(pixels: Pixels, mask?: Pixels): ColorSpread {
  checkRaster(pixels, 'pixels')
  checkChannels(pixels, 3, 'pixels')
  if (mask) checkSameShape(pixels, mask, 'mask', false)
  const { data } = pixels
  let total = 0
  let [r, g, b, rr, rg, rb, gg, gb, bb] = [0, 0, 0, 0, 0, 0, 0, 0, 0]
  for (let p = 0, i = 0; i < data.length; p++, i += 3) {
    const w = mask ? mask.data[p] : 1
    if (w === 0) continue
    const [x, y, z] = [data[i], data[i + 1], data[i + 2]]
    total += w
    r += w * x
    g += w * y
    b += w * z
    rr += w * x * x
    rg += w * x * y
    rb += w * x * z
    gg += w * y * y
    gb += w * y * z
    bb += w * z * z
  }
  if (total === 0) return { mean: [0, 0, 0], covariance: new Array(9).fill(0) }
  const mean = [r / total, g / total, b / total]
  const moment = (sum: number, i: number, j: number) => sum / total - mean[i] * mean[j]
  const [c01, c02, c12] = [moment(rg, 0, 1), moment(rb, 0, 2), moment(gb, 1, 2)]
  return { mean, covariance: [moment(rr, 0, 0), c01, c02, c01, moment(gg, 1, 1), c12, c02, c12, moment(bb, 2, 2)] }
}

/** Variances below are a flat picture's rounding. */
const FLOOR = 1e-8
const root = (v: number) => Math.sqrt(Math.max(0, v))
const inverseRoot = (v: number) => 1 / Math.sqrt(Math.max(FLOOR, v))

/**
 * The 3 × 3 matrix that turns colours' covariance `from` into `to` while it moves them as little as possible.
 *
 * Source: Pitié, Kokaram 2007, The linear Monge–Kantorovitch linear colour mapping for example-based colour transfer,
 * https://doi.org/10.1049/cp:20070055
 */
export function mongeKantorovichMatrix(from: Matrix3, to: Matrix3): number[] {
  const half = mapEigenvalues(from, root)
  const back = mapEigenvalues(from, inverseRoot)
  const middle = mapEigenvalues(multiply3(half, multiply3(to, half)), root)
  return multiply3(back, multiply3(middle, back))
}

/**
 * The 3 × 3 matrix that turns colours' covariance `from` into `to` by way of uncorrelated colours of unit variance.
 *
 * Source: Gatys et al. 2016, Preserving color in neural artistic style transfer, https://arxiv.org/abs/1606.05897, the
 * image-analogies form
 */
export function whiteningMatrix(from: Matrix3, to: Matrix3): number[] {
  return multiply3(mapEigenvalues(to, root), mapEigenvalues(from, inverseRoot))
}

/** `matrix` with none of its stretches stronger than `most` or weaker than 1 / `most`. */
export function limitStretch(matrix: Matrix3, most: number): number[] {
  const squared = multiply3(transpose3(matrix), matrix)
  const change = mapEigenvalues(squared, (v) => {
    const stretch = Math.max(1e-9, root(v))
    return Math.min(most, Math.max(1 / most, stretch)) / stretch
  })
  return multiply3(matrix, change)
}

/**
 * `matrix` · (colour − from) + to for every pixel: a new [H, W, 3], not clamped.
 *
 * @param pixels  [H, W, 3]
 */
export function mapColors(
  pixels: Pixels,
  { matrix: m, from, to }: { matrix: Matrix3; from: readonly number[]; to: readonly number[] },
): Pixels {
  checkRaster(pixels, 'pixels')
  checkChannels(pixels, 3, 'pixels')
  const data = new Float32Array(pixels.data.length)
  const shift = [0, 1, 2].map((c) => to[c] - m[3 * c] * from[0] - m[3 * c + 1] * from[1] - m[3 * c + 2] * from[2])
  for (let i = 0; i < data.length; i += 3) {
    const r = pixels.data[i]
    const g = pixels.data[i + 1]
    const b = pixels.data[i + 2]
    data[i] = m[0] * r + m[1] * g + m[2] * b + shift[0]
    data[i + 1] = m[3] * r + m[4] * g + m[5] * b + shift[1]
    data[i + 2] = m[6] * r + m[7] * g + m[8] * b + shift[2]
  }
  return { ...pixels, data }
}
