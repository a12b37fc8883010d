import { tf } from '../tf.js'
import { sizeOf, type Trace, type Value } from '../trace/trace.js'
import { ELEMENTWISE } from './elementwise.js'
import type { Lowering } from './index.js'

/** TensorFlow.js calls the axes `axis`, but `reductionIndices` for Max. */
const reduction =
  (op: string): Lowering =>
  (trace, { x }, { axis, reductionIndices, keepDims }) => {
    const axes = tf.util.parseAxisParam(axis ?? reductionIndices ?? null, x!.shape as number[])
    const shape = keepDims
      ? x!.shape.map((n, i) => (axes.includes(i) ? 1 : n))
      : x!.shape.filter((_, i) => !axes.includes(i))
    if (axes.length === 0) return x!
    const sum = op === 'ReduceSum' && columnSum(trace, x!, axes)
    if (sum) return { shape, dtype: x!.dtype, name: trace.op('Reshape', [sum, trace.i64(shape)]) }
    return {
      shape,
      dtype: x!.dtype,
      name: trace.op(op, [trace.name(x!), trace.i64(axes)], { keepdims: keepDims ? 1 : 0 }),
    }
  }

/** A sum over all leading axes as one row of ones times a matrix: the gradient of a bias, on all cores. */
function columnSum(trace: Trace, x: Value, axes: readonly number[]): string | undefined {
  if (x.dtype !== 'float32' || axes.length !== x.shape.length - 1 || axes.some((a, i) => a !== i)) return undefined
  const columns = x.shape.at(-1)!
  const rows = sizeOf(x.shape) / columns
  if (rows < 2) return undefined
  const ones = trace.op('Expand', [trace.scalar(1), trace.i64([1, rows])])
  return trace.op('Gemm', [ones, trace.op('Reshape', [trace.name(x), trace.i64([rows, columns])])])
}

const argument =
  (op: string): Lowering =>
  (trace, { x }, { axis }) => {
    const name = trace.op(op, [trace.name(x!)], { axis, keepdims: 0 })
    return { shape: x!.shape.filter((_, i) => i !== axis), dtype: 'int32', name: trace.op('Cast', [name], { to: 6 }) }
  }

/** Boolean reductions run on numbers, which ONNX can reduce. */
const logical =
  (op: string): Lowering =>
  (trace, inputs, attrs) => {
    const numbers: Value = {
      shape: inputs.x!.shape,
      dtype: 'float32',
      name: trace.op('Cast', [trace.name(inputs.x!)], { to: 1 }),
    }
    const result = reduction(op)(trace, { x: numbers }, attrs) as Value
    return { shape: result.shape, dtype: 'bool', name: trace.op('Cast', [trace.name(result)], { to: 9 }) }
  }

export const REDUCTION: Record<string, Lowering> = {
  Sum: reduction('ReduceSum'),
  Mean: (trace, { x }, attrs) => {
    const number = x!.dtype === 'float32' ? x! : (ELEMENTWISE.Cast!(trace, { x: x! }, { dtype: 'float32' }) as Value)
    return reduction('ReduceMean')(trace, { x: number }, attrs)
  },
  Max: reduction('ReduceMax'),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  All: logical('ReduceMin'),
  Any: logical('ReduceMax'),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Softmax: (trace, { logits }, { dim }) => ({
    shape: logits!.shape,
    dtype: 'float32',
    name: trace.op('Softmax', [trace.name(logits!)], { axis: dim }),
  }),
  Cumsum: (trace, { x }, { axis, exclusive, reverse }) => ({
    shape: x!.shape,
    dtype: x!.dtype,
    name: trace.op('CumSum', [trace.name(x!), trace.i64([axis])], {
      exclusive: exclusive ? 1 : 0,
      reverse: reverse ? 1 : 0,
    }),
  }),
}
