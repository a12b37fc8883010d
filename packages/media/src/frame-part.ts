import { type Bitmap, DflError, type Rect } from '@dfl/core'
import type { FramePart } from './frame.js'
import type { Box } from './planes.js'

/** A name for what `part` is asked for, to know it again. */
export const partKey = ({ x, y, width, height }: Rect, reduce: number, samples: 'bytes' | 'own') =>
  `${x} ${y} ${width} ${height} ${reduce} ${samples}`

/**
 * The box of whole blocks of `reduce` by `reduce` pixels, counted from the picture's corner, that holds a rectangle, cut
 * off at the picture's right and lower edge. It is never empty: what lies outside becomes the nearest pixels.
 *
 * @throws DflError `BAD_OPTION` where `reduce` is no power of two.
 */
export function snapped(rect: Rect, { width, height }: { width: number; height: number }, reduce: number): Box {
  if (!(reduce >= 1) || !Number.isInteger(Math.log2(reduce)))
    throw new DflError('BAD_OPTION', `Expected 1, 2, 4, 8 or the like for \`reduce\`, but got ${reduce}.`)
  const side = (from: number, length: number, whole: number): [number, number] => {
    const first = Math.min(whole - 1, Math.max(0, Math.floor(from)))
    const end = Math.max(first + 1, Math.min(whole, Math.ceil(from + length)))
    return [Math.floor(first / reduce) * reduce, Math.min(whole, Math.ceil(end / reduce) * reduce)]
  }
  const [left, right] = side(rect.x, rect.width, width)
  const [top, bottom] = side(rect.y, rect.height, height)
  return { left, top, right, bottom }
}

/** A part of a bitmap as `Frame.part` gives it. */
export function bitmapPart(bitmap: Bitmap, rect: Rect, reduce: number): FramePart {
  const { left, top, right, bottom } = snapped(rect, bitmap, reduce)
  const { data, width, height, channels } = bitmap
  const [columns, rows] = [Math.ceil((right - left) / reduce), Math.ceil((bottom - top) / reduce)]
  const blank = (length: number) => (data instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length))
  const out = blank(columns * rows * channels)
  const place = { x: left, y: top, reduce }
  if (reduce === 1) {
    for (let y = 0; y < rows; y++) {
      const from = ((top + y) * width + left) * channels
      out.set(data.subarray(from, from + columns * channels), y * columns * channels)
    }
    return { bitmap: { data: out, width: columns, height: rows, channels }, ...place }
  }
  const sums = new Float64Array(columns * channels)
  const count = reduce * reduce
  for (let y = 0; y < rows; y++) {
    sums.fill(0)
    for (let dy = 0; dy < reduce; dy++) {
      const row = Math.min(height - 1, top + y * reduce + dy) * width
      for (let x = 0, o = 0; x < columns; x++, o += channels)
        for (let dx = 0; dx < reduce; dx++) {
          const i = (row + Math.min(width - 1, left + x * reduce + dx)) * channels
          for (let k = 0; k < channels; k++) sums[o + k]! += data[i + k]!
        }
    }
    for (let i = 0; i < sums.length; i++) out[y * sums.length + i] = sums[i]! / count + 0.5
  }
  return { bitmap: { data: out, width: columns, height: rows, channels }, ...place }
}
