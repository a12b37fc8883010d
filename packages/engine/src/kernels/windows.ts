import { tf } from '../tf.js'
import type { Trace, Value } from '../trace/trace.js'

/** Sizes of a convolution, [vertical, horizontal] where there are two. */
export interface Geometry {
  batch: number
  input: readonly [number, number]
  output: readonly [number, number]
  kernel: readonly [number, number]
  stride: readonly [number, number]
  dilation: readonly [number, number]
  /** Rows and columns of zeros above and to the left of the image. */
  padding: readonly [number, number]
}

export interface ConvAttributes {
  strides: number | [number, number]
  pad: 'same' | 'valid' | number
  dilations?: number | [number, number]
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  dataFormat?: string
}

/** What TensorFlow.js makes of a convolution's attributes. */
export function geometry(inShape: readonly number[], filterShape: readonly number[], attrs: ConvAttributes): Geometry {
  if (attrs.dataFormat && attrs.dataFormat !== 'NHWC')
    throw new Error(`Kernel 'Conv2D in ${attrs.dataFormat}' not registered`)
  const info = tf.backend_util.computeConv2DInfo(
    inShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad as never,
    attrs.dimRoundingMode,
  )
  return {
    batch: info.batchSize,
    input: [info.inHeight, info.inWidth],
    output: [info.outHeight, info.outWidth],
    kernel: [info.filterHeight, info.filterWidth],
    stride: [info.strideHeight, info.strideWidth],
    dilation: [info.dilationHeight, info.dilationWidth],
    padding: [info.padInfo.top, info.padInfo.left],
  }
}

/** One weight position of a kernel and the pixel it reads, relative to `stride` times the output position. */
export interface Tap {
  /** Row-major index in the kernel. */
  index: number
  row: number
  column: number
}

/** All taps of a convolution's forward pass, in the order of the weights. */
export function forwardTaps(g: Geometry): Tap[] {
  return Array.from({ length: g.kernel[0] * g.kernel[1] }, (_, index) => ({
    index,
    row: Math.floor(index / g.kernel[1]) * g.dilation[0] - g.padding[0],
    column: (index % g.kernel[1]) * g.dilation[1] - g.padding[1],
  }))
}

/**
 * The taps through which input pixels (stride · u + phase) took part in output pixels, which they read relative to u.
 *
 * With stride 1 there is one phase and these are the forward taps mirrored.
 */
export function gradientTaps(g: Geometry, phase: readonly [number, number]): Tap[] {
  return forwardTaps(g).flatMap(({ index, row, column }) => {
    const y = (phase[0] - row) / g.stride[0]
    const x = (phase[1] - column) / g.stride[1]
    return Number.isInteger(y) && Number.isInteger(x) ? [{ index, row: y, column: x }] : []
  })
}

/**
 * For every position of a grid the pixels that its taps see, zero outside of the image: [N·rows·columns, taps·C].
 *
 * @param x  [N, H, W, C].
 */
export function windows(
  trace: Trace,
  x: Value,
  grid: readonly [number, number],
  stride: readonly [number, number],
  taps: readonly Tap[],
): string {
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const pixels = trace.matrix(x, batch * height * width, channels)
  const { indices, outside } = windowIndices([batch, height, width], grid, stride, taps)
  const inOrder = !outside && indices.length === batch * height * width && indices.every((v, i) => v === i)
  if (inOrder) return trace.matrix(x, batch * grid[0] * grid[1], taps.length * channels)
  // Taps outside read a row of zeros behind the last pixel: one copy in a piece, where Pad makes many small ones.
  const zero = () => trace.op('Expand', [trace.scalar(0), trace.i64([1, channels])])
  const rows = trace.op(
    'Gather',
    [outside ? trace.op('Concat', [pixels, zero()], { axis: 0 }) : pixels, trace.i32(indices)],
    { axis: 0 },
  )
  return trace.op('Reshape', [rows, trace.i64([batch * grid[0] * grid[1], taps.length * channels])])
}

/** Row in [N·H·W + 1, C], whose last row is zero, of each tap of each position. */
function windowIndices(
  [batch, height, width]: readonly [number, number, number],
  grid: readonly [number, number],
  stride: readonly [number, number],
  taps: readonly Tap[],
): { indices: Int32Array; outside: boolean } {
  const zeros = batch * height * width
  const indices = new Int32Array(batch * grid[0] * grid[1] * taps.length)
  let outside = false
  let at = 0
  for (let n = 0; n < batch; n++)
    for (let y = 0; y < grid[0]; y++)
      for (let x = 0; x < grid[1]; x++)
        for (const tap of taps) {
          const row = y * stride[0] + tap.row
          const column = x * stride[1] + tap.column
          const inside = row >= 0 && row < height && column >= 0 && column < width
          indices[at++] = inside ? (n * height + row) * width + column : zeros
          outside ||= !inside
        }
  return { indices, outside }
}
