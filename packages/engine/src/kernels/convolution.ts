import { sizeOf, type Trace, type Value } from '../trace/trace.js'
import type { Lowering } from './index.js'
import { activated } from './matrix.js'
import { movedRows, reshaped } from './shape.js'
import { forwardTaps, geometry, gradientTaps, windows } from './windows.js'
import { tiledConvolution, tiledInputGradient, tiledWeightGradient } from './winograd.js'
import { planOf } from './winograd-plan.js'

/**
 * Convolutions of NHWC activations with HWIO weights as products of matrices.
 *
 * The windows of an image are gathered as rows of a matrix [N·H·W, k·k·C] in one parallel pass and multiplied by the
 * weights as they lie in memory, [k·k·I, O]. The weight gradient takes the same windows once more, the input gradient
 * those of `dy`. So weights are only ever moved in whole rows, and activations keep TensorFlow.js's layout throughout.
 */
const conv2d: Lowering = (trace, { x, filter, bias, preluActivationWeights }, attrs) => {
  const g = geometry(x!.shape, filter!.shape, attrs)
  const [kh, kw, inputs, outputs] = filter!.shape as [number, number, number, number]
  const plan = planOf(g, inputs, outputs)
  const fused = bias && bias.shape.length <= 1 && !bias.actual && !plan
  const asProduct = () => {
    const rows = windows(trace, x!, g.output, g.stride, forwardTaps(g))
    const weights = trace.matrix(filter!, kh * kw * inputs, outputs)
    return trace.op('Gemm', fused ? [rows, weights, trace.name(bias)] : [rows, weights])
  }
  const name = plan ? tiledConvolution(trace, plan, x!, filter!) : asProduct()
  const result = fromRows(trace, name, [g.batch, ...g.output, outputs])
  const sum = bias && !fused ? { ...result, name: trace.op('Add', [result.name!, trace.loose(bias)]) } : result
  return activated(trace, sum, attrs.activation, attrs.leakyreluAlpha, preluActivationWeights)
}

/**
 * At stride s the input pixels fall into s·s phases that see different taps: each is a convolution of `dy` of its own,
 * without a wasted multiplication, and their results are laid out side by side.
 */
const inputGradient: Lowering = (trace, { dy, filter }, attrs) => {
  const shape = attrs.inputShape as [number, number, number, number]
  const g = geometry(shape, filter!.shape, attrs)
  const grid = [Math.ceil(g.input[0] / g.stride[0]), Math.ceil(g.input[1] / g.stride[1])] as const
  const inputs = shape[3]
  const plan = planOf(g, inputs, filter!.shape[3]!)
  if (plan) return fromRows(trace, tiledInputGradient(trace, plan, dy!, filter!), shape)
  const phases: string[] = []
  for (let y = 0; y < g.stride[0]; y++)
    for (let x = 0; x < g.stride[1]; x++) {
      const taps = gradientTaps(g, [y, x])
      const zero = () => trace.op('Expand', [trace.scalar(0), trace.i64([g.batch * grid[0] * grid[1], inputs])])
      const weights = () =>
        weightsByInput(
          trace,
          filter!,
          taps.map((tap) => tap.index),
        )
      phases.push(
        taps.length === 0
          ? zero()
          : trace.op('Gemm', [windows(trace, dy!, grid, [1, 1], taps), weights()], { transB: 1 }),
      )
    }
  if (phases.length === 1) return fromRows(trace, phases[0]!, shape)
  const together: Value = {
    shape: [g.batch, ...grid, g.stride[0], g.stride[1], inputs],
    dtype: 'float32',
    name: trace.op('Concat', phases, { axis: 1 }),
  }
  const spread = movedRows(trace, together, [0, 1, 3, 2, 4, 5])
  const covered: Value = reshaped(trace, spread, [g.batch, grid[0] * g.stride[0], grid[1] * g.stride[1], inputs])
  if (covered.shape[1] === shape[1] && covered.shape[2] === shape[2]) return covered
  const ends = trace.i64([shape[1], shape[2]])
  return {
    shape,
    dtype: 'float32',
    name: trace.op('Slice', [trace.name(covered), trace.i64([0, 0]), ends, trace.i64([1, 2])]),
  }
}

/** Rows of HWIO weights reordered to [I, taps·O], for the given taps. */
function weightsByInput(trace: Trace, filter: Value, taps: readonly number[]): string {
  const [kh, kw, inputs, outputs] = filter.shape as [number, number, number, number]
  const indices = Int32Array.from(
    { length: inputs * taps.length },
    (_, i) => taps[i % taps.length]! * inputs + Math.floor(i / taps.length),
  )
  const rows = trace.op('Gather', [trace.matrix(filter, kh * kw * inputs, outputs), trace.i32(indices)], { axis: 0 })
  return trace.op('Reshape', [rows, trace.i64([inputs, taps.length * outputs])])
}

/** The forward pass's windows, transposed, times `dy`: the weights' own layout, and the quicker order of the product. */
const weightGradient: Lowering = (trace, { x, dy }, attrs) => {
  const shape = attrs.filterShape as [number, number, number, number]
  const g = geometry(x!.shape, shape, attrs)
  const plan = planOf(g, shape[2], shape[3])
  if (plan) {
    const name = tiledWeightGradient(trace, plan, x!, dy!)
    return { shape, dtype: 'float32', name: trace.reshape(name, [shape[0] * shape[1], shape[2] * shape[3]], shape) }
  }
  const gradient = trace.matrix(dy!, g.batch * g.output[0] * g.output[1], shape[3])
  const columns = windows(trace, x!, g.output, g.stride, forwardTaps(g))
  return fromRows(trace, trace.op('Gemm', [columns, gradient], { transA: 1 }), shape) // [k·k·I, O]
}

const fromRows = (trace: Trace, name: string, shape: readonly number[]): Value => ({
  shape,
  dtype: 'float32',
  name: trace.reshape(name, [sizeOf(shape) / shape.at(-1)!, shape.at(-1)!], shape),
})

export const CONVOLUTION: Record<string, Lowering> = {
  Conv2D: conv2d,
  FusedConv2D: conv2d,
  Conv2DBackpropInput: inputGradient,
  Conv2DBackpropFilter: weightGradient,
}
