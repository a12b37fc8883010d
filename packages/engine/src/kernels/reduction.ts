import { tf } from '../tf.js'
import { filled, sizeOf, type Trace, type Value } from '../trace/trace.js'
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
    const at = axis < 0 ? axis + x!.shape.length : axis
    const name = trace.op(op, [trace.name(x!)], { axis: at, keepdims: 0 })
    return { shape: x!.shape.filter((_, i) => i !== at), dtype: 'int32', name: trace.op('Cast', [name], { to: 6 }) }
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

const extreme =
  (op: string): Lowering =>
  (trace, inputs, attrs) =>
    inputs.x!.dtype === 'bool'
      ? logical(op)(trace, inputs, { axis: attrs.reductionIndices ?? attrs.axis, keepDims: attrs.keepDims })
      : reduction(op)(trace, inputs, attrs)

/** Products of everything before, in as many rounds as the length has bits: each multiplies by what lies 1, 2, 4, … back. */
const cumulativeProduct: Lowering = (trace, { x }, { axis, exclusive, reverse }) => {
  const at = axis < 0 ? axis + x!.shape.length : axis
  const length = x!.shape[at]!
  const ones = (count: number) =>
    trace.name(
      filled(
        x!.shape.map((n, i) => (i === at ? count : n)),
        1,
        x!.dtype,
      ),
    )
  /** The values `by` places further on, with ones where there are none. */
  const moved = (name: string, by: number) => {
    const [from, to] = reverse ? [by, length] : [0, length - by]
    const kept = trace.op('Slice', [name, trace.i64([from]), trace.i64([to]), trace.i64([at])])
    return trace.op('Concat', reverse ? [kept, ones(by)] : [ones(by), kept], { axis: at })
  }
  let name = trace.name(x!)
  if (exclusive) name = length === 1 ? ones(1) : moved(name, 1)
  for (let by = 1; by < length; by *= 2) name = trace.op('Mul', [name, moved(name, by)])
  return { shape: x!.shape, dtype: x!.dtype, name }
}

export const REDUCTION: Record<string, Lowering> = {
  Sum: reduction('ReduceSum'),
  Mean: (trace, { x }, attrs) => {
    const number = x!.dtype === 'float32' ? x! : (ELEMENTWISE.Cast!(trace, { x: x! }, { dtype: 'float32' }) as Value)
    return reduction('ReduceMean')(trace, { x: number }, attrs)
  },
  Max: extreme('ReduceMax'),
  Min: extreme('ReduceMin'),
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
  Cumprod: cumulativeProduct,
  Cumsum: (trace, { x }, { axis, exclusive, reverse }) => ({
    shape: x!.shape,
    dtype: x!.dtype,
    name: trace.op('CumSum', [trace.name(x!), trace.i64([axis])], {
      exclusive: exclusive ? 1 : 0,
      reverse: reverse ? 1 : 0,
    }),
  }),
}
