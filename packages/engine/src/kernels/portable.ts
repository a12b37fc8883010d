import { tf } from '../tf.js'
import type { Trace, Value } from '../trace/trace.js'
import type { Lowering } from './index.js'
import { activated } from './matrix.js'
import { poolGeometry } from './pooling.js'
import { countsOf, gatherRows, type WindowGeometry, windowGeometry, windowTable } from './taps.js'

/**
 * Kernels written with the operators that ONNX has for them, channels first: other runtimes know those best.
 *
 * The engine's own lowerings are quicker in ONNX Runtime on a CPU; these are what an exported file holds.
 */
export const PORTABLE: Record<string, Lowering> = {
  Conv2D: convolution,
  FusedConv2D: convolution,
  Conv2DBackpropInput: inputGradient,
  Conv2DBackpropFilter: weightGradient,
  AvgPool: pool('AveragePool'),
  AvgPool3D: pool('AveragePool'),
  MaxPool: pool('MaxPool'),
  MaxPool3D: pool('MaxPool'),
}

function geometryOf(inShape: readonly number[], filterShape: readonly number[], attrs: Record<string, unknown>) {
  if (attrs.dataFormat && attrs.dataFormat !== 'NHWC')
    throw new Error(`Kernel 'Conv2D in ${attrs.dataFormat}' not registered`)
  return windowGeometry(
    tf.backend_util.computeConv2DInfo(
      inShape as never,
      filterShape as never,
      attrs.strides as number,
      (attrs.dilations as number) ?? 1,
      attrs.pad as 'same',
      attrs.dimRoundingMode as 'floor',
    ),
  )
}

/** The attributes that ONNX's sliding operators share. */
function sliding(g: WindowGeometry) {
  const ends = g.input.map((size, a) => {
    const reach = (g.kernel[a]! - 1) * g.dilation[a]! + 1
    return Math.max(0, (g.output[a]! - 1) * g.stride[a]! + reach - size - g.padding[a]!)
  })
  return { kernel_shape: g.kernel, strides: g.stride, pads: [...g.padding, ...ends] }
}

const axes = (rank: number) => Array.from({ length: rank - 2 }, (_, i) => i)
const channelsFirst = (trace: Trace, x: Value) =>
  trace.op('Transpose', [trace.name(x)], {
    perm: [0, x.shape.length - 1, ...axes(x.shape.length).map((i) => i + 1)],
  })

/** The value `name`, channels first, as one of `shape`, channels last. */
const channelsLast = (trace: Trace, name: string, shape: readonly number[]): Value => ({
  shape,
  dtype: 'float32',
  name: trace.op('Transpose', [name], { perm: [0, ...axes(shape.length).map((i) => i + 2), 1] }),
})

function convolution(
  trace: Trace,
  { x, filter, bias, preluActivationWeights }: Record<string, Value>,
  attrs: Parameters<Lowering>[2],
): Value {
  const g = geometryOf(x!.shape, filter!.shape, attrs)
  const outputs = filter!.shape[3]!
  const inside = bias?.shape.length === 1 && bias.shape[0] === outputs
  const weights = trace.op('Transpose', [trace.name(filter!)], { perm: [3, 2, 0, 1] })
  const operands = [channelsFirst(trace, x!), weights, ...(inside ? [trace.name(bias)] : [])]
  const convolved = trace.op('Conv', operands, { ...sliding(g), dilations: g.dilation })
  const value = channelsLast(trace, convolved, [g.batch, ...g.output, outputs])
  const sum = bias && !inside ? { ...value, name: trace.op('Add', [value.name!, trace.loose(bias)]) } : value
  return activated(trace, sum, attrs.activation, attrs.leakyreluAlpha, preluActivationWeights)
}

function inputGradient(trace: Trace, { dy, filter }: Record<string, Value>, attrs: Parameters<Lowering>[2]): Value {
  const shape = attrs.inputShape as number[]
  const g = geometryOf(shape, filter!.shape, attrs)
  const weights = trace.op('Transpose', [trace.name(filter!)], { perm: [3, 2, 0, 1] })
  const unseen = g.input.map((size, a) => {
    const reach = (g.kernel[a]! - 1) * g.dilation[a]! + 1
    return Math.max(0, size + g.padding[a]! - (g.output[a]! - 1) * g.stride[a]! - reach)
  })
  const transposed = trace.op('ConvTranspose', [channelsFirst(trace, dy!), weights], {
    ...sliding(g),
    dilations: g.dilation,
    output_padding: unseen,
  })
  return channelsLast(trace, transposed, shape)
}

function weightGradient(trace: Trace, { x, dy }: Record<string, Value>, attrs: Parameters<Lowering>[2]): Value {
  const shape = attrs.filterShape as number[]
  const g = geometryOf(x!.shape, shape, attrs)
  const { positions, taps, pixels } = countsOf(g)
  const matrix = trace.matrix(x!, pixels, g.channels)
  const seen = gatherRows(trace, matrix, [pixels, g.channels], windowTable(g))
  const rows = trace.op('Reshape', [seen, trace.i64([positions, taps * g.channels])])
  const product = trace.op('Gemm', [rows, trace.matrix(dy!, positions, shape[3]!)], { transA: 1 })
  return { shape, dtype: 'float32', name: trace.op('Reshape', [product, trace.i64(shape)]) }
}

function pool(op: string): Lowering {
  return (trace, { x }, attrs) => {
    const g = poolGeometry(x!, attrs)
    return channelsLast(trace, trace.op(op, [channelsFirst(trace, x!)], sliding(g)), [g.batch, ...g.output, g.channels])
  }
}
