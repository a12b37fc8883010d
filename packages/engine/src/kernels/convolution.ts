import { tf } from '../tf.js'
import type { Trace, Value } from '../trace/trace.js'
import { elementwise } from './elementwise.js'
import type { Lowering } from './index.js'
import { activated } from './matrix.js'

/**
 * Convolutions of NHWC activations with HWIO weights as products of matrices.
 *
 * The windows of an image are gathered as rows of a matrix [N·H·W, k·k·C] in one parallel pass (`windows`), which is
 * then multiplied by the weights as they lie in memory, [k·k·I, O]. The input gradient is the same with the taps
 * mirrored, and shares its windows with the weight gradient. So no weight is ever transposed element by element, and
 * activations keep TensorFlow.js's layout throughout.
 */
interface Geometry {
  batch: number
  inHeight: number
  inWidth: number
  outHeight: number
  outWidth: number
  kernelHeight: number
  kernelWidth: number
  strideHeight: number
  strideWidth: number
  dilationHeight: number
  dilationWidth: number
  top: number
  left: number
}

type ConvAttrs = {
  strides: number | [number, number]
  pad: 'same' | 'valid' | number
  dilations?: number | [number, number]
  dataFormat?: string
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

function geometry(
  inShape: readonly number[],
  filterShape: readonly number[],
  attrs: ConvAttrs,
  depthwise = false,
): Geometry {
  const info = tf.backend_util.computeConv2DInfo(
    inShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad as never,
    attrs.dimRoundingMode,
    depthwise,
  )
  return {
    batch: info.batchSize,
    inHeight: info.inHeight,
    inWidth: info.inWidth,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    kernelHeight: info.filterHeight,
    kernelWidth: info.filterWidth,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    dilationHeight: info.dilationHeight,
    dilationWidth: info.dilationWidth,
    top: info.padInfo.top,
    left: info.padInfo.left,
  }
}

/** [N·Ho·Wo, k·k·C]: for every output position the pixels that its taps see, zero outside of the image. */
function windows(trace: Trace, x: Value, g: Geometry, mirrored = false): string {
  const channels = x.shape[3]!
  const positions = g.batch * g.outHeight * g.outWidth
  const taps = g.kernelHeight * g.kernelWidth
  if (
    taps === 1 &&
    g.strideHeight === 1 &&
    g.strideWidth === 1 &&
    g.inHeight === g.outHeight &&
    g.inWidth === g.outWidth
  )
    return trace.op('Reshape', [trace.name(x), trace.i64([positions, channels])])
  const pixels = trace.op('Reshape', [trace.name(x), trace.i64([g.batch * g.inHeight * g.inWidth, channels])])
  // Taps outside of the image read a row of zeros behind the last pixel: one copy in a piece, where Pad makes many small ones.
  const outside = trace.op('Concat', [pixels, trace.op('Expand', [trace.scalar(0), trace.i64([1, channels])])], {
    axis: 0,
  })
  const key = `windows:${JSON.stringify(g)}:${mirrored}`
  const rows = trace.op('Gather', [outside, trace.i32(windowIndices(g, mirrored), key)], { axis: 0 })
  return trace.op('Reshape', [rows, trace.i64([positions, taps * channels])])
}

/** Row of each tap of each output position in [N·H·W + 1, C], whose last row is zero. */
function windowIndices(g: Geometry, mirrored: boolean): Int32Array {
  const taps = g.kernelHeight * g.kernelWidth
  const zeros = g.batch * g.inHeight * g.inWidth
  const out = new Int32Array(g.batch * g.outHeight * g.outWidth * taps)
  let at = 0
  for (let n = 0; n < g.batch; n++)
    for (let y = 0; y < g.outHeight; y++)
      for (let x = 0; x < g.outWidth; x++)
        for (let t = 0; t < taps; t++) {
          const tap = mirrored ? taps - 1 - t : t
          const row = y * g.strideHeight + Math.floor(tap / g.kernelWidth) * g.dilationHeight - g.top
          const column = x * g.strideWidth + (tap % g.kernelWidth) * g.dilationWidth - g.left
          const inside = row >= 0 && row < g.inHeight && column >= 0 && column < g.inWidth
          out[at++] = inside ? (n * g.inHeight + row) * g.inWidth + column : zeros
        }
  return out
}

/** Rows of `length` floats in another order, moved in one parallel pass: [blocks, count] ⇄ [count, blocks]. */
function swapRows(
  trace: Trace,
  matrix: string,
  blocks: number,
  count: number,
  length: number,
  key: string,
  reverse = false,
): string {
  const indices = new Int32Array(blocks * count)
  for (let c = 0; c < count; c++)
    for (let b = 0; b < blocks; b++) indices[c * blocks + b] = (reverse ? blocks - 1 - b : b) * count + c
  const rows = trace.op('Reshape', [matrix, trace.i64([blocks * count, length])])
  return trace.op('Gather', [rows, trace.i32(indices, `rows:${key}:${blocks}:${count}:${reverse}`)], { axis: 0 })
}

const conv2d: Lowering = (trace, { x, filter, bias, preluActivationWeights }, attrs) => {
  checkFormat(attrs)
  const g = geometry(x!.shape, filter!.shape, attrs)
  const [kh, kw, inputs, outputs] = filter!.shape as [number, number, number, number]
  const weights = trace.op('Reshape', [trace.name(filter!), trace.i64([kh * kw * inputs, outputs])])
  const fusedBias = bias && bias.shape.length <= 1 ? [trace.loose(bias)] : []
  const name = trace.op('Gemm', [windows(trace, x!, g), weights, ...fusedBias])
  const shape = [g.batch, g.outHeight, g.outWidth, outputs]
  let result: Value = { shape, dtype: 'float32', name: trace.op('Reshape', [name, trace.i64(shape)]) }
  if (bias && bias.shape.length > 1) result = elementwise([result, bias], 'float32', (n) => trace.op('Add', n), trace)
  return activated(trace, result, attrs.activation, attrs.leakyreluAlpha, preluActivationWeights)
}

/** Stride 1: a convolution of `dy` with mirrored taps. Otherwise ONNX's transposed convolution. */
const inputGradient: Lowering = (trace, { dy, filter }, attrs) => {
  checkFormat(attrs)
  const g = geometry(attrs.inputShape, filter!.shape, attrs)
  const [kh, kw, inputs, outputs] = filter!.shape as [number, number, number, number]
  const shape = attrs.inputShape as number[]
  if (g.strideHeight === 1 && g.strideWidth === 1) {
    const taps = kh * kw
    // [k·k, I, O] → [I, k·k, O]; the taps of `windows` are mirrored instead of those of the weights.
    const weights = trace.op('Reshape', [
      taps === 1 ? trace.name(filter!) : swapTaps(trace, trace.name(filter!), taps, inputs, outputs),
      trace.i64([inputs, taps * outputs]),
    ])
    const name = trace.op('Gemm', [gradientWindows(trace, dy!, g), weights], { transB: 1 })
    return { shape, dtype: 'float32', name: trace.op('Reshape', [name, trace.i64(shape)]) }
  }
  return transposed(trace, dy!, filter!, g, shape)
}

/** [k·k, I, O] → [I, k·k, O] in rows of O. */
const swapTaps = (trace: Trace, weights: string, taps: number, inputs: number, outputs: number) => {
  const indices = new Int32Array(taps * inputs)
  for (let i = 0; i < inputs; i++) for (let t = 0; t < taps; t++) indices[i * taps + t] = t * inputs + i
  const rows = trace.op('Reshape', [weights, trace.i64([taps * inputs, outputs])])
  return trace.op('Gather', [rows, trace.i32(indices, `taps:${taps}:${inputs}`)], { axis: 0 })
}

/** The windows of `dy` that each input pixel took part in, taps mirrored: [N·H·W, k·k·O]. */
function gradientWindows(trace: Trace, dy: Value, g: Geometry): string {
  return windows(
    trace,
    dy,
    {
      ...g,
      inHeight: g.outHeight,
      inWidth: g.outWidth,
      outHeight: g.inHeight,
      outWidth: g.inWidth,
      top: (g.kernelHeight - 1) * g.dilationHeight - g.top,
      left: (g.kernelWidth - 1) * g.dilationWidth - g.left,
    },
    true,
  )
}

function transposed(trace: Trace, dy: Value, filter: Value, g: Geometry, shape: readonly number[]): Value {
  const bottom = (g.outHeight - 1) * g.strideHeight + (g.kernelHeight - 1) * g.dilationHeight + 1 - g.top - g.inHeight
  const right = (g.outWidth - 1) * g.strideWidth + (g.kernelWidth - 1) * g.dilationWidth + 1 - g.left - g.inWidth
  const nchw = trace.op('Transpose', [trace.name(dy)], { perm: [0, 3, 1, 2] })
  const weights = trace.op('Transpose', [trace.name(filter)], { perm: [3, 2, 0, 1] })
  const name = trace.op('ConvTranspose', [nchw, weights], {
    kernel_shape: [g.kernelHeight, g.kernelWidth],
    strides: [g.strideHeight, g.strideWidth],
    dilations: [g.dilationHeight, g.dilationWidth],
    pads: [g.top, g.left, Math.max(0, bottom), Math.max(0, right)],
    output_padding: [Math.max(0, -bottom), Math.max(0, -right)],
  })
  return { shape, dtype: 'float32', name: trace.op('Transpose', [name], { perm: [0, 2, 3, 1] }) }
}

/**
 * Stride 1 and no more outputs than inputs: from the windows of `dy`, which the input gradient needs anyway.
 * Otherwise from the windows of `x`, which the forward pass had.
 */
const weightGradient: Lowering = (trace, { x, dy }, attrs) => {
  checkFormat(attrs)
  const shape = attrs.filterShape as [number, number, number, number]
  const [kh, kw, inputs, outputs] = shape
  const g = geometry(x!.shape, shape, attrs)
  const taps = kh * kw
  if (taps > 1 && g.strideHeight === 1 && g.strideWidth === 1 && inputs >= 16) {
    const pixels = trace.op('Reshape', [trace.name(x!), trace.i64([g.batch * g.inHeight * g.inWidth, inputs])])
    const product = trace.op('Gemm', [pixels, gradientWindows(trace, dy!, g)], { transA: 1 }) // [I, k·k·O]
    const name = swapRows(trace, product, inputs, taps, outputs, 'weight-gradient')
    return { shape, dtype: 'float32', name: trace.op('Reshape', [name, trace.i64(shape)]) }
  }
  const gradient = trace.op('Reshape', [trace.name(dy!), trace.i64([g.batch * g.outHeight * g.outWidth, outputs])])
  const name = trace.op('Gemm', [windows(trace, x!, g), gradient], { transA: 1 }) // [k·k·I, O]
  return { shape, dtype: 'float32', name: trace.op('Reshape', [name, trace.i64(shape)]) }
}

function checkFormat(attrs: { dataFormat?: string }): void {
  if (attrs.dataFormat && attrs.dataFormat !== 'NHWC')
    throw new Error(`Kernel 'Conv2D in ${attrs.dataFormat}' not registered`)
}

export const CONVOLUTION: Record<string, Lowering> = {
  Conv2D: conv2d,
  FusedConv2D: conv2d,
  Conv2DBackpropInput: inputGradient,
  Conv2DBackpropFilter: weightGradient,
}
