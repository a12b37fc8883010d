import { tf } from '../tf.js'
import type { Trace, Value } from '../trace/trace.js'
import type { Lowering } from './index.js'
import {
  countsOf,
  gatherRows,
  inverseTable,
  sumOfRows,
  sumOverWindows,
  type WindowGeometry,
  windowGeometry,
  windowTable,
} from './taps.js'

interface PoolAttributes {
  filterSize: number
  strides: number
  pad: 'same' | 'valid' | number
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  dataFormat?: string
}

/** The window of a pool over an image [N, H, W, C] or [N, D, H, W, C]. */
export function poolGeometry(x: Value, { filterSize, strides, pad, dimRoundingMode, dataFormat }: PoolAttributes) {
  if (dataFormat === 'NCDHW') throw new Error("Kernel 'pool3d in NCDHW' not registered")
  const { computePool2DInfo, computePool3DInfo } = tf.backend_util
  const shape = x.shape as never
  return windowGeometry(
    x.shape.length === 5
      ? computePool3DInfo(shape, filterSize, strides, 1, pad as never, dimRoundingMode)
      : computePool2DInfo(shape, filterSize, strides, 1, pad as never, dimRoundingMode),
  )
}

/** What each position of the window sees: [positions, taps, C]. */
function seen(trace: Trace, x: Value, g: WindowGeometry, fill: string): string {
  const { positions, taps, pixels } = countsOf(g)
  const matrix = trace.matrix(x, pixels, g.channels)
  const rows = gatherRows(trace, matrix, [pixels, g.channels], windowTable(g), fill)
  return trace.op('Reshape', [rows, trace.i64([positions, taps, g.channels])])
}

const outShape = (g: WindowGeometry) => [g.batch, ...g.output, g.channels]
const lowest = (trace: Trace, x: Value) => trace.scalar(x.dtype === 'int32' ? -(2 ** 31) : -Infinity, x.dtype)

const maxPool: Lowering = (trace, { x }, attrs) => {
  const g = poolGeometry(x!, attrs)
  const name = trace.op('ReduceMax', [seen(trace, x!, g, lowest(trace, x!)), trace.i64([1])], { keepdims: 0 })
  return { shape: outShape(g), dtype: x!.dtype, name: trace.op('Reshape', [name, trace.i64(outShape(g))]) }
}

/** Which tap of each window is the first of the largest: 1 there, 0 elsewhere, times `dy`. [positions · taps, C]. */
export function atMaximum(trace: Trace, windows: string, dy: Value, g: WindowGeometry): string {
  const { positions, taps } = countsOf(g)
  const first = trace.op('Cast', [trace.op('ArgMax', [windows], { axis: 1, keepdims: 1 })], { to: 6 })
  const numbers = Int32Array.from({ length: taps }, (_, i) => i)
  const order = trace.op('Reshape', [trace.i32(numbers), trace.i64([1, taps, 1])])
  const chosen = trace.op('Cast', [trace.op('Equal', [first, order])], { to: 1 })
  const given = trace.op('Reshape', [trace.name(dy), trace.i64([positions, 1, g.channels])])
  return trace.op('Mul', [chosen, given])
}

const maxPoolGradient: Lowering = (trace, { dy, input }, attrs) => {
  const g = poolGeometry(input!, attrs)
  const { positions, taps } = countsOf(g)
  const spread = atMaximum(trace, seen(trace, input!, g, lowest(trace, input!)), dy!, g)
  const rows = trace.op('Reshape', [spread, trace.i64([positions * taps, g.channels])])
  const name = trace.op('Reshape', [sumOverWindows(trace, rows, g), trace.i64(input!.shape)])
  return { shape: input!.shape, dtype: 'float32', name }
}

/** Values [positions, C] divided by how many pixels inside of the image each window sees. */
function perPixelSeen(trace: Trace, rows: string, g: WindowGeometry): string {
  const { positions, taps, pixels } = countsOf(g)
  const counts = new Float32Array(positions)
  windowTable(g).forEach((pixel, i) => {
    if (pixel < pixels) counts[Math.floor(i / taps)]!++
  })
  const all = counts.every((count) => count === counts[0])
  return trace.op('Div', [rows, all ? trace.scalar(counts[0]!) : trace.f32(counts, [positions, 1])])
}

const averagePool: Lowering = (trace, { x }, attrs) => {
  const g = poolGeometry(x!, attrs)
  const sum = trace.op('ReduceSum', [seen(trace, x!, g, trace.scalar(0)), trace.i64([1])], { keepdims: 0 })
  const name = trace.op('Reshape', [perPixelSeen(trace, sum, g), trace.i64(outShape(g))])
  return { shape: outShape(g), dtype: x!.dtype, name }
}

/** Each pixel takes its part of `dy` from every window that sees it: the gradient of the mean over pixels inside. */
const averagePoolGradient: Lowering = (trace, { dy, input }, attrs) => {
  const g = poolGeometry(input!, attrs)
  const { positions, taps, pixels } = countsOf(g)
  const parts = perPixelSeen(trace, trace.matrix(dy!, positions, g.channels), g)
  const { table, width } = inverseTable(windowTable(g), pixels)
  const byPosition = table.map((place) => Math.floor(place / taps)) // positions · taps, for none, becomes positions
  const name = trace.op('Reshape', [
    sumOfRows(trace, parts, [positions, g.channels], byPosition, width),
    trace.i64(input!.shape),
  ])
  return { shape: input!.shape, dtype: 'float32', name }
}

/** Maxima, and where in the flattened image they stand. */
const maxPoolWithArgmax: Lowering = (trace, { x }, attrs) => {
  const g = poolGeometry(x!, attrs)
  const { positions, taps, pixels } = countsOf(g)
  const perImage = pixels / g.batch
  const numbers = windowTable(g).map((pixel) => (attrs.includeBatchInIndex ? pixel : pixel % perImage) * g.channels)
  const windows = seen(trace, x!, g, lowest(trace, x!))
  const first = trace.op('ArgMax', [windows], { axis: 1, keepdims: 1 })
  const places = trace.op('Expand', [
    trace.op('Reshape', [trace.i32(numbers), trace.i64([positions, taps, 1])]),
    trace.i64([positions, taps, g.channels]),
  ])
  const pixel = trace.op('GatherElements', [places, first], { axis: 1 })
  const channel = trace.i32(Int32Array.from({ length: g.channels }, (_, i) => i))
  const index = trace.op('Reshape', [trace.op('Add', [pixel, channel]), trace.i64(outShape(g))])
  return [maxPool(trace, { x: x! }, attrs) as Value, { shape: outShape(g), dtype: 'int32', name: index }]
}

/** Largest sum of a pixel and its weight within a window. Weights are [kh, kw, C]. */
function dilated(trace: Trace, x: Value, filter: Value, attrs: Record<string, unknown>) {
  const info = tf.backend_util.computeDilation2DInfo(
    x.shape as never,
    filter.shape as never,
    attrs.strides as number,
    attrs.pad as 'same',
    'NHWC',
    attrs.dilations as number,
  )
  const g = windowGeometry(info)
  const { taps } = countsOf(g)
  const weights = trace.op('Reshape', [trace.name(filter), trace.i64([1, taps, g.channels])])
  return { g, sums: trace.op('Add', [seen(trace, x, g, trace.scalar(-Infinity)), weights]) }
}

const dilation2d: Lowering = (trace, { x, filter }, attrs) => {
  const { g, sums } = dilated(trace, x!, filter!, attrs)
  const name = trace.op('ReduceMax', [sums, trace.i64([1])], { keepdims: 0 })
  return { shape: outShape(g), dtype: x!.dtype, name: trace.op('Reshape', [name, trace.i64(outShape(g))]) }
}

const dilationGradient =
  (of: 'x' | 'filter'): Lowering =>
  (trace, { x, filter, dy }, attrs) => {
    const { g, sums } = dilated(trace, x!, filter!, attrs)
    const { positions, taps } = countsOf(g)
    const spread = atMaximum(trace, sums, dy!, g)
    const { shape } = of === 'x' ? x! : filter!
    const rows = () => trace.op('Reshape', [spread, trace.i64([positions * taps, g.channels])])
    const sum =
      of === 'x' ? sumOverWindows(trace, rows(), g) : trace.op('ReduceSum', [spread, trace.i64([0])], { keepdims: 0 }) // [taps, C]
    return { shape, dtype: 'float32', name: trace.op('Reshape', [sum, trace.i64(shape)]) }
  }

export const POOLING: Record<string, Lowering> = {
  AvgPool: averagePool,
  AvgPoolGrad: averagePoolGradient,
  AvgPool3D: averagePool,
  AvgPool3DGrad: averagePoolGradient,
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGradient,
  MaxPool3D: maxPool,
  MaxPool3DGrad: maxPoolGradient,
  MaxPoolWithArgmax: maxPoolWithArgmax,
  Dilation2D: dilation2d,
  Dilation2DBackpropInput: dilationGradient('x'),
  Dilation2DBackpropFilter: dilationGradient('filter'),
}
