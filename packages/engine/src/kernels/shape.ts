import { tf } from '../tf.js'
import { filled, same, sizeOf, type Trace, type Value } from '../trace/trace.js'
import { broadcasted } from './elementwise.js'
import type { Lowering } from './index.js'

/** The same elements at another shape. */
export function reshaped(trace: Trace, x: Value, shape: readonly number[]): Value {
  if (same(x.shape, shape)) return x
  if (x.constant?.length === 1 && x.actual?.length === 0) return { ...x, shape }
  if (shape.length === 2) return { shape, dtype: x.dtype, name: trace.matrix(x, shape[0]!, shape[1]!) }
  return { shape, dtype: x.dtype, name: trace.reshape(trace.name(x), x.shape, shape) }
}

const concat: Lowering = (trace, inputs, { axis }) => {
  const values = Object.values(inputs)
  const first = values[0]!
  const at = axis < 0 ? axis + first.shape.length : axis
  tf.backend_util.assertParamsConsistent(
    values.map((v) => v.shape as number[]),
    at,
  )
  const shape = first.shape.map((n, i) => (i === at ? values.reduce((sum, v) => sum + v.shape[i]!, 0) : n))
  return {
    shape,
    dtype: first.dtype,
    name: trace.op(
      'Concat',
      values.map((v) => trace.name(v)),
      { axis: at },
    ),
  }
}

const slice: Lowering = (trace, { x }, { begin, size }) => {
  const [from, length] = tf.slice_util.parseSliceParams(x as tf.TensorInfo & Value, begin, size)
  tf.slice_util.assertParamsValid(x as never, from, length)
  if (same(length, x!.shape)) return x!
  const axes = x!.shape.map((_, i) => i).filter((i) => length[i] !== x!.shape[i])
  const name = trace.op('Slice', [
    trace.name(x!),
    trace.i64(axes.map((i) => from[i]!)),
    trace.i64(axes.map((i) => from[i]! + length[i]!)),
    trace.i64(axes),
  ])
  return { shape: length, dtype: x!.dtype, name }
}

const pad: Lowering = (trace, { x }, { paddings, constantValue }) => {
  const pairs = paddings as [number, number][]
  tf.util.assert(
    pairs.length === x!.shape.length,
    () => `there are paddings for ${pairs.length} axes, but a tensor of shape [${x!.shape}]`,
  )
  const pads = [...pairs.map((p) => p[0]), ...pairs.map((p) => p[1])]
  const shape = x!.shape.map((n, i) => n + pairs[i]![0] + pairs[i]![1])
  const value = constantValue ? [trace.scalar(constantValue, x!.dtype)] : []
  return { shape, dtype: x!.dtype, name: trace.op('Pad', [trace.name(x!), trace.i64(pads), ...value]) }
}

const tile: Lowering = (trace, { x }, { reps }) => {
  const shape = x!.shape.map((n, i) => n * reps[i])
  if (x!.shape.every((n, i) => n === 1 || reps[i] === 1)) return broadcasted(x!, shape)
  return { shape, dtype: x!.dtype, name: trace.op('Tile', [trace.name(x!), trace.i64(reps)]) }
}

const transpose: Lowering = (trace, { x }, { perm }) => {
  const shape = (perm as number[]).map((p) => x!.shape[p]!)
  if ((perm as number[]).every((p, i) => p === i)) return x!
  const moved = sizeOf(x!.shape.slice(keptAxes(perm))) >= 8 ? movedRows(trace, x!, perm) : undefined
  return moved ?? { shape, dtype: x!.dtype, name: trace.op('Transpose', [trace.name(x!)], { perm }) }
}

/** How many leading axes a permutation moves among themselves. */
function keptAxes(perm: readonly number[]): number {
  let moved = perm.length
  while (moved > 0 && perm[moved - 1] === moved - 1) moved--
  return moved
}

/** A transpose that leaves the last axes in place moves whole rows: Gather does that on all cores, Transpose on one. */
export function movedRows(trace: Trace, x: Value, perm: readonly number[]): Value {
  const moved = keptAxes(perm)
  const sizes = x.shape.slice(0, moved)
  const strides = sizes.map((_, i) => sizeOf(sizes.slice(i + 1)))
  const indices = new Int32Array(sizeOf(sizes))
  const position = new Array<number>(moved).fill(0)
  for (let i = 0; i < indices.length; i++) {
    indices[i] = position.reduce((sum, p, axis) => sum + p * strides[perm[axis]!]!, 0)
    for (let axis = moved - 1; axis >= 0 && ++position[axis]! === sizes[perm[axis]!]; axis--) position[axis] = 0
  }
  const shape = perm.map((p) => x.shape[p]!)
  const length = sizeOf(x.shape.slice(moved))
  const name = trace.op('Gather', [trace.matrix(x, indices.length, length), trace.i32(indices)], { axis: 0 })
  return { shape, dtype: x.dtype, name: trace.reshape(name, [indices.length, length], shape) }
}

const gather: Lowering = (trace, { x, indices }, { axis, batchDims }) => {
  const at = tf.util.parseAxisParam(axis, x!.shape as number[])[0]!
  const outside = Array.from(indices!.constant ?? []).find((index) => index < 0 || index >= x!.shape[at]!)
  tf.util.assert(outside === undefined, () => `there is no ${outside} among the ${x!.shape[at]} along axis ${at}`)
  if (batchDims) return batchGather(trace, x!, indices!, at, batchDims)
  const shape = [...x!.shape.slice(0, at), ...indices!.shape, ...x!.shape.slice(at + 1)]
  return { shape, dtype: x!.dtype, name: trace.op('Gather', [trace.name(x!), trace.name(indices!)], { axis: at }) }
}

/** Each batch gathers from rows of its own: one gather of rows numbered through all batches. */
function batchGather(trace: Trace, x: Value, indices: Value, axis: number, batchDims: number): Value {
  const info = tf.backend_util.segment_util.collectGatherOpShapeInfo(x as never, indices as never, axis, batchDims)
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info
  const starts = trace.i32(Int32Array.from({ length: batchSize * outerSize }, (_, i) => i * dimSize))
  const first = trace.op('Reshape', [starts, trace.i64([batchSize, outerSize, 1])])
  const within = trace.op('Reshape', [
    trace.name(indices),
    trace.i64([batchSize, 1, sizeOf(indices.shape) / batchSize]),
  ])
  const matrix = trace.matrix(x, batchSize * outerSize * dimSize, sliceSize)
  const rows = trace.op('Gather', [matrix, trace.op('Add', [first, within])], { axis: 0 })
  return { shape: outputShape, dtype: x.dtype, name: trace.op('Reshape', [rows, trace.i64(outputShape)]) }
}

export const SHAPE: Record<string, Lowering> = {
  Reshape: (trace, { x }, { shape }) => reshaped(trace, x!, tf.util.inferFromImplicitShape(shape, sizeOf(x!.shape))),
  ExpandDims: (trace, { input }, { dim }) => {
    const shape = [...input!.shape]
    tf.util.assert(dim >= -(shape.length + 1), () => `there is no axis ${dim} of a tensor of shape [${shape}]`)
    shape.splice(dim < 0 ? shape.length + 1 + dim : dim, 0, 1)
    return reshaped(trace, input!, shape)
  },
  Concat: concat,
  Pack: (trace, inputs, { axis }) => {
    const shapes = Object.values(inputs).map((v) => v.shape as number[])
    for (const shape of shapes) tf.util.assertShapesMatch(shape, shapes[0]!)
    const parts = Object.values(inputs).map((v) => SHAPE.ExpandDims!(trace, { input: v }, { dim: axis }) as Value)
    return concat(trace, Object.fromEntries(parts.map((v, i) => [i, v])), {
      axis: axis < 0 ? axis + parts[0]!.shape.length : axis,
    })
  },
  Unpack: (trace, { value }, { axis }) => {
    const at = axis < 0 ? axis + value!.shape.length : axis
    const rest = value!.shape.filter((_, i) => i !== at)
    return Array.from({ length: value!.shape[at]! }, (_, k) => {
      const begin = value!.shape.map((_, i) => (i === at ? k : 0))
      const size = value!.shape.map((n, i) => (i === at ? 1 : n))
      return reshaped(trace, slice(trace, { x: value! }, { begin, size }) as Value, rest)
    })
  },
  SplitV: (trace, { x }, { numOrSizeSplits, axis }) => {
    const at = tf.util.parseAxisParam(axis, x!.shape as number[])[0]!
    let from = 0
    return tf.backend_util.prepareSplitSize(x as never, numOrSizeSplits, at).map((length) => {
      const begin = x!.shape.map((_, i) => (i === at ? from : 0))
      from += length
      return slice(trace, { x: x! }, { begin, size: x!.shape.map((n, i) => (i === at ? length : n)) }) as Value
    })
  },
  Slice: slice,
  PadV2: pad,
  Tile: tile,
  Transpose: transpose,
  GatherV2: gather,
  Reverse: (trace, { x }, { dims }) => {
    const axes = tf.util.parseAxisParam(dims, x!.shape as number[])
    const steps = axes.map(() => -1)
    const name = trace.op('Slice', [
      trace.name(x!),
      trace.i64(axes.map(() => -1)),
      trace.i64(axes.map(() => -(2 ** 31))),
      trace.i64(axes),
      trace.i64(steps),
    ])
    return { shape: x!.shape, dtype: x!.dtype, name }
  },
  Fill: (_, __, { shape, value, dtype }) => filled(shape, value, dtype ?? 'float32'),
  ZerosLike: (_, { x }) => filled(x!.shape, 0, x!.dtype),
  OnesLike: (_, { x }) => filled(x!.shape, 1, x!.dtype),
}
