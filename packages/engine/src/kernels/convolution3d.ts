import { tf } from '../tf.js'
import type { Trace, Value } from '../trace/trace.js'
import type { Lowering } from './index.js'
import { countsOf, gatherRows, sumOverWindows, type WindowGeometry, windowGeometry, windowTable } from './taps.js'

function geometry3d(
  inShape: readonly number[],
  filterShape: readonly number[],
  attrs: { strides: number; pad: 'same' | 'valid'; dilations?: number; dataFormat?: string },
): WindowGeometry {
  if (attrs.dataFormat === 'NCDHW') throw new Error("Kernel 'Conv3D in NCDHW' not registered")
  const { strides, dilations, pad } = attrs
  return windowGeometry(
    tf.backend_util.computeConv3DInfo(inShape as never, filterShape as never, strides, dilations ?? 1, pad),
  )
}

/** The windows of a volume as rows, [N · D · H · W, taps · C]. */
function windows(trace: Trace, x: Value, g: WindowGeometry): string {
  const { positions, taps, pixels } = countsOf(g)
  const matrix = trace.matrix(x, pixels, g.channels)
  const rows = gatherRows(trace, matrix, [pixels, g.channels], windowTable(g))
  return trace.op('Reshape', [rows, trace.i64([positions, taps * g.channels])])
}

const shaped = (trace: Trace, name: string, shape: readonly number[]): Value => ({
  shape,
  dtype: 'float32',
  name: trace.op('Reshape', [name, trace.i64(shape)]),
})

/** Convolutions of volumes [N, D, H, W, C] as products of matrices, as those of images in convolution.ts. */
export const CONVOLUTION_3D: Record<string, Lowering> = {
  Conv3D: (trace, { x, filter }, attrs) => {
    const g = geometry3d(x!.shape, filter!.shape, attrs)
    const outputs = filter!.shape[4]!
    const weights = trace.matrix(filter!, countsOf(g).taps * g.channels, outputs)
    return shaped(trace, trace.op('Gemm', [windows(trace, x!, g), weights]), [g.batch, ...g.output, outputs])
  },
  Conv3DBackpropFilterV2: (trace, { x, dy }, attrs) => {
    const g = geometry3d(x!.shape, attrs.filterShape, attrs)
    const given = trace.matrix(dy!, countsOf(g).positions, attrs.filterShape[4])
    return shaped(trace, trace.op('Gemm', [windows(trace, x!, g), given], { transA: 1 }), attrs.filterShape)
  },
  Conv3DBackpropInputV2: (trace, { dy, filter }, attrs) => {
    const g = geometry3d(attrs.inputShape, filter!.shape, attrs)
    const { positions, taps } = countsOf(g)
    const outputs = filter!.shape[4]!
    const operands = [trace.matrix(dy!, positions, outputs), trace.matrix(filter!, taps * g.channels, outputs)]
    const product = trace.op('Gemm', operands, { transB: 1 })
    const rows = trace.op('Reshape', [product, trace.i64([positions * taps, g.channels])])
    return shaped(trace, sumOverWindows(trace, rows, g), attrs.inputShape)
  },
}
