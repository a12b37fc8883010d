import type { Pixels } from '@dfl/core'

/**
 * A picture whose pixels come from other places of it, by a bicubic curve; the edge is repeated beyond the edge.
 *
 * @param from Gives the place that a pixel comes from, in pixels of `pixels`, or nothing for a pixel that stays.
 * Source: Keys 1981, https://doi.org/10.1109/TASSP.1981.1163711 (a = -0.5)
 */
export function remap(pixels: Pixels, from: (x: number, y: number) => readonly [number, number] | undefined): Pixels {
  const { data, width, height, channels } = pixels
  const out = data.slice()
  const [wx, wy] = [new Float64Array(4), new Float64Array(4)]
  const columns = new Int32Array(4)
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to += channels) {
      const place = from(x, y)
      if (!place) continue
      const [px, py] = place
      const [left, top] = [Math.floor(px), Math.floor(py)]
      weights(px - left, wx)
      weights(py - top, wy)
      for (let k = 0; k < 4; k++) columns[k] = Math.min(width - 1, Math.max(0, left + k - 1)) * channels
      for (let c = 0; c < channels; c++) {
        let sum = 0
        for (let j = 0; j < 4; j++) {
          const row = Math.min(height - 1, Math.max(0, top + j - 1)) * width * channels + c
          let line = 0
          for (let k = 0; k < 4; k++) line += wx[k]! * data[row + columns[k]!]!
          sum += wy[j]! * line
        }
        out[to + c] = sum
      }
    }
  return { ...pixels, data: out }
}

/** Catmull-Rom weights of the four samples round a place `t` behind the second. */
function weights(t: number, out: Float64Array): void {
  out[0] = t * (-0.5 + t * (1 - 0.5 * t))
  out[1] = 1 + t * t * (1.5 * t - 2.5)
  out[2] = t * (0.5 + t * (2 - 1.5 * t))
  out[3] = t * t * (0.5 * t - 0.5)
}
