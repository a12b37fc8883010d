import type { Pixels } from '@dfl/core'
import { checkNotNegative, checkRaster } from './checks.js'
import { createPixels } from './pixels.js'

/**
 * The middle value of a square round each pixel, per channel: specks go, edges stay. Beyond the edge, the edge is
 * repeated.
 *
 * @param pixels  [H, W, C]
 * @param radiusPx  Rounded to a whole number: the square has 2 · radiusPx + 1 pixels a side; 0 gives a copy.
 *
 * Source: Tukey 1977, Exploratory Data Analysis; selection: Hoare 1961, https://doi.org/10.1145/366622.366647
 */
export function medianBlur(pixels: Pixels, radiusPx: number): Pixels {
  checkRaster(pixels, 'pixels')
  checkNotNegative(radiusPx, 'radiusPx')
  const radius = Math.round(radiusPx)
  const { data, width, height, channels: c } = pixels
  const out = createPixels(width, height, c)
  const side = 2 * radius + 1
  const window = new Float32Array(side * side)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < c; channel++) {
        let n = 0
        for (let dy = -radius; dy <= radius; dy++) {
          const row = Math.min(height - 1, Math.max(0, y + dy)) * width
          for (let dx = -radius; dx <= radius; dx++)
            window[n++] = data[(row + Math.min(width - 1, Math.max(0, x + dx))) * c + channel]
        }
        out.data[(y * width + x) * c + channel] = middleOf(window)
      }
  return out
}

/** The median of an odd number of values, which are put into another order. */
function middleOf(values: Float32Array): number {
  const middle = values.length >> 1
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const pivot = values[middle]
    let i = low
    let j = high
    do {
      while (values[i] < pivot) i++
      while (pivot < values[j]) j--
      if (i <= j) {
        const swapped = values[i]
        values[i++] = values[j]
        values[j--] = swapped
      }
    } while (i <= j)
    if (j < middle) low = i
    if (middle < i) high = j
  }
  return values[middle]
}
