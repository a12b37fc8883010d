import type { Trace } from '../trace/trace.js'

/** Sizes of a window that moves over an image of two or three axes, channels last. */
export interface WindowGeometry {
  batch: number
  channels: number
  input: readonly number[]
  output: readonly number[]
  kernel: readonly number[]
  stride: readonly number[]
  dilation: readonly number[]
  /** Pixels outside of the image before the first one. */
  padding: readonly number[]
}

type Info = {
  batchSize: number
  inChannels: number
  padInfo: { front?: number; top: number; left: number }
} & Record<string, unknown>

/** The sizes in what TensorFlow.js computes for a convolution or a pool, in 2D or 3D. */
export function windowGeometry(info: unknown): WindowGeometry {
  const given = info as Info
  const axes = 'inDepth' in given ? ['Depth', 'Height', 'Width'] : ['Height', 'Width']
  const of = (prefix: string) => axes.map((axis) => given[prefix + axis] as number)
  const { front, top, left } = given.padInfo
  return {
    batch: given.batchSize,
    channels: given.inChannels,
    input: of('in'),
    output: of('out'),
    kernel: of('filter'),
    stride: of('stride'),
    dilation: of('dilation'),
    padding: axes.length === 3 ? [front!, top, left] : [top, left],
  }
}

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)

/** How many positions a window takes, how many pixels it sees at each, how many pixels there are. */
export const countsOf = (g: WindowGeometry) => ({
  positions: g.batch * product(g.output),
  taps: product(g.kernel),
  pixels: g.batch * product(g.input),
})

/** For each position and tap, in this order, the pixel that it sees; the number of pixels where it is outside. */
export function windowTable(g: WindowGeometry): Int32Array {
  const { positions, taps, pixels } = countsOf(g)
  // Along each axis for each pair of output position and tap the coordinate, or -1.
  const axes = g.input.map((size, a) =>
    Array.from({ length: g.output[a]! }, (_, o) =>
      Array.from({ length: g.kernel[a]! }, (_, t) => {
        const at = o * g.stride[a]! + t * g.dilation[a]! - g.padding[a]!
        return at >= 0 && at < size ? at : -1
      }),
    ),
  )
  const table = new Int32Array(positions * taps)
  const perImage = positions / g.batch
  for (let p = 0; p < positions; p++)
    for (let t = 0; t < taps; t++) {
      let [position, tap, stride, index] = [p % perImage, t, 1, 0]
      let inside = true
      for (let a = axes.length - 1; a >= 0; a--) {
        const at = axes[a]![position % g.output[a]!]![tap % g.kernel[a]!]!
        position = Math.floor(position / g.output[a]!)
        tap = Math.floor(tap / g.kernel[a]!)
        inside &&= at >= 0
        index += at * stride
        stride *= g.input[a]!
      }
      table[p * taps + t] = inside ? Math.floor(p / perImage) * stride + index : pixels
    }
  return table
}

/** For each of `rows` rows the places where it stands in `table`, filled up with `table.length`. */
export function inverseTable(table: Int32Array, rows: number): { table: Int32Array; width: number } {
  const counts = new Int32Array(rows + 1)
  for (const row of table) counts[row]!++
  const width = Math.max(
    1,
    counts.subarray(0, rows).reduce((a, b) => Math.max(a, b), 0),
  )
  const out = new Int32Array(rows * width).fill(table.length)
  counts.fill(0)
  for (let i = 0; i < table.length; i++) {
    const row = table[i]!
    if (row < rows) out[row * width + counts[row]!++] = i
  }
  return { table: out, width }
}

/** Rows of a matrix [rows, columns] in the order of a table; `rows` in it stands for a row of `fill`. */
export function gatherRows(
  trace: Trace,
  matrix: string,
  [rows, columns]: readonly [number, number],
  table: Int32Array,
  fill: string = trace.scalar(0),
): string {
  const last = () => trace.op('Expand', [fill, trace.i64([1, columns])])
  const source = table.includes(rows) ? trace.op('Concat', [matrix, last()], { axis: 0 }) : matrix
  return trace.op('Gather', [source, trace.i32(table)], { axis: 0 })
}

/** The sum of what the windows say of each pixel: [positions · taps, channels] becomes [pixels, channels]. */
export function sumOverWindows(trace: Trace, rows: string, g: WindowGeometry): string {
  const { positions, taps, pixels } = countsOf(g)
  const { table, width } = inverseTable(windowTable(g), pixels)
  return sumOfRows(trace, rows, [positions * taps, g.channels], table, width)
}

/** Sums of `width` rows at a time, by a table. */
export function sumOfRows(
  trace: Trace,
  rows: string,
  size: readonly [number, number],
  table: Int32Array,
  width: number,
): string {
  const gathered = gatherRows(trace, rows, size, table)
  if (width === 1) return gathered
  const split = trace.op('Reshape', [gathered, trace.i64([table.length / width, width, size[1]])])
  return trace.op('ReduceSum', [split, trace.i64([1])], { keepdims: 0 })
}
