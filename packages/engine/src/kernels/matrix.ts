import { tf } from '../tf.js'
import { sizeOf, type Trace, type Value } from '../trace/trace.js'
import { broadcasted } from './elementwise.js'
import type { Lowering } from './index.js'
import { reshaped } from './shape.js'

/**
 * A product of matrices, batched over leading axes.
 *
 * Where one side is the same for the whole batch and the rows of the other can be laid end to end, it is one large
 * product instead of many small ones.
 */
export function product(trace: Trace, a: Value, b: Value, transposeA = false, transposeB = false): Value {
  const fits =
    a.shape.length >= 2 && b.shape.length >= 2 && a.shape.at(transposeA ? -2 : -1) === b.shape.at(transposeB ? -1 : -2)
  tf.util.assert(
    fits,
    () =>
      `matrices of [${a.shape}] and [${b.shape}] have no product${transposeA || transposeB ? `, with transposeA ${transposeA} and transposeB ${transposeB}` : ''}`,
  )
  const rows = a.shape.at(transposeA ? -1 : -2)!
  const columns = b.shape.at(transposeB ? -2 : -1)!
  const batchA = a.shape.slice(0, -2)
  const batchB = b.shape.slice(0, -2)
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA as number[], batchB as number[])
  const shape = [...batch, rows, columns]
  const flags = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 }
  const matrix = (v: Value) => trace.name(reshaped(trace, v, v.shape.slice(-2)))
  if (sizeOf(batchB) === 1 && (sizeOf(batchA) === 1 || !transposeA)) {
    const flat = reshaped(trace, a, [sizeOf(a.shape) / a.shape.at(-1)!, a.shape.at(-1)!])
    const name = trace.op('Gemm', [trace.name(flat), matrix(b)], flags)
    return reshaped(trace, { shape: [sizeOf(shape) / columns, columns], dtype: 'float32', name }, shape)
  }
  if (trace.portable) {
    const name = trace.op('MatMul', [turned(trace, a, transposeA), turned(trace, b, transposeB)])
    return { shape, dtype: 'float32', name }
  }
  const name = trace.op('FusedMatMul', [trace.name(a), trace.name(b)], flags, 'com.microsoft')
  return { shape, dtype: 'float32', name }
}

/** The value with its last two axes exchanged, if they are to be. */
function turned(trace: Trace, value: Value, transpose: boolean): string {
  const rank = value.shape.length
  const perm = value.shape.map((_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i))
  return transpose ? trace.op('Transpose', [trace.name(value)], { perm }) : trace.name(value)
}

/** `value` through the activation of a fused kernel. */
export function activated(
  trace: Trace,
  value: Value,
  activation: string | undefined,
  alpha: number | undefined,
  weights: Value | undefined,
): Value {
  if (!activation || activation === 'linear') return value
  const ops: Record<string, () => string> = {
    relu: () => trace.op('Relu', [trace.name(value)]),
    relu6: () => trace.op('Clip', [trace.name(value), trace.scalar(0), trace.scalar(6)]),
    elu: () => trace.op('Elu', [trace.name(value)]),
    sigmoid: () => trace.op('Sigmoid', [trace.name(value)]),
    leakyrelu: () => trace.op('LeakyRelu', [trace.name(value)], { alpha: { float: alpha ?? 0.2 } }),
    prelu: () => trace.op('PRelu', [trace.name(value), trace.loose(weights!)]),
  }
  const emit = ops[activation]
  if (!emit) throw new Error(`Kernel '${activation} activation' not registered`)
  return { ...value, actual: undefined, name: emit() }
}

const matMul: Lowering = (trace, { a, b }, { transposeA, transposeB }) => product(trace, a!, b!, transposeA, transposeB)

/** ONNX writes the same equations; TensorFlow.js allows at most two tensors. */
const einsum: Lowering = (trace, inputs, { equation }) => {
  const values = Object.values(inputs)
  const compact = (equation as string).replace(/\s/g, '')
  const [left, right] = compact.split('->') as [string, string]
  const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(compact, values.length)
  tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, values as never)
  const sizes: Record<string, number> = {}
  left.split(',').forEach((letters, i) => {
    for (const [axis, letter] of [...letters].entries()) sizes[letter] = values[i]!.shape[axis]!
  })
  const names = values.map((value) => trace.name(value))
  const shape = [...right].map((letter) => sizes[letter]!)
  return { shape, dtype: values[0]!.dtype, name: trace.op('Einsum', names, { equation: compact }) }
}

export const MATRIX: Record<string, Lowering> = {
  Einsum: einsum,
  BatchMatMul: matMul,
  _FusedMatMul: (
    trace,
    { a, b, bias, preluActivationWeights },
    { transposeA, transposeB, activation, leakyreluAlpha },
  ) => {
    let result = product(trace, a!, b!, transposeA, transposeB)
    if (bias)
      result = { ...result, name: trace.op('Add', [trace.name(result), trace.loose(broadcasted(bias, result.shape))]) }
    return activated(trace, result, activation, leakyreluAlpha, preluActivationWeights)
  },
}
