import type { Box, PlaneLayout, Planes } from './planes.js'

type Samples = Uint8Array | Uint16Array

/**
 * A part of a picture at half its size, with a chroma sample for each pixel: each sample is the mean of the four that it
 * covers, chroma taken from where the layout says that it sits.
 *
 * @param box Left and top are even. Where right or bottom are odd, the last column or row counts twice.
 */
export function halvePlanes(planes: Planes, layout: PlaneLayout, box: Box): { planes: Planes; layout: PlaneLayout } {
  const width = (box.right - box.left + 1) >> 1
  const height = (box.bottom - box.top + 1) >> 1
  const blank = () => (layout.bitDepth === 8 ? new Uint8Array(width * height) : new Uint16Array(width * height))
  const data = planes.data.slice(0, layout.kind === 'gray' ? 1 : 3).map((from, plane) => {
    const to = blank()
    const stride = planes.strides[plane]!
    const shiftX = plane === 0 ? 0 : layout.chromaShiftX
    const shiftY = plane === 0 ? 0 : layout.chromaShiftY
    const lastRow = plane === 0 || !shiftY ? planes.height - 1 : ((planes.height + 1) >> 1) - 1
    const lastColumn = shiftX ? ((planes.width + 1) >> 1) - 1 : planes.width - 1
    for (let y = 0; y < height; y++) {
      const top = shiftY ? (box.top >> 1) + y : box.top + 2 * y
      const upper = top * stride
      const lower = shiftY ? upper : Math.min(lastRow, top + 1) * stride
      const place = { upper, lower, at: y * width, width }
      if (!shiftX) pairs(from, to, { ...place, left: box.left, lastColumn })
      else if (layout.chromaSite === 'left') between(from, to, { ...place, left: box.left >> 1, lastColumn })
      else columns(from, to, { ...place, left: box.left >> 1 })
    }
    return to
  })
  return {
    planes: { data, strides: data.map(() => width), width, height },
    layout: { ...layout, chromaShiftX: 0, chromaShiftY: 0 },
  }
}

/*
 * Halves are rounded up in one column and down in the next, so that nothing gets brighter.
 */

/** Where two rows begin in `from`, the row made of them in `to`, and how long that is. */
interface Rows {
  upper: number
  lower: number
  at: number
  width: number
  left: number
}

/** Means of two by two samples. */
function pairs(
  from: Samples,
  to: Samples,
  { upper, lower, at, width, left, lastColumn }: Rows & { lastColumn: number },
) {
  const whole = Math.min(width, (lastColumn + 1 - left) >> 1)
  let p = upper + left
  let q = lower + left
  for (let x = 0; x < whole; x++, p += 2, q += 2)
    to[at + x] = (from[p]! + from[p + 1]! + from[q]! + from[q + 1]! + 1 + (x & 1)) >> 2
  if (whole < width) to[at + whole] = (from[p]! + from[q]! + 1) >> 1
}

/** Means of two rows, each sample moved right by a quarter: chroma that sits on the left one of two columns. */
function between(
  from: Samples,
  to: Samples,
  { upper, lower, at, width, left, lastColumn }: Rows & { lastColumn: number },
) {
  for (let x = 0; x < width; x++) {
    const c = left + x
    const next = c < lastColumn ? c + 1 : c
    to[at + x] =
      (3 * (from[upper + c]! + from[lower + c]!) + from[upper + next]! + from[lower + next]! + 3 + (x & 1)) >> 3
  }
}

/** Means of two rows. */
function columns(from: Samples, to: Samples, { upper, lower, at, width, left }: Rows) {
  for (let x = 0; x < width; x++) to[at + x] = (from[upper + left + x]! + from[lower + left + x]! + (x & 1)) >> 1
}
