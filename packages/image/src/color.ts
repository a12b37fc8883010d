import type { Pixels } from '@dfl/core'
import { checkChannels, checkRaster, checkSameShape } from './checks.js'
import { createPixels } from './pixels.js'

/*
 * sRGB primaries and white D65 as in IEC 61966-2-1; rows of the matrices are scaled by the white point, so that white
 * gives exactly X = Y = Z = 1.
 */
const WHITE = [0.9504559270516716, 1, 1.0890577507598784]
const TO_XYZ = [
  [0.41239079926595934, 0.357584339383878, 0.1804807884018343],
  [0.21263900587151027, 0.715168678767756, 0.07219231536073371],
  [0.01933081871559182, 0.11919477979462598, 0.9505321522496607],
].map((row, i) => row.map((v) => v / WHITE[i]))
const TO_RGB = [
  [3.2409699419045226, -1.537383177570094, -0.4986107602930034],
  [-0.9692436362808796, 1.8759675015077202, 0.04155505740717559],
  [0.05563007969699366, -0.20397695888897652, 1.0569715142428786],
].map((row) => row.map((v, i) => v * WHITE[i]))

/** Where the cube root of CIE Lab gives way to a line. */
const EPSILON = 216 / 24389
const KAPPA = 24389 / 27

const toLinear = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
const fromLinear = (v: number) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055)
const labF = (t: number) => (t > EPSILON ? Math.cbrt(t) : (KAPPA * t + 16) / 116)

/** Steps of the tables between 0 and 1. */
const STEPS = 8192

type Curve = (v: number) => number

/** `curve` by linear interpolation in a table for 0..1; exact elsewhere. Made when first used. */
function tabulated(curve: Curve): () => Curve {
  let fast: Curve | undefined
  return () => {
    if (fast) return fast
    const table = Float64Array.from({ length: STEPS + 2 }, (_, i) => curve(i / STEPS))
    fast = (v) => {
      if (!(v >= 0 && v <= 1)) return curve(v)
      const at = v * STEPS
      const i = at | 0
      return table[i] + (table[i + 1] - table[i]) * (at - i)
    }
    return fast
  }
}

const linearTable = tabulated(toLinear)
const gammaTable = tabulated(fromLinear)
const labTable = tabulated(labF)

/**
 * CIE L*a*b* of sRGB pixels, white D65: L 0..100, a and b about -128..127.
 *
 * Curves come from tables, off by less than 0.001 of a unit; values outside 0..1 are computed in full.
 *
 * @param pixels  [H, W, 3] float32 0..1, gamma-encoded sRGB.
 * @param where  [H, W, 1]: where it is 0, the result is 0, too; every pixel counts if not given.
 *
 * Source: IEC 61966-2-1; CIE 15:2004
 */
export function rgbToLab(pixels: Pixels, where?: Pixels): Pixels {
  checkRaster(pixels, 'pixels')
  checkChannels(pixels, 3, 'pixels')
  if (where) {
    checkSameShape(pixels, where, 'where', false)
    checkChannels(where, 1, 'where')
  }
  const { data, width, height } = pixels
  const out = createPixels(width, height, 3)
  const linear = linearTable()
  const f = labTable()
  const [[xr, xg, xb], [yr, yg, yb], [zr, zg, zb]] = TO_XYZ
  for (let i = 0, p = 0; i < data.length; i += 3, p++) {
    if (where && where.data[p] === 0) continue
    const r = linear(data[i])
    const g = linear(data[i + 1])
    const b = linear(data[i + 2])
    const x = f(xr * r + xg * g + xb * b)
    const y = f(yr * r + yg * g + yb * b)
    const z = f(zr * r + zg * g + zb * b)
    out.data[i] = 116 * y - 16
    out.data[i + 1] = 500 * (x - y)
    out.data[i + 2] = 200 * (y - z)
  }
  return out
}

/**
 * sRGB of CIE L*a*b* pixels, white D65: 0..1 where the colour exists in sRGB, beyond it where not (not clamped).
 *
 * @param pixels  [H, W, 3] float32: L 0..100, a, b.
 *
 * Source: IEC 61966-2-1; CIE 15:2004
 */
export function labToRgb(pixels: Pixels): Pixels {
  checkRaster(pixels, 'pixels')
  checkChannels(pixels, 3, 'pixels')
  const { data, width, height } = pixels
  const out = createPixels(width, height, 3)
  const gamma = gammaTable()
  const [[rx, ry, rz], [gx, gy, gz], [bx, by, bz]] = TO_RGB
  for (let i = 0; i < data.length; i += 3) {
    const fy = (data[i] + 16) / 116
    const x = inverseF(fy + data[i + 1] / 500)
    const y = inverseF(fy)
    const z = inverseF(fy - data[i + 2] / 200)
    out.data[i] = gamma(rx * x + ry * y + rz * z)
    out.data[i + 1] = gamma(gx * x + gy * y + gz * z)
    out.data[i + 2] = gamma(bx * x + by * y + bz * z)
  }
  return out
}

function inverseF(t: number): number {
  const cube = t * t * t
  return cube > EPSILON ? cube : (116 * t - 16) / KAPPA
}

/**
 * Luma of RGB pixels: [H, W, 1] float32 0..1. One channel comes back as a copy, alpha is left out.
 *
 * @param pixels  [H, W, C] float32 0..1, gamma-encoded.
 *
 * Source: ITU-R BT.601
 */
export function rgbToGray(pixels: Pixels): Pixels {
  checkRaster(pixels, 'pixels')
  const { data, width, height, channels: c } = pixels
  if (c === 1) return { ...pixels, data: data.slice() }
  const out = createPixels(width, height, 1)
  for (let i = 0, p = 0; i < out.data.length; i++, p += c)
    out.data[i] = 0.299 * data[p] + 0.587 * data[p + 1] + 0.114 * data[p + 2]
  return out
}

/**
 * Mean and standard deviation (of the whole population) per channel. With a mask each pixel counts by its value there.
 *
 * @param pixels  [H, W, C]
 * @param mask  [H, W, 1] float32 0..1. Where it is 0 all over, mean and std are 0.
 */
export function meanAndStd(pixels: Pixels, mask?: Pixels): { mean: number[]; std: number[] } {
  checkRaster(pixels, 'pixels')
  if (mask) {
    checkSameShape(pixels, mask, 'mask', false)
    checkChannels(mask, 1, 'mask')
  }
  const { data, channels: c } = pixels
  const mean: number[] = []
  const std: number[] = []
  for (let channel = 0; channel < c; channel++) {
    // About the first value, so that squares of large common parts do not cancel.
    const origin = data[channel]
    let weight = 0
    let sum = 0
    let squares = 0
    for (let i = channel, p = 0; i < data.length; i += c, p++) {
      const w = mask ? mask.data[p] : 1
      const v = data[i] - origin
      weight += w
      sum += w * v
      squares += w * v * v
    }
    const m = weight > 0 ? sum / weight : -origin
    mean.push(origin + m)
    std.push(weight > 0 ? Math.sqrt(Math.max(0, squares / weight - m * m)) : 0)
  }
  return { mean, std }
}
