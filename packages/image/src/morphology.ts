import type { Pixels } from '@dfl/core'
import { checkNotNegative, checkRaster } from './checks.js'

/**
 * The smallest value within a disc round each pixel, per channel: bright areas shrink by `radiusPx`.
 *
 * What lies outside the picture does not count, so a mask that is 1 up to the edge stays 1 there.
 *
 * @param mask  [H, W, C], gray values are kept apart (no thresholding).
 * @param radiusPx  Radius of the disc, also between whole numbers; 0 gives a copy.
 */
export function erode(mask: Pixels, radiusPx: number): Pixels {
  const negative: Pixels = { ...mask, data: mask.data.map((v) => -v) }
  const out = dilate(negative, radiusPx)
  for (let i = 0; i < out.data.length; i++) out.data[i] = -out.data[i]
  return out
}

/**
 * The largest value within a disc round each pixel, per channel: bright areas grow by `radiusPx`.
 *
 * @param mask  [H, W, C], gray values are kept apart (no thresholding).
 * @param radiusPx  Radius of the disc, also between whole numbers; 0 gives a copy.
 *
 * Source: rows by van Herk 1992, https://doi.org/10.1016/0167-8655(92)90069-C: a disc is a stack of rows, each distinct
 * row length is filtered once per picture row in constant time per pixel.
 */
export function dilate(mask: Pixels, radiusPx: number): Pixels {
  checkRaster(mask, 'mask')
  checkNotNegative(radiusPx, 'radiusPx')
  const { data, width, height, channels: c } = mask
  const out: Pixels = { ...mask, data: data.slice() }
  if (radiusPx === 0) return out
  const stride = width * c
  const chords = discChords(radiusPx)
  const slide = slidingMax(width, Math.floor(radiusPx))
  const line = new Float32Array(width)
  const highest = new Float32Array(width)
  for (let y = 0; y < height; y++) {
    for (let channel = 0; channel < c; channel++) {
      for (let x = 0, i = y * stride + channel; x < width; x++, i += c) line[x] = data[i]
      for (const { halfWidth, rows } of chords) {
        slide(line, halfWidth, highest)
        for (const dy of rows) {
          if (y + dy >= 0 && y + dy < height) raise(out.data, (y + dy) * stride + channel, c, highest)
        }
      }
    }
  }
  return out
}

/** The rows of a disc, grouped by length: a row reaches from −halfWidth to halfWidth. */
function discChords(radius: number): { halfWidth: number; rows: number[] }[] {
  const groups = new Map<number, number[]>()
  for (let dy = -Math.floor(radius); dy <= radius; dy++) {
    const halfWidth = Math.floor(Math.sqrt(radius * radius - dy * dy) + 1e-9)
    groups.set(halfWidth, [...(groups.get(halfWidth) ?? []), dy])
  }
  return [...groups].map(([halfWidth, rows]) => ({ halfWidth, rows }))
}

/**
 * A function that writes to `out` the largest value within `halfWidth` of each sample of `line`.
 *
 * The line is cut into blocks as long as the window. A window then is the end of one block and the beginning of the
 * next, so two running maxima, one from each side of the blocks, answer every position.
 */
function slidingMax(length: number, largestHalfWidth: number) {
  const capacity = length + 4 * largestHalfWidth + 2
  const fromLeft = new Float32Array(capacity)
  const fromRight = new Float32Array(capacity)
  return (line: Float32Array, halfWidth: number, out: Float32Array) => {
    if (halfWidth === 0) {
      out.set(line)
      return
    }
    const window = 2 * halfWidth + 1
    const padded = Math.ceil((length + 2 * halfWidth) / window) * window
    // Sample x of the line stands at x + halfWidth; the ends hold what never wins.
    fromRight.fill(Number.NEGATIVE_INFINITY, 0, padded)
    fromRight.set(line, halfWidth)
    for (let block = 0; block < padded; block += window) {
      let running = Number.NEGATIVE_INFINITY
      for (let i = block; i < block + window; i++) {
        if (fromRight[i] > running) running = fromRight[i]
        fromLeft[i] = running
      }
      running = Number.NEGATIVE_INFINITY
      for (let i = block + window - 1; i >= block; i--) {
        if (fromRight[i] > running) running = fromRight[i]
        fromRight[i] = running
      }
    }
    for (let x = 0; x < length; x++) {
      const left = fromRight[x]
      const right = fromLeft[x + 2 * halfWidth]
      out[x] = Math.max(left, right)
    }
  }
}

/** Lifts every `step`-th sample of `data` from `at` on to at least the value in `line`. */
function raise(data: Float32Array, at: number, step: number, line: Float32Array): void {
  for (let x = 0, i = at; x < line.length; x++, i += step) if (line[x] > data[i]) data[i] = line[x]
}
