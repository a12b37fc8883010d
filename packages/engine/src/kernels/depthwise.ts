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

const inputGradient: Lowering = (trace, { dy, filter }, attrs) => {
  const shape = attrs.inputShape as readonly number[]
  const g = depthwiseGeometry(shape, filter!.shape, attrs)
  const covered = reach(g).map((size, a) => (g.output[a]! - 1) * g.stride[a]! + size - g.padding[a]!)
  const transposed = trace.op('ConvTranspose', [channelsFirst(trace, dy!), grouped(trace, filter!)], {
    kernel_shape: g.kernel,
    strides: g.stride,
    dilations: g.dilation,
    pads: [...g.padding, ...covered.map((size, a) => Math.max(0, size - g.input[a]!))],
    output_padding: covered.map((size, a) => Math.max(0, g.input[a]! - size)), // pixels that no window saw
    group: g.channels,
  })
  return { shape, dtype: 'float32', name: channelsLast(trace, transposed) }
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
