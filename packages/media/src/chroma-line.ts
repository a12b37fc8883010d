import type { Box, PlaneLayout, Planes } from './planes.js'

/**
 * Writes the top row of a box of a chroma plane, interpolated to full width, without its offset, times 16. Where pairs of
 * columns share a sample, it begins at the left one of a pair.
 */
export function chromaLine(
  planes: Planes,
  plane: 1 | 2,
  layout: PlaneLayout,
  box: Box,
  offset: number,
  out: Int32Array,
) {
  const data = planes.data[plane]!
  const stride = planes.strides[plane]!
  const { width, height } = planes
  const { left, right, top: y } = box
  let near = y * stride
  let far = near
  if (layout.chromaShiftY) {
    const last = ((height + 1) >> 1) - 1
    const row = y >> 1
    near = row * stride
    far = Math.min(last, Math.max(0, row + (y & 1 ? 1 : -1))) * stride
  }
  // 3 parts of the nearer row and 1 of the farther one; where rows are not shared both are the same row.
  const zero = 4 * offset
  if (!layout.chromaShiftX) {
    for (let x = left; x < right; x++) out[x - left] = 4 * (3 * data[near + x]! + data[far + x]! - zero)
    return
  }
  const last = ((width + 1) >> 1) - 1
  const first = left >> 1
  const end = (right + 1) >> 1
  const previous = Math.max(0, first - 1)
  let before = 3 * data[near + previous]! + data[far + previous]! - zero
  let here = 3 * data[near + first]! + data[far + first]! - zero
  const center = layout.chromaSite === 'center'
  for (let c = first, o = 0; c < end; c++, o += 2) {
    const next = c < last ? c + 1 : last
    const after = 3 * data[near + next]! + data[far + next]! - zero
    if (center) {
      out[o] = 3 * here + before
      out[o + 1] = 3 * here + after
    } else {
      out[o] = 4 * here
      out[o + 1] = 2 * (here + after)
    }
    before = here
    here = after
  }
}
