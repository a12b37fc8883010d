import { tf } from '../tf.js'
import type { Trace, Value } from '../trace/trace.js'
import type { Lowering } from './index.js'
import { activated } from './matrix.js'
import { countsOf, gatherRows, type WindowGeometry, windowGeometry, windowTable } from './taps.js'

interface DepthwiseAttributes {
  strides: number
  pad: 'same'
  dilations?: number
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  dataFormat?: string
}

function depthwiseGeometry(
  inShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dilations, dimRoundingMode, dataFormat }: DepthwiseAttributes,
): WindowGeometry {
  if (dataFormat && dataFormat !== 'NHWC')
    throw new Error(`Kernel 'DepthwiseConv2dNative in ${dataFormat}' not registered`)
  const info = tf.backend_util.computeConv2DInfo(
    inShape as never,
    filterShape as never,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    true,
  )
  return windowGeometry(info)
}

/** Reach of the kernel beyond its first pixel, plus one. */
const reach = (g: WindowGeometry) => g.kernel.map((k, a) => (k - 1) * g.dilation[a]! + 1)

/** Weights [kh, kw, C, M] as ONNX has them: [C · M, 1, kh, kw]. */
function grouped(trace: Trace, filter: Value): string {
  const [height, width, channels, multiplier] = filter.shape as [number, number, number, number]
  const turned = trace.op('Transpose', [trace.name(filter)], { perm: [2, 3, 0, 1] })
  return trace.op('Reshape', [turned, trace.i64([channels * multiplier, 1, height, width])])
}

const channelsFirst = (trace: Trace, x: Value) => trace.op('Transpose', [trace.name(x)], { perm: [0, 3, 1, 2] })
const channelsLast = (trace: Trace, name: string) => trace.op('Transpose', [name], { perm: [0, 2, 3, 1] })

/** A convolution of each channel with kernels of its own, in ONNX as one of as many groups as channels. */
const depthwise: Lowering = (trace, { x, filter, bias, preluActivationWeights }, attrs) => {
  const g = depthwiseGeometry(x!.shape, filter!.shape, attrs)
  const ends = reach(g).map((size, a) =>
    Math.max(0, (g.output[a]! - 1) * g.stride[a]! + size - g.input[a]! - g.padding[a]!),
  )
  const convolved = trace.op('Conv', [channelsFirst(trace, x!), grouped(trace, filter!)], {
    kernel_shape: g.kernel,
    strides: g.stride,
    dilations: g.dilation,
    pads: [...g.padding, ...ends],
    group: g.channels,
  })
  const shape = [g.batch, ...g.output, g.channels * filter!.shape[3]!]
  const name = channelsLast(trace, convolved)
  const sum = bias ? trace.op('Add', [name, trace.loose(bias)]) : name
  const value: Value = { shape, dtype: 'float32', name: sum }
  return activated(trace, value, attrs.activation, attrs.leakyreluAlpha, preluActivationWeights)
}

/** The slices of one axis that come every `step`, from `start` on. */
const every = (trace: Trace, name: string, axis: number, start: number, step: number) =>
  trace.op('Slice', [name, ...[start, 2 ** 31 - 1, axis, step].map((n) => trace.i64([n]))])

const inputGradient: Lowering = (trace, { dy, filter }, attrs) => {
  const shape = attrs.inputShape as readonly number[]
  const g = depthwiseGeometry(shape, filter!.shape, attrs)
  const covered = reach(g).map((size, a) => (g.output[a]! - 1) * g.stride[a]! + size - g.padding[a]!)
  const transposed = (given: string, weights: string) =>
    trace.op('ConvTranspose', [given, weights], {
      kernel_shape: g.kernel,
      strides: g.stride,
      dilations: g.dilation,
      pads: [...g.padding, ...covered.map((size, a) => Math.max(0, size - g.input[a]!))],
      output_padding: covered.map((size, a) => Math.max(0, g.input[a]! - size)), // pixels that no window saw
      group: g.channels,
    })
  const [given, weights] = [channelsFirst(trace, dy!), grouped(trace, filter!)]
  const multiplier = filter!.shape[3]!
  if (multiplier === 1 || !trace.portable)
    return { shape, dtype: 'float32', name: channelsLast(trace, transposed(given, weights)) }
  // ONNX Runtime's WebGPU takes wrong channels where a group has several: one kernel of each channel at a time.
  const parts = Array.from({ length: multiplier }, (_, m) =>
    transposed(every(trace, given, 1, m, multiplier), every(trace, weights, 0, m, multiplier)),
  )
  const sum = parts.reduce((a, b) => trace.op('Add', [a, b]))
  return { shape, dtype: 'float32', name: channelsLast(trace, sum) }
}

/** Sum over all positions of what a tap saw times `dy`. */
const filterGradient: Lowering = (trace, { x, dy }, attrs) => {
  const shape = attrs.filterShape as readonly number[]
  const g = depthwiseGeometry(x!.shape, shape, attrs)
  const { positions, taps, pixels } = countsOf(g)
  const rows = gatherRows(trace, trace.matrix(x!, pixels, g.channels), [pixels, g.channels], windowTable(g))
  const seen = trace.op('Reshape', [rows, trace.i64([positions, taps, g.channels, 1])])
  const given = trace.op('Reshape', [trace.name(dy!), trace.i64([positions, 1, g.channels, shape[3]!])])
  const sum = trace.op('ReduceSum', [trace.op('Mul', [seen, given]), trace.i64([0])], { keepdims: 0 })
  return { shape, dtype: 'float32', name: trace.op('Reshape', [sum, trace.i64(shape)]) }
}

export const DEPTHWISE: Record<string, Lowering> = {
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2D: depthwise,
  DepthwiseConv2dNativeBackpropInput: inputGradient,
  DepthwiseConv2dNativeBackpropFilter: filterGradient,
}
