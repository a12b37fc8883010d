import { type MediaKernels, regionOf } from './kernels.js'
import { type Box, type PlaneLayout, type Planes, transform } from './planes.js'

/** Rows of chroma, one after the other. */
export interface ChromaLines {
  /** Bytes of the blocks of memory that the lines need. */
  room: readonly number[]
  /** Copies the samples into the kernels' memory, to be called once, with where those blocks are. */
  load(places: readonly number[]): void
  /**
   * Where the line of the pixels in row `y` of the box begins: whole numbers of 32 bits, without their offset, times 16;
   * valid until the next one of the same plane.
   */
  line(plane: 1 | 2, y: number): number
}

const SPACE = 16

/**
 * The chroma of a box, interpolated to full size, from where the layout says that it sits. Lines begin at the box's left
 * edge.
 */
export function chromaLines(
  memory: MediaKernels,
  picture: { planes: Planes; layout: PlaneLayout; box: Box },
): ChromaLines {
  const { planes, layout, box } = picture
  const { chromaShiftX: sx, chromaShiftY: sy } = layout
  const lastRow = sy ? ((planes.height + 1) >> 1) - 1 : planes.height - 1
  const columns = sx ? (planes.width + 1) >> 1 : planes.width
  const first = box.left >> sx
  const count = ((box.right + sx) >> sx) - first
  const [isFirst, isLast] = [first === 0, first + count === columns]
  const zero = 4 * transform(layout).chromaOffset
  // Where pairs of columns share a sample, the first pixel may be the right one of a pair.
  const lead = sx ? (box.left & 1) * 4 : 0
  // The samples that lie around the box's, too.
  const left = Math.max(0, first - 1)
  const right = Math.min(columns, first + count + 1)
  const top = Math.max(0, (box.top >> sy) - sy)
  const bottom = Math.min(lastRow, ((box.bottom - 1) >> sy) + sy) + 1
  const regions = ([1, 2] as const).map((plane) =>
    regionOf(planes.data[plane]!, planes.strides[plane]!, { left, top, right, bottom }),
  )
  const { BYTES_PER_ELEMENT: size } = planes.data[1]!
  const line = (count + 2) * size
  const full = (box.right - box.left + 16) * 4
  // With space before the samples: what is to the left of the first is read, if not used.
  const room = [...regions.map(({ length }) => SPACE + length * size), line, line, full, full, full]
  const centre = layout.chromaSite === 'center'
  let places: readonly number[] = []
  let [near, far, sums] = [0, 0, 0]
  const copy = (plane: 1 | 2, row: number, to: number) => {
    const from = places[plane - 1]! + ((row - top) * planes.strides[plane]! + first - left) * size
    memory.call.chromaSamples(from, size, count, isFirst, isLast, to)
  }
  return {
    room,
    load(given) {
      places = given.map((at, i) => (i < 2 ? at + SPACE : at))
      ;[, , near, far, sums] = places as readonly [number, number, number, number, number]
      for (const [i, region] of regions.entries()) region.load(memory, places[i]!)
    },
    line(plane, y) {
      const row = (box.top + y) >> sy
      copy(plane, row, near)
      const beside = sy ? Math.min(lastRow, Math.max(0, row + ((box.top + y) & 1 ? 1 : -1))) : row
      if (beside !== row) copy(plane, beside, far)
      const to = places[plane + 4]!
      const other = beside === row ? near : far
      memory.call.chromaRow(near, other, size === 2, count, sx === 1, centre, zero, sums, to)
      return to + lead
    },
  }
}
