import type { Trace, Value } from '../trace/trace.js'
import type { Matrix, Tiling } from './tilings.js'
import { type Plan, phaseGrid } from './winograd-plan.js'

/**
 * Convolutions by Winograd's minimal filtering: where a window has three pixels a side, an output tile of m·m pixels costs
 * (m + 2)² products instead of 9·m². The input gradient is a convolution of the same kind, and the weight gradient takes
 * the same products in another order.
 *
 * With stride s the image is s·s images, one for each phase of the grid, which are convolved together: a window of 5 at stride
 * 2 has three pixels a side in each of them.
 *
 * All transforms are products of small constant matrices with all tiles at once. P = (m + 2)² frequencies, T tiles:
 *
 *     V [P, T, phases·I] = B · tiles of x            U [P, phases·I, O] = G · weights
 *     y [m·m, T, O]      = A · (V · U)               y's gradient, x's and the weights': the same backwards
 *
 * Source: Lavin and Gray 2016, https://arxiv.org/abs/1509.09308
 */

/** Rows [N·H·W, O] of a convolution. */
export function tiledConvolution(trace: Trace, plan: Plan, x: Value, filter: Value): string {
  const { geometry: g, tiling } = plan
  const outputs = filter.shape[3]!
  const seen = inputTiles(trace, plan, x)
  const V = product(trace, both(trace, tiling.B, tiling.B), seen)
  const M = trace.op('MatMul', [V, weightTransform(trace, plan, filter, { after: seen.name, mirrored: false })])
  return outputTransform(trace, tiling, M, g.batch, g.output, [1, 1], outputs)
}

/** Rows [N·H·W, I] of the input gradient. */
export function tiledInputGradient(trace: Trace, plan: Plan, dy: Value, filter: Value): string {
  const { geometry: g, tiling, first } = plan
  const grid = phaseGrid(g)
  const V = tiles(trace, dy, grid, [1, 1], [-first[0] - 2, -first[1] - 2], tiling.m, tiling.m + 2)
  const frequencies = product(trace, both(trace, tiling.B, tiling.B), V)
  const U = weightTransform(trace, plan, filter, { after: V.name, mirrored: true })
  const M = trace.op('FusedMatMul', [frequencies, U], { transB: 1 }, 'com.microsoft')
  return outputTransform(trace, tiling, M, g.batch, g.input, g.stride, filter.shape[2]!)
}

/** The weight gradient as a matrix [k·k, I·O]. */
export function tiledWeightGradient(trace: Trace, plan: Plan, x: Value, dy: Value): string {
  const { geometry: g, tiling } = plan
  const [inputs, outputs] = [x.shape[3]!, dy.shape[3]!]
  const V = product(trace, both(trace, tiling.B, tiling.B), inputTiles(trace, plan, x))
  const ofTiles = tiles(trace, dy, g.output, [1, 1], [0, 0], tiling.m, tiling.m)
  const dM = product(trace, both(trace, tiling.A, tiling.A), ofTiles, true)
  const dU = trace.op('FusedMatMul', [V, dM], { transA: 1 }, 'com.microsoft') // [P, phases·I, O]
  const G = weightMatrix(trace, plan, false)
  return trace.op('Gemm', [G, trace.op('Reshape', [dU, trace.i64([rowsOf(plan), inputs * outputs])])], { transA: 1 })
}

/** A matrix [rows, columns] of the graph and what is made of it. */
interface Tiles {
  /** [side·side, T·C]. */
  name: string
  count: number
  channels: number
}

/** X · tiles, seen as [frequencies, T, C]; X transposed if asked. */
function product(trace: Trace, X: string, { name, count, channels }: Tiles, transposed = false): string {
  const made = trace.op('Gemm', [X, name], transposed ? { transA: 1 } : {})
  return trace.op('Reshape', [made, trace.i64([-1, count, channels])])
}

const inputTiles = (trace: Trace, { geometry: g, tiling: { m }, first }: Plan, x: Value): Tiles =>
  tiles(trace, x, g.output, g.stride, first, m, m + 2)

/**
 * U: [P, phases·I, O]; of mirrored weights for the input gradient.
 *
 * These are the largest tensors of all. ONNX Runtime would compute them as soon as it could, and keep those of weights that
 * are used again, for the other person or in the backward pass, until then. So where weights are not constants, U is made
 * to depend on what it is to be multiplied with.
 */
function weightTransform(
  trace: Trace,
  plan: Plan,
  filter: Value,
  { after, mirrored }: { after: string; mirrored: boolean },
): string {
  const [kh, kw, inputs, outputs] = filter.shape as [number, number, number, number]
  const weights = trace.matrix(filter, kh * kw, inputs * outputs)
  const matrix = weightMatrix(trace, plan, mirrored)
  const made = trace.op('Gemm', [filter.constant ? matrix : afterwards(trace, matrix, after), weights])
  const { stride } = plan.geometry
  return trace.op('Reshape', [made, trace.i64([-1, stride[0] * stride[1] * inputs, outputs])])
}

/** `matrix`, but not before `other` is there. */
function afterwards(trace: Trace, matrix: string, other: string): string {
  const corner = trace.op('Slice', [other, trace.i64([0, 0]), trace.i64([1, 1])])
  return trace.op('Add', [matrix, trace.op('Mul', [corner, trace.scalar(0)])])
}

const rowsOf = ({ geometry: { stride }, tiling: { m } }: Plan) => (m + 2) ** 2 * stride[0] * stride[1]

/** G for both axes: from the taps of a kernel to frequency and phase, [P·phases, k·k]. */
function weightMatrix(trace: Trace, { geometry: g, tiling: { G }, first }: Plan, mirrored: boolean): string {
  const [rows, columns] = [0, 1].map((axis) =>
    G.flatMap((row) =>
      Array.from({ length: g.stride[axis]! }, (_, phase) =>
        Array.from({ length: g.kernel[axis]! }, (_, tap) => {
          const at = tap - g.padding[axis]!
          const offset = Math.floor(at / g.stride[axis]!)
          if (at - offset * g.stride[axis]! !== phase) return 0
          return row[mirrored ? 2 + first[axis]! - offset : offset - first[axis]!]!
        }),
      ),
    ),
  )
  // Rows in the order frequency, phase, where a product of both axes has frequency and phase of one axis, then of the other.
  const [t, sy, sx] = [G.length, g.stride[0], g.stride[1]]
  const order = Array.from({ length: t * t * sy * sx }, (_, i) => {
    const [u, v] = [Math.floor(i / (t * sy * sx)), Math.floor(i / (sy * sx)) % t]
    const [py, px] = [Math.floor(i / sx) % sy, i % sx]
    return (u * sy + py) * t * sx + v * sx + px
  })
  return both(trace, rows!, columns!, order)
}

/** Rows [N·H·W, C] of A · M, whose tiles lie side by side: [m·m, T, phases, C]. */
function outputTransform(
  trace: Trace,
  { m, A }: Tiling,
  M: string,
  batch: number,
  [height, width]: readonly [number, number],
  [sy, sx]: readonly [number, number],
  channels: number,
): string {
  const [down, across] = [Math.ceil(Math.ceil(height / sy) / m), Math.ceil(Math.ceil(width / sx) / m)]
  const count = batch * down * across * sy * sx
  const frequencies = trace.op('Reshape', [M, trace.i64([(m + 2) ** 2, count * channels])])
  const pixels = trace.op('Gemm', [both(trace, A, A), frequencies])
  const indices = new Int32Array(batch * height * width)
  let at = 0
  for (let n = 0; n < batch; n++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [row, column] = [Math.floor(y / sy), Math.floor(x / sx)]
        const tile = (n * down + Math.floor(row / m)) * across + Math.floor(column / m)
        const phase = (y % sy) * sx + (x % sx)
        indices[at++] = ((row % m) * m + (column % m)) * count + tile * sy * sx + phase
      }
  const rows = trace.op('Reshape', [pixels, trace.i64([m * m * count, channels])])
  return trace.op('Gather', [rows, trace.i32(indices)], { axis: 0 })
}

/**
 * Pixel (0, 0) of all tiles, then (0, 1) and so on, zero outside of the image: [side·side, T·phases·C].
 *
 * @param grid  Tiles of m·m begin everywhere on a grid of this size.
 * @param first  Offset of a tile's first pixel, on the grid.
 */
function tiles(
  trace: Trace,
  x: Value,
  grid: readonly [number, number],
  stride: readonly [number, number],
  first: readonly [number, number],
  m: number,
  side: number,
): Tiles {
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const zero = batch * height * width
  const phases = stride[0] * stride[1]
  const count = batch * Math.ceil(grid[0] / m) * Math.ceil(grid[1] / m)
  const indices = new Int32Array(side * side * count * phases)
  let at = 0
  let outside = false
  for (let i = 0; i < side; i++)
    for (let j = 0; j < side; j++)
      for (let n = 0; n < batch; n++)
        for (let row = i + first[0]; row < grid[0] + i + first[0]; row += m)
          for (let column = j + first[1]; column < grid[1] + j + first[1]; column += m)
            for (let phase = 0; phase < phases; phase++) {
              const y = row * stride[0] + Math.floor(phase / stride[1])
              const u = column * stride[1] + (phase % stride[1])
              const inside = y >= 0 && y < height && u >= 0 && u < width
              indices[at++] = inside ? (n * height + y) * width + u : zero
              outside ||= !inside
            }
  const pixels = trace.matrix(x, zero, channels)
  const zeros = () => trace.op('Expand', [trace.scalar(0), trace.i64([1, channels])])
  const padded = outside ? trace.op('Concat', [pixels, zeros()], { axis: 0 }) : pixels
  const rows = trace.op('Gather', [padded, trace.i32(indices)], { axis: 0 })
  const name = trace.op('Reshape', [rows, trace.i64([side * side, count * phases * channels])])
  return { name, count, channels: phases * channels }
}

const constants = new WeakMap<Trace, Map<string, string>>()

/** The matrix that does to both axes of a square what `X` does to the rows and `Y` to the columns; rows in another order if given. */
function both(trace: Trace, X: Matrix, Y: Matrix, order?: readonly number[]): string {
  const key = JSON.stringify([X, Y, order])
  const known = constants.get(trace) ?? new Map<string, string>()
  constants.set(trace, known)
  const found = known.get(key)
  if (found) return found
  const rows = X.flatMap((xs) => Y.map((ys) => xs.flatMap((x) => ys.map((y) => x * y))))
  const values = Float32Array.from((order ? order.map((i) => rows[i]!) : rows).flat())
  const name = trace.graph.constant('float32', [rows.length, rows[0]!.length], values)
  known.set(key, name)
  return name
}
