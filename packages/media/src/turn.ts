import type { Bitmap, Rect } from '@dfl/core'

/** How far a coded picture must be turned clockwise to be upright. */
export type Rotation = 0 | 90 | 180 | 270

/**
 * The rotation that a display matrix asks for; 0 for mirrored or oblique ones, which stay as coded.
 *
 * @param matrix Nine numbers, row by row, as 16.16 (last column 2.30) fixed point: the `tkhd` matrix of MP4.
 *
 * Source: ISO/IEC 14496-12, section 8.3.2.
 */
export function rotationOf(matrix: readonly number[] | undefined): Rotation {
  if (!matrix) return 0
  const [a, b, , c, d] = matrix.map((value) => Math.sign(Math.trunc(value / 0x4000))) as [
    number,
    number,
    number,
    number,
    number,
  ]
  if (a === 0 && d === 0 && b === 1 && c === -1) return 90
  if (a === -1 && d === -1 && b === 0 && c === 0) return 180
  if (a === 0 && d === 0 && b === -1 && c === 1) return 270
  return 0
}

/** The bitmap turned clockwise. */
export function turn(bitmap: Bitmap, degrees: Rotation): Bitmap {
  if (degrees === 0) return bitmap
  const { width: w, height: h, channels, data } = bitmap
  const sideways = degrees !== 180
  const [width, height] = sideways ? [h, w] : [w, h]
  const out = data instanceof Uint16Array ? new Uint16Array(data.length) : new Uint8Array(data.length)
  // Going one pixel right (or down) in the result goes this far in the source.
  const right = (degrees === 90 ? -w : degrees === 180 ? -1 : w) * channels
  const down = (degrees === 90 ? 1 : degrees === 180 ? -w : -1) * channels
  let row = (degrees === 90 ? (h - 1) * w : degrees === 180 ? w * h - 1 : w - 1) * channels
  let o = 0
  for (let y = 0; y < height; y++, row += down) {
    let i = row
    for (let x = 0; x < width; x++, i += right) for (let k = 0; k < channels; k++) out[o++] = data[i + k]!
  }
  return { data: out, width, height, channels }
}

/** The rectangle after its picture (of the given size before) was turned clockwise. */
export function turnRect(rect: Rect, size: { width: number; height: number }, degrees: Rotation): Rect {
  const { x, y, width, height } = rect
  if (degrees === 90) return { x: size.height - y - height, y: x, width: height, height: width }
  if (degrees === 180) return { x: size.width - x - width, y: size.height - y - height, width, height }
  if (degrees === 270) return { x: y, y: size.width - x - width, width: height, height: width }
  return rect
}

/** The turn that undoes a turn. */
export const turnBack = (degrees: Rotation) => ((360 - degrees) % 360) as Rotation
