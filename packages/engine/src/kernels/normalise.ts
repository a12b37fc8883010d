import type { Trace, Value } from '../trace/trace.js'
import { elementwise } from './elementwise.js'
import type { Lowering } from './index.js'

/** (x − mean) / √(variance + ε) · scale + offset; all of them broadcast to x along its last axes. */
const batchNorm: Lowering = (trace, { x, mean, variance, scale, offset }, { varianceEpsilon }) => {
  const apply = (op: string, a: Value, b: Value) =>
    elementwise([a, b], 'float32', (names) => trace.op(op, names), trace)
  const spread = elementwise(
    [variance!],
    'float32',
    ([name]) => trace.op('Sqrt', [trace.op('Add', [name!, trace.scalar(varianceEpsilon ?? 0.001)])]),
    trace,
  )
  const factor = scale
    ? apply('Div', scale, spread)
    : { ...spread, name: trace.op('Reciprocal', [trace.loose(spread)]) }
  const scaled = apply('Mul', apply('Sub', x!, mean!), factor)
  return offset ? apply('Add', scaled, offset) : scaled
}

interface LrnAttributes {
  depthRadius: number
  bias: number
  alpha: number
  beta: number
}

/** Sums over neighbouring channels as a product with a matrix that has ones around its diagonal. */
function neighbours(trace: Trace, name: string, channels: number, radius: number): string {
  const band = Float32Array.from({ length: channels ** 2 }, (_, i) =>
    Math.abs(Math.floor(i / channels) - (i % channels)) <= radius ? 1 : 0,
  )
  return trace.op('MatMul', [name, trace.f32(band, [channels, channels])])
}

/** bias + α · Σ x² over neighbouring channels. */
function lrnNorm(trace: Trace, x: string, channels: number, { depthRadius, bias, alpha }: LrnAttributes): string {
  const sums = neighbours(trace, trace.op('Mul', [x, x]), channels, depthRadius)
  return trace.op('Add', [trace.op('Mul', [sums, trace.scalar(alpha)]), trace.scalar(bias)])
}

const lrn: Lowering = (trace, { x }, attrs: LrnAttributes) => {
  const name = trace.name(x!)
  const norm = lrnNorm(trace, name, x!.shape[3]!, attrs)
  const factor = trace.op('Pow', [norm, trace.scalar(-attrs.beta)])
  return { shape: x!.shape, dtype: 'float32', name: trace.op('Mul', [name, factor]) }
}

/** dy · norm^−β − 2αβ · x · Σ (dy · y / norm) over neighbouring channels. */
const lrnGradient: Lowering = (trace, { x, y, dy }, attrs: LrnAttributes) => {
  const [at, out, given] = [trace.name(x!), trace.name(y!), trace.name(dy!)]
  const channels = x!.shape[3]!
  const norm = lrnNorm(trace, at, channels, attrs)
  const direct = trace.op('Mul', [given, trace.op('Pow', [norm, trace.scalar(-attrs.beta)])])
  const parts = trace.op('Div', [trace.op('Mul', [given, out]), norm])
  const sums = neighbours(trace, parts, channels, attrs.depthRadius)
  const through = trace.op('Mul', [trace.op('Mul', [at, sums]), trace.scalar(2 * attrs.alpha * attrs.beta)])
  return { shape: x!.shape, dtype: 'float32', name: trace.op('Sub', [direct, through]) }
}

export const NORMALISE: Record<string, Lowering> = {
  FusedBatchNorm: batchNorm,
  LRN: lrn,
  LRNGrad: lrnGradient,
}
