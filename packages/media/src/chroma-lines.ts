import { type MediaKernels, type Samples, viewLike } from './kernels.js'
import { type Box, type PlaneLayout, type Planes, transform } from './planes.js'

/** Rows of chroma, one after the other. */
export interface ChromaLines {
  /**
   * Where the line of the pixels in row `y` of the box begins: whole numbers of 32 bits, without their offset, times 16;
   * valid until the next one of the same plane.
   */
  line(plane: 1 | 2, y: number): number
}

/** Bytes of the blocks of memory that the lines of a box need. */
export function chromaRoom({ left, right }: Box): number[] {
  const line = (right - left + 16) * 4
  return [line, line, line, line, line]
}

/**
 * The chroma of a box, interpolated to full size, from where the layout says that it sits. Lines begin at the box's left
 * edge.
 *
 * @param places Where the blocks of `chromaRoom` are.
 */
export function chromaLines(
  memory: MediaKernels,
  picture: { planes: Planes; layout: PlaneLayout; box: Box },
  places: readonly number[],
): ChromaLines {
  const { planes, layout, box } = picture
  const { chromaShiftX: sx, chromaShiftY: sy } = layout
  const [nearAt, farAt, sums, ...out] = places as [number, number, number, number, number]
  const lastRow = sy ? ((planes.height + 1) >> 1) - 1 : planes.height - 1
  const columns = sx ? (planes.width + 1) >> 1 : planes.width
  const first = box.left >> sx
  const count = ((box.right + sx) >> sx) - first
  const zero = 4 * transform(layout).chromaOffset
  // Where pairs of columns share a sample, the first pixel may be the right one of a pair.
  const lead = sx ? (box.left & 1) * 4 : 0
  const near = viewLike(memory, planes.data[1]!, nearAt, count + 2)
  const far = viewLike(memory, planes.data[1]!, farAt, count + 2)
  const copy = (to: Samples, plane: 1 | 2, row: number) => {
    const data = planes.data[plane]!
    const at = row * planes.strides[plane]!
    const from = Math.max(0, first - 1)
    const end = Math.min(columns, first + count + 1)
    to.set(data.subarray(at + from, at + end), from - first + 1)
    if (first === 0) to[0] = data[at]!
    if (end === first + count) to[count + 1] = data[at + end - 1]!
  }
  return {
    line(plane, y) {
      const row = (box.top + y) >> sy
      copy(near, plane, row)
      const beside = sy ? Math.min(lastRow, Math.max(0, row + ((box.top + y) & 1 ? 1 : -1))) : row
      if (beside !== row) copy(far, plane, beside)
      const to = out[plane - 1]!
      const other = beside === row ? nearAt : farAt
      const words = planes.data[plane] instanceof Uint16Array
      memory.call.chromaRow(nearAt, other, words, count, sx === 1, layout.chromaSite === 'center', zero, sums, to)
      return to + lead
    },
  }
}
