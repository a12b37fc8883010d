import type { Raster } from '@dfl/core'

/** Points at which a frame is sampled, across and down. */
const COLUMNS = 32
const ROWS = 18

/** Mean change of brightness, 0..1, above which two neighbouring frames are of different shots. */
const CUT_CHANGE = 0.1

/** A coarse picture of a frame: ROWS x COLUMNS brightnesses, 0..1, each the mean of a few pixels. */
export function frameSignature(image: Raster): Float32Array {
  const { data, width, height, channels } = image
  const scale = data instanceof Uint8Array ? 1 / 255 : data instanceof Uint16Array ? 1 / 65535 : 1
  const out = new Float32Array(COLUMNS * ROWS)
  const taps = 3
  for (let row = 0; row < ROWS; row++)
    for (let column = 0; column < COLUMNS; column++) {
      let sum = 0
      for (let j = 0; j < taps; j++)
        for (let i = 0; i < taps; i++) {
          const y = Math.floor(((row + (j + 0.5) / taps) / ROWS) * height)
          const x = Math.floor(((column + (i + 0.5) / taps) / COLUMNS) * width)
          const at = (y * width + x) * channels
          sum += channels === 1 ? data[at]! : (data[at]! + 2 * data[at + 1]! + data[at + 2]!) / 4
        }
      out[row * COLUMNS + column] = (sum * scale) / (taps * taps)
    }
  return out
}

/** Whether the shot changes between two neighbouring frames, by their signatures. */
export function isSceneCut(before: Float32Array, after: Float32Array): boolean {
  let change = 0
  for (let i = 0; i < before.length; i++) change += Math.abs(before[i]! - after[i]!)
  return change / before.length > CUT_CHANGE
}
