import type { Pixels } from '@dfl/core'
import { checkChannels, checkRaster, checkSameShape } from './checks.js'
import { type ImageKernels, kernels } from './kernels.js'
import { createPixels } from './pixels.js'

/** Pixels that go through the kernels at once: they fit into a processor's nearest memory. */
const RUN = 1024

/**
 * CIE L*a*b* of sRGB pixels, white D65: L 0..100, a and b about -128..127.
 *
 * Off by less than 0.001 of a unit.
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
  return inRuns(pixels, (memory, { count, at, spare, first }) => {
    if (where) memory.floats(spare, count).set(where.data.subarray(first, first + count))
    memory.call.toLab(count, at, where ? spare : 0)
  })
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
  return inRuns(pixels, (memory, { count, at }) => memory.call.fromLab(count, at))
}

/** A copy of [H, W, 3] pixels that a kernel changed, run by run: at `at`, with room for a float each at `spare`. */
function inRuns(
  { data, width, height }: Pixels,
  change: (memory: ImageKernels, run: { count: number; at: number; spare: number; first: number }) => void,
): Pixels {
  const out = createPixels(width, height, 3)
  const memory = kernels()
  const [at, spare] = memory.room(RUN * 12, RUN * 4) as [number, number]
  for (let first = 0; first < width * height; first += RUN) {
    const count = Math.min(RUN, width * height - first)
    const samples = memory.floats(at, 3 * count)
    samples.set(data.subarray(3 * first, 3 * (first + count)))
    change(memory, { count, at, spare, first })
    out.data.set(samples, 3 * first)
  }
  return out
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
  const weights = mask?.data
  const mean: number[] = []
  const std: number[] = []
  for (let channel = 0; channel < c; channel++) {
    // About the first value, so that squares of large common parts do not cancel.
    const origin = data[channel]
    let weight = 0
    let sum = 0
    let squares = 0
    for (let i = channel, p = 0; i < data.length; i += c, p++) {
      const w = weights ? weights[p] : 1
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
