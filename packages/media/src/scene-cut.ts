import type { Frame } from './frame.js'

/** Places at which a frame is sampled, across and down. */
const COLUMNS = 32
const ROWS = 18

/** Mean change of brightness, 0..1, above which two neighbouring frames are of different shots. */
const CUT_CHANGE = 0.1

/** A coarse picture of a frame: ROWS x COLUMNS brightnesses, 0..1, each the mean over a piece of one row of pixels. */
export function frameSignature(picture: Pick<Frame, 'width' | 'height' | 'part'>): Float32Array {
  const out = new Float32Array(COLUMNS * ROWS)
  for (let row = 0; row < ROWS; row++) {
    const y = Math.floor(((row + 0.5) / ROWS) * picture.height)
    const { bitmap, ...part } = picture.part({ x: 0, y, width: picture.width, height: 1 })
    const { data, width, channels } = bitmap
    const scale = data instanceof Uint8Array ? 1 / 255 : data instanceof Uint16Array ? 1 / 65535 : 1
    const green = channels === 1 ? 0 : 1
    for (let column = 0; column < COLUMNS; column++) {
      const first = Math.floor((column / COLUMNS) * width)
      const end = Math.max(first + 1, Math.floor(((column + 1) / COLUMNS) * width))
      let sum = 0
      for (let x = first; x < end; x++) {
        const at = ((y - part.y) * width + x) * channels
        sum += (data[at]! + 2 * data[at + green]! + data[at + 2 * green]!) / 4
      }
      out[row * COLUMNS + column] = (sum * scale) / (end - first)
    }
  }
  return out
}

/** Whether the shot changes between two neighbouring frames, by their signatures. */
export function isSceneCut(before: Float32Array, after: Float32Array): boolean {
  let change = 0
  for (let i = 0; i < before.length; i++) change += Math.abs(before[i]! - after[i]!)
  return change / before.length > CUT_CHANGE
}
