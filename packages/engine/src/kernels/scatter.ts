import { tf } from '../tf.js'
import { filled, sizeOf, type Trace, type Value } from '../trace/trace.js'
import type { Lowering } from './index.js'

const numbers = (trace: Trace, length: number) => trace.i32(Int32Array.from({ length }, (_, i) => i))
const at = (trace: Trace, name: string, shape: readonly number[]) => trace.op('Reshape', [name, trace.i64(shape)])
const CAST = { float32: 1, int32: 6, bool: 9 } as const

/** Indices [..., K] into the first K axes of a shape as one row number each: [count]. */
function rowNumbers(trace: Trace, indices: Value, count: number, rank: number, shape: readonly number[]): string {
  const strides = Int32Array.from({ length: rank }, (_, i) => sizeOf(shape.slice(i + 1, rank)))
  const table = at(trace, trace.name(indices), [count, rank])
  if (rank === 1) return at(trace, table, [count])
  return trace.op('ReduceSum', [trace.op('Mul', [table, trace.i32(strides)]), trace.i64([1])], { keepdims: 0 })
}

/** Rows of `updates` put into, or added to, rows of `into`: [rows, size]. A row that is named twice gets the last, or both. */
function scattered(
  trace: Trace,
  into: string,
  rows: string,
  updates: string,
  size: readonly [number, number],
  add: boolean,
): string {
  const index = trace.op('Expand', [at(trace, rows, [size[0], 1]), trace.i64(size)])
  return trace.op('ScatterElements', [into, index, updates], { axis: 0, ...(add ? { reduction: 'add' } : {}) })
}

/** Updates at indices in a tensor of `shape` that holds `into` elsewhere. */
function scatterNd(
  trace: Trace,
  shape: readonly number[],
  indices: Value,
  updates: Value,
  into: (rows: readonly [number, number]) => string,
  add: boolean,
): Value {
  const { sliceRank, numUpdates, sliceSize } = tf.backend_util.calculateShapes(
    { ...updates, rank: updates.shape.length } as never,
    { ...indices, rank: indices.shape.length } as never,
    shape as number[],
  )
  const table = [sizeOf(shape) / sliceSize, sliceSize] as const
  const rows = rowNumbers(trace, indices, numUpdates, sliceRank, shape)
  const given =
    updates.shape.length === 0
      ? trace.op('Expand', [trace.name(updates), trace.i64([numUpdates, sliceSize])])
      : at(trace, trace.name(updates), [numUpdates, sliceSize])
  const name = scattered(trace, into(table), rows, given, [numUpdates, sliceSize], add)
  return { shape, dtype: updates.dtype, name: at(trace, name, shape) }
}

const gatherNd: Lowering = (trace, { params, indices }) => {
  const rank = indices!.shape.at(-1)!
  const [shape, count, size] = tf.backend_util.prepareAndValidate(params as never, indices as never)
  const rows = rowNumbers(trace, indices!, count, rank, params!.shape)
  const matrix = trace.matrix(params!, sizeOf(params!.shape) / size, size)
  const name = trace.op('Gather', [matrix, rows], { axis: 0 })
  return { shape, dtype: params!.dtype, name: at(trace, name, shape) }
}

/** Sums of x along its first axis by segment; what belongs to none falls into a row behind the last and is cut off. */
const segmentSum: Lowering = (trace, { x, segmentIds }, { numSegments }) => {
  const length = x!.shape[0]!
  const size = sizeOf(x!.shape.slice(1))
  const ids = at(trace, trace.name(segmentIds!), [
    ...segmentIds!.shape,
    ...x!.shape.slice(segmentIds!.shape.length).map(() => 1),
  ])
  const inside = trace.op('And', [
    trace.op('GreaterOrEqual', [ids, trace.scalar(0, 'int32')]),
    trace.op('Less', [ids, trace.scalar(numSegments, 'int32')]),
  ])
  const known = trace.op('Where', [inside, ids, trace.scalar(numSegments, 'int32')])
  const index = at(trace, trace.op('Expand', [known, trace.i64(x!.shape)]), [length, size])
  const zeros = trace.name(filled([numSegments + 1, size], 0, x!.dtype))
  const updates = at(trace, trace.name(x!), [length, size])
  const sums = trace.op('ScatterElements', [zeros, index, updates], { axis: 0, reduction: 'add' })
  const kept = trace.op('Slice', [sums, trace.i64([0]), trace.i64([numSegments]), trace.i64([0])])
  const shape = [numSegments, ...x!.shape.slice(1)]
  return { shape, dtype: x!.dtype, name: at(trace, kept, shape) }
}

/** Sums or means of rows by segment. How many segments there are decides the shape, so the ids have to be known. */
const sparseSegments =
  (mean: boolean): Lowering =>
  (trace, { data, indices, segmentIds }) => {
    const ids = segmentIds!.constant
    if (!ids) throw new Error(`Kernel 'SparseSegment${mean ? 'Mean' : 'Sum'} with traced ids' not registered`)
    const count = ids.length === 0 ? 0 : ids[ids.length - 1]! + 1
    const rows = trace.op('Gather', [trace.name(data!), trace.name(indices!)], { axis: 0 })
    const x: Value = { shape: [indices!.shape[0]!, ...data!.shape.slice(1)], dtype: data!.dtype, name: rows }
    const sums = segmentSum(trace, { x, segmentIds: segmentIds! }, { numSegments: count }) as Value
    if (!mean) return sums
    const sizes = new Float32Array(count)
    for (let i = 0; i < ids.length; i++) sizes[ids[i]!]!++
    const divisors = trace.f32(
      sizes.map((n) => Math.max(1, n)),
      [count, ...data!.shape.slice(1).map(() => 1)],
    )
    return { ...sums, name: trace.op('Div', [sums.name!, divisors]) }
  }

const oneHot: Lowering = (trace, { indices }, { depth, onValue, offValue, dtype }) => {
  const shape = [...indices!.shape, depth]
  const here = trace.op('Equal', [at(trace, trace.name(indices!), [...indices!.shape, 1]), numbers(trace, depth)])
  const name = trace.op('Where', [here, trace.scalar(onValue), trace.scalar(offValue)])
  const to = (dtype ?? 'int32') as Value['dtype']
  return { shape, dtype: to, name: to === 'float32' ? name : trace.op('Cast', [name], { to: CAST[to] }) }
}

/** How often each number below `size` stands in the last axis of x, or the sum of the weights beside it. */
const bincount: Lowering = (trace, { x, weights }, { size, binaryOutput }) => {
  const places = at(trace, trace.name(x!), [...x!.shape, 1])
  const found = trace.op('Cast', [trace.op('Equal', [places, numbers(trace, size)])], { to: CAST[weights!.dtype] })
  const weighted = sizeOf(weights!.shape) > 0 && !binaryOutput
  const parts = weighted ? trace.op('Mul', [found, at(trace, trace.name(weights!), [...x!.shape, 1])]) : found
  const axis = trace.i64([x!.shape.length - 1])
  const name = trace.op(binaryOutput ? 'ReduceMax' : 'ReduceSum', [parts, axis], { keepdims: 0 })
  return { shape: [...x!.shape.slice(0, -1), size], dtype: weights!.dtype, name }
}

/** Where in rows that are sorted values would be put in: as many places as there are smaller ones. */
const searchSorted: Lowering = (trace, { sortedSequence, values }, { side }) => {
  const [rows, length] = sortedSequence!.shape as [number, number]
  const sorted = at(trace, trace.name(sortedSequence!), [rows, 1, length])
  const sought = at(trace, trace.name(values!), [rows, values!.shape[1]!, 1])
  const before = trace.op(side === 'left' ? 'Less' : 'LessOrEqual', [sorted, sought])
  const name = trace.op('ReduceSum', [trace.op('Cast', [before], { to: CAST.int32 }), trace.i64([2])], { keepdims: 0 })
  return { shape: values!.shape, dtype: 'int32', name }
}

const topK: Lowering = (trace, { x }, { k, sorted }) => {
  const shape = [...x!.shape.slice(0, -1), k]
  const [values, indices] = trace.ops('TopK', [trace.name(x!), trace.i64([k])], 2, { axis: -1, sorted: sorted ? 1 : 0 })
  return [
    { shape, dtype: x!.dtype, name: values! },
    { shape, dtype: 'int32', name: trace.op('Cast', [indices!], { to: CAST.int32 }) },
  ]
}

export const SCATTER: Record<string, Lowering> = {
  Bincount: bincount,
  DenseBincount: bincount,
  GatherNd: gatherNd,
  OneHot: oneHot,
  ScatterNd: (trace, { indices, updates }, { shape }) =>
    scatterNd(trace, shape, indices!, updates!, (rows) => trace.name(filled(rows, 0, updates!.dtype)), true),
  SearchSorted: searchSorted,
  SparseSegmentMean: sparseSegments(true),
  SparseSegmentSum: sparseSegments(false),
  SparseToDense: (trace, { sparseIndices, sparseValues, defaultValue }, { outputShape }) => {
    const background = ([rows, columns]: readonly [number, number]) =>
      trace.op('Expand', [trace.name(defaultValue!), trace.i64([rows, columns])])
    return scatterNd(trace, outputShape, sparseIndices!, sparseValues!, background, false)
  },
  TensorScatterUpdate: (trace, { tensor, indices, updates }) =>
    scatterNd(
      trace,
      tensor!.shape,
      indices!,
      updates!,
      ([rows, columns]) => trace.matrix(tensor!, rows, columns),
      false,
    ),
  TopK: topK,
  UnsortedSegmentSum: segmentSum,
}
