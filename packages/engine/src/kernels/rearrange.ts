import { tf } from '../tf.js'
import { sizeOf, type Trace, type Value } from '../trace/trace.js'
import type { Lowering } from './index.js'
import { reshaped, SHAPE } from './shape.js'

const run = (kernel: string, trace: Trace, x: Value, attrs: object) => SHAPE[kernel]!(trace, { x }, attrs) as Value

const stridedSlice: Lowering = (trace, { x }, attrs) => {
  const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attrs
  const info = tf.slice_util.sliceInfo(
    x!.shape as number[],
    attrs.begin,
    attrs.end,
    attrs.strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  )
  if (info.isIdentity) return reshaped(trace, x!, info.finalShape)
  const axes = x!.shape.map((_, i) => i)
  const ends = info.end.map((end, i) => (info.strides[i]! < 0 && end < 0 ? -(2 ** 31) : end)) // before the first
  const sliced = trace.op('Slice', [
    trace.name(x!),
    trace.i64(info.begin),
    trace.i64(ends),
    trace.i64(axes),
    trace.i64(info.strides),
  ])
  const shape = tf.slice_util.computeOutShape(info.begin, info.end, info.strides)
  return reshaped(trace, { shape, dtype: x!.dtype, name: sliced }, info.finalShape)
}

/** Borders that mirror the inside: each axis by a table of indices. */
const mirrorPad: Lowering = (trace, { x }, { paddings, mode }) => {
  const shift = mode === 'reflect' ? 0 : 1
  const name = (paddings as [number, number][]).reduce((from, [before, after], axis) => {
    if (before + after === 0) return from
    const size = x!.shape[axis]!
    const indices = Int32Array.from({ length: before + size + after }, (_, i) => {
      const at = i - before
      if (at < 0) return -at - shift
      return at < size ? at : 2 * size - 2 - at + shift
    })
    return trace.op('Gather', [from, trace.i32(indices)], { axis })
  }, trace.name(x!))
  return { shape: x!.shape.map((n, i) => paddings[i][0] + n + paddings[i][1]), dtype: x!.dtype, name }
}

const spaceToBatch: Lowering = (trace, { x }, { blockShape, paddings }) => {
  const size = sizeOf(blockShape)
  const rest = x!.shape.slice(1 + blockShape.length).map(() => [0, 0])
  const padded = run('PadV2', trace, x!, { paddings: [[0, 0], ...paddings, ...rest], constantValue: 0 })
  const shape = padded.shape as number[]
  const split = tf.backend_util.getReshaped(shape, blockShape, size, false)
  const moved = run('Transpose', trace, reshaped(trace, padded, split), {
    perm: tf.backend_util.getPermuted(split.length, blockShape.length, false),
  })
  return reshaped(trace, moved, tf.backend_util.getReshapedPermuted(shape, blockShape, size, false))
}

const batchToSpace: Lowering = (trace, { x }, { blockShape, crops }) => {
  const size = sizeOf(blockShape)
  const shape = x!.shape as number[]
  const split = tf.backend_util.getReshaped(shape, blockShape, size)
  const moved = run('Transpose', trace, reshaped(trace, x!, split), {
    perm: tf.backend_util.getPermuted(split.length, blockShape.length),
  })
  const joined = tf.backend_util.getReshapedPermuted(shape, blockShape, size)
  return run('Slice', trace, reshaped(trace, moved, joined), {
    begin: tf.backend_util.getSliceBeginCoords(crops, blockShape.length),
    size: tf.backend_util.getSliceSize(joined, crops, blockShape.length),
  })
}

const depthToSpace: Lowering = (trace, { x }, { blockSize, dataFormat }) => {
  if (dataFormat && dataFormat !== 'NHWC') throw new Error(`Kernel 'DepthToSpace in ${dataFormat}' not registered`)
  const [batch, height, width, channels] = x!.shape as [number, number, number, number]
  const depth = channels / blockSize ** 2
  const split = reshaped(trace, x!, [batch, height, width, blockSize, blockSize, depth])
  const moved = run('Transpose', trace, split, { perm: [0, 1, 3, 2, 4, 5] })
  return reshaped(trace, moved, [batch, height * blockSize, width * blockSize, depth])
}

/** Values on the diagonal of zeros, of twice the axes. */
const diagonal: Lowering = (trace, { x }) => {
  const size = sizeOf(x!.shape)
  const identity = Uint8Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0))
  const mask = trace.name({ shape: [size, size], dtype: 'bool', constant: identity })
  const row = trace.name(reshaped(trace, x!, [1, size]))
  const name =
    x!.dtype === 'bool' ? trace.op('And', [mask, row]) : trace.op('Where', [mask, row, trace.scalar(0, x!.dtype)])
  return reshaped(trace, { shape: [size, size], dtype: x!.dtype, name }, [...x!.shape, ...x!.shape])
}

const sequence = (values: Iterable<number>, dtype: Value['dtype']): Value => {
  const constant = Array.from(values)
  return { shape: [constant.length], dtype, constant }
}

export const REARRANGE: Record<string, Lowering> = {
  BatchToSpaceND: batchToSpace,
  DepthToSpace: depthToSpace,
  Diag: diagonal,
  FlipLeftRight: (trace, { image }) => run('Reverse', trace, image!, { dims: [2] }),
  LinSpace: (_, __, { start, stop, num }) => {
    const step = num === 1 ? 0 : (stop - start) / (num - 1)
    return sequence(
      Array.from({ length: num }, (_, i) => start + i * step),
      'float32',
    )
  },
  MirrorPad: mirrorPad,
  Range: (_, __, { start, stop, step, dtype }) => {
    const length = Math.max(0, Math.ceil((stop - start) / step))
    return sequence(
      Array.from({ length }, (_, i) => start + i * step),
      dtype,
    )
  },
  SpaceToBatchND: spaceToBatch,
  StridedSlice: stridedSlice,
}
