import { tf } from '../src/index.js'
import type { Draw, Range } from './support.js'

type Write = (draw: Draw) => () => tf.Tensor | tf.Tensor[]

const unary =
  (op: (x: tf.Tensor) => tf.Tensor, range: Range = 'normal'): Write =>
  (draw) => {
    const x = draw.tensor(draw.shape(0, 4), range)
    return () => op(x())
  }

const binary =
  (
    op: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
    types: ('float32' | 'int32')[] = ['float32'],
    ranges: Range[] = ['normal', 'whole'],
  ): Write =>
  (draw) => {
    const shape = draw.shape(0, 4)
    const [dtype, range] = [draw.pick(...types), draw.pick(...ranges)]
    const whole = draw.tensor(shape, range, dtype)
    const part = draw.tensor(shape.map((n) => draw.pick(1, n)).slice(draw.integer(0, shape.length)), range, dtype)
    return draw.pick(true, false) ? () => op(whole(), part()) : () => op(part(), whole())
  }

/** Numbers none of which is 0: what a division by zero gives is tested on its own. */
const nonzero = (x: tf.Tensor) => tf.where(tf.equal(x, 0), tf.onesLike(x), x)

/** Paddings, sizes and strides of a window, and an image large enough for it. */
const window2d = (draw: Draw, pads: ('same' | 'valid' | number)[] = ['same', 'valid', 1]) => {
  const pad = draw.pick(...pads)
  const kernel: [number, number] = [draw.integer(1, 3), draw.integer(1, 3)]
  if (pad === 1) kernel.fill(3)
  const strides: [number, number] = pad === 1 ? [2, 2] : [draw.integer(1, 3), draw.integer(1, 3)]
  const shape = [draw.integer(1, 2), kernel[0] + draw.integer(0, 4), kernel[1] + draw.integer(0, 4), draw.integer(1, 3)]
  return { pad, kernel, strides, shape, rounding: pad === 1 ? ('floor' as const) : undefined }
}

type Pool = typeof tf.maxPool | typeof tf.avgPool
const pool =
  (op: Pool): Write =>
  (draw) => {
    const w = window2d(draw)
    const x = draw.tensor(w.shape)
    return () => op(x() as tf.Tensor4D, w.kernel, w.strides, w.pad, w.rounding)
  }

/** With padding, TensorFlow.js divides the gradient of a mean by pixels that are not there: see gradients.test.ts. */
const poolGradient =
  (op: Pool, pads: ('same' | 'valid' | number)[]): Write =>
  (draw) => {
    const w = window2d(draw, pads)
    const x = draw.tensor(w.shape)
    const loss = (a: tf.Tensor) => tf.sum(tf.square(op(a as tf.Tensor4D, w.kernel, w.strides, w.pad, w.rounding)))
    return () => tf.grad(loss)(x())
  }

const pool3d =
  (op: typeof tf.maxPool3d, gradient: boolean, pads: ('same' | 'valid')[] = ['same', 'valid']): Write =>
  (draw) => {
    const side = draw.integer(1, 3) // TensorFlow.js confuses the axes of windows that are no cubes.
    const [pad, stride] = [draw.pick(...pads), draw.integer(1, 2)]
    const x = draw.input([draw.integer(1, 2), ...[0, 1, 2].map(() => side + draw.integer(0, 2)), draw.integer(1, 2)])
    const run = (a: tf.Tensor) => op(a as tf.Tensor5D, side, stride, pad)
    return () => (gradient ? tf.grad((a) => tf.sum(tf.square(run(a))))(x()) : run(x()))
  }

/** TensorFlow.js has no gradient of convolutions with dilations. */
const depthwise = (draw: Draw, dilatable = true) => {
  const w = window2d(draw)
  const dilated = dilatable && draw.pick(false, true)
  const dilations: [number, number] = dilated ? [2, draw.integer(1, 2)] : [1, 1]
  if (dilated) w.strides.fill(1)
  const [batch, height, width, channels] = w.shape as [number, number, number, number]
  const large = [batch, height + dilations[0] * 2, width + dilations[1] * 2, channels]
  const multiplier = draw.integer(1, 2)
  const pad = dilated && w.pad === 1 ? 'same' : w.pad
  return {
    x: draw.tensor(large),
    filter: draw.tensor([...w.kernel, channels, multiplier]),
    bias: draw.pick(undefined, draw.tensor([channels * multiplier])),
    run: (x: tf.Tensor, filter: tf.Tensor) =>
      tf.depthwiseConv2d(
        x as tf.Tensor4D,
        filter as tf.Tensor4D,
        w.strides,
        pad,
        'NHWC',
        dilations,
        pad === 1 ? 'floor' : undefined,
      ),
    options: { strides: w.strides, pad, dilations, dimRoundingMode: pad === 1 ? ('floor' as const) : undefined },
  }
}

const depthwiseGradient =
  (of: 0 | 1): Write =>
  (draw) => {
    const { x, filter, run } = depthwise(draw, false)
    return () => tf.grads((a, b) => tf.sum(tf.square(run(a!, b!))))([x(), filter()])[of]!
  }

const convolution3d = (draw: Draw) => {
  const kernel = [0, 1, 2].map(() => draw.integer(1, 3))
  const [inputs, outputs] = [draw.integer(1, 2), draw.integer(1, 3)]
  const [pad, strides] = [draw.pick('same' as const, 'valid' as const), draw.integer(1, 2)]
  const x = draw.tensor([draw.integer(1, 2), ...kernel.map((k) => k + draw.integer(0, 2)), inputs])
  const filter = draw.tensor([...kernel, inputs, outputs])
  const run = (a: tf.Tensor, b: tf.Tensor) => tf.conv3d(a as tf.Tensor5D, b as tf.Tensor5D, strides, pad)
  return { x, filter, run }
}

const convolution3dGradient =
  (of: 0 | 1): Write =>
  (draw) => {
    const { x, filter, run } = convolution3d(draw)
    return () => tf.grads((a, b) => tf.sum(tf.square(run(a!, b!))))([x(), filter()])[of]!
  }

const dilation2d =
  (of?: 0 | 1): Write =>
  (draw) => {
    const w = window2d(draw, ['same', 'valid'])
    const x = draw.input(w.shape)
    const filter = draw.input([...w.kernel, w.shape[3]!])
    const run = (a: tf.Tensor, b: tf.Tensor) =>
      tf.dilation2d(a as tf.Tensor4D, b as tf.Tensor3D, w.strides, w.pad as 'same')
    return () =>
      of === undefined ? run(x(), filter()) : tf.grads((a, b) => tf.sum(tf.square(run(a!, b!))))([x(), filter()])[of]!
  }

/** With half-pixel centres TensorFlow.js's gradients are wrong, and those of bilinear resizes mix up height and width. */
const resize =
  (op: typeof tf.image.resizeBilinear, gradient: boolean): Write =>
  (draw) => {
    const side = draw.integer(gradient ? 2 : 1, 6) // TensorFlow.js never returns from the gradient of one row.
    // Nor does it read the right rows of `dy` for any but the first image.
    const shape = [gradient ? 1 : draw.integer(1, 2), side, gradient ? side : draw.integer(1, 6), draw.integer(1, 3)]
    const size: [number, number] = [draw.integer(1, 12), draw.integer(1, 12)]
    const flags = draw.pick([false, false], [true, false], gradient ? [false, false] : [false, true])
    const x = draw.tensor(shape)
    const run = (a: tf.Tensor) => op(a as tf.Tensor4D, size, ...(flags as [boolean, boolean]))
    return () => (gradient ? tf.grad((a) => tf.sum(tf.square(run(a))))(x()) : run(x()))
  }

/** Indices into `rows`, `count` of them, sometimes known while compiling. */
const indices = (draw: Draw, shape: number[], rows: number, lowest = 0) => {
  const count = shape.reduce((a, b) => a * b, 1)
  const data = Array.from({ length: count }, () => draw.integer(lowest, rows - 1))
  if (draw.pick(true, false)) return () => tf.tensor(data, shape, 'int32')
  const zeros = draw.input(shape, 'whole', 'int32') // an input whose values play no part makes them traced
  return () => tf.add(tf.mul(zeros(), tf.scalar(0, 'int32')), tf.tensor(data, shape, 'int32'))
}

const blocks = (draw: Draw) => [draw.integer(1, 3), draw.integer(1, 2)]

/** How kernels are put to the test, those that kernels.test.ts does not have. */
export const MORE_KERNELS: Record<string, Write> = {
  Acos: unary(tf.acos, 'unit'),
  Acosh: unary((x) => tf.acosh(tf.add(x, 1.1)), 'positive'),
  Asin: unary(tf.asin, 'unit'),
  Asinh: unary(tf.asinh),
  Atan: unary(tf.atan),
  Atan2: binary(tf.atan2),
  Atanh: unary(tf.atanh, 'unit'),
  BitwiseAnd: (draw) => {
    const shape = draw.shape(0, 3)
    const [a, b] = [draw.tensor(shape, 'whole', 'int32'), draw.tensor(shape, 'whole', 'int32')]
    return () => tf.bitwiseAnd(a(), b())
  },
  Cosh: unary(tf.cosh),
  EluGrad: unary((x) => tf.grad((a) => tf.sum(tf.square(tf.elu(a))))(x)),
  Erf: unary(tf.erf),
  FloorDiv: binary((a, b) => tf.floorDiv(a, nonzero(b)), ['float32', 'int32']),
  IsFinite: unary((x) => tf.isFinite(tf.div(x, tf.relu(x))), 'whole'),
  IsInf: unary((x) => tf.isInf(tf.div(x, tf.relu(x))), 'whole'),
  IsNan: unary((x) => tf.isNaN(tf.sqrt(x)), 'whole'),
  Mod: binary((a, b) => tf.mod(a, nonzero(b)), ['float32', 'int32']),
  Selu: unary(tf.selu),
  Sinh: unary(tf.sinh),
  Tan: unary(tf.tan, 'unit'),
  Cumprod: (draw) => {
    const shape = draw.shape(1, 4)
    const x = draw.tensor(shape, 'normal', draw.pick('float32', 'int32'))
    const [axis, exclusive, reverse] = [
      draw.integer(0, shape.length - 1),
      draw.pick(true, false),
      draw.pick(true, false),
    ]
    return () => tf.cumprod(x(), axis, exclusive, reverse)
  },

  AvgPool: pool(tf.avgPool),
  AvgPoolGrad: poolGradient(tf.avgPool, ['valid']),
  AvgPool3D: pool3d(tf.avgPool3d, false),
  AvgPool3DGrad: pool3d(tf.avgPool3d, true, ['valid']),
  MaxPool: pool(tf.maxPool),
  MaxPoolGrad: poolGradient(tf.maxPool, ['same', 'valid', 1]),
  MaxPool3D: pool3d(tf.maxPool3d, false),
  MaxPool3DGrad: pool3d(tf.maxPool3d, true),
  MaxPoolWithArgmax: (draw) => {
    const w = window2d(draw, ['same', 'valid'])
    const [x, batch] = [draw.tensor(w.shape), draw.pick(true, false)]
    return () => Object.values(tf.maxPoolWithArgmax(x() as tf.Tensor4D, w.kernel, w.strides, w.pad as 'same', batch))
  },
  Dilation2D: dilation2d(),
  Dilation2DBackpropInput: dilation2d(0),
  Dilation2DBackpropFilter: dilation2d(1),

  DepthwiseConv2dNative: (draw) => {
    const { x, filter, run } = depthwise(draw)
    return () => run(x(), filter())
  },
  DepthwiseConv2dNativeBackpropInput: depthwiseGradient(0),
  DepthwiseConv2dNativeBackpropFilter: depthwiseGradient(1),
  FusedDepthwiseConv2D: (draw) => {
    const { x, filter, bias, options } = depthwise(draw)
    const activation = draw.pick('linear', 'relu', 'relu6', 'elu', 'sigmoid')
    return () =>
      tf.fused.depthwiseConv2d({
        x: x() as tf.Tensor4D,
        filter: filter() as tf.Tensor4D,
        ...options,
        pad: options.pad as 'same',
        bias: bias?.(),
        activation: activation as 'relu',
      })
  },
  Conv3D: (draw) => {
    const { x, filter, run } = convolution3d(draw)
    return () => run(x(), filter())
  },
  Conv3DBackpropInputV2: convolution3dGradient(0),
  Conv3DBackpropFilterV2: convolution3dGradient(1),

  ResizeBilinear: resize(tf.image.resizeBilinear, false),
  ResizeBilinearGrad: resize(tf.image.resizeBilinear, true),
  ResizeNearestNeighbor: resize(tf.image.resizeNearestNeighbor, false),
  ResizeNearestNeighborGrad: resize(tf.image.resizeNearestNeighbor, true),
  CropAndResize: (draw) => {
    const [batch, height, width, boxes] = [draw.integer(1, 2), draw.integer(2, 6), draw.integer(2, 6), 3]
    const image = draw.input([batch, height, width, 2])
    const corners = draw.input([boxes, 4], 'unit')
    const size: [number, number] = [draw.integer(1, 5), draw.integer(1, 5)]
    const [method, fill] = [draw.pick('bilinear' as const, 'nearest' as const), draw.pick(0, 7)]
    return () => {
      const box = tf.mul(tf.add(corners(), 0.5), 0.7) as tf.Tensor2D
      const from = tf.tensor1d([0, batch - 1, batch], 'int32') // the last is of no image
      return tf.image.cropAndResize(image() as tf.Tensor4D, box, from, size, method, fill)
    }
  },
  RotateWithOffset: (draw) => {
    const channels = draw.pick(1, 3, 4)
    const x = draw.input([draw.integer(1, 2), draw.integer(2, 6), draw.integer(2, 6), channels])
    const [angle, fill] = [draw.integer(-6, 6) / 2, draw.pick<number | [number, number, number]>(0, 0.5, [1, 2, 3])]
    return () => tf.image.rotateWithOffset(x() as tf.Tensor4D, angle, fill, [0.4, 0.6])
  },
  FlipLeftRight: (draw) => {
    const x = draw.input([draw.integer(1, 2), 3, draw.integer(1, 5), 2])
    return () => tf.image.flipLeftRight(x() as tf.Tensor4D)
  },

  StridedSlice: (draw) => {
    const shape = draw.shape(1, 4)
    const x = draw.tensor(shape)
    const strides = shape.map(() => draw.pick(1, 2, -1, -2))
    const begin = shape.map((n, i) => (strides[i]! > 0 ? 0 : n - 1))
    const end = shape.map((n, i) => (strides[i]! > 0 ? n : -n - 1))
    const mask = () => draw.integer(0, 2 ** shape.length - 1)
    // TensorFlow.js reads beyond the tensor where an axis is dropped and another one is stepped over.
    const [first, last, dropped] = [mask(), mask(), strides.every((stride) => stride === 1) ? mask() : 0]
    return () => tf.stridedSlice(x(), begin, end, strides, first, last, 0, 0, dropped)
  },
  MirrorPad: (draw) => {
    const shape = Array.from({ length: draw.integer(1, 4) }, () => draw.integer(2, 4))
    const [x, mode] = [draw.tensor(shape), draw.pick('reflect' as const, 'symmetric' as const)]
    const most = (n: number) => (mode === 'reflect' ? n - 1 : n)
    const by = shape.map((n) => [draw.integer(0, most(n)), draw.integer(0, most(n))] as [number, number])
    return () => tf.mirrorPad(x(), by, mode)
  },
  SpaceToBatchND: (draw) => {
    const block = blocks(draw)
    const x = draw.tensor([draw.integer(1, 2), ...block.map((b) => b * draw.integer(1, 2)), ...draw.shape(0, 2)])
    const pads = block.map((b) => draw.pick([0, 0], [b, 0], [0, b]))
    return () => tf.spaceToBatchND(x(), block, pads)
  },
  BatchToSpaceND: (draw) => {
    const block = blocks(draw)
    const batch = block.reduce((a, b) => a * b, draw.integer(1, 2))
    const x = draw.tensor([batch, ...block.map(() => draw.integer(2, 3)), ...draw.shape(0, 2)])
    const crops = block.map((b) => [draw.integer(0, b - 1), draw.integer(0, 1)])
    return () => tf.batchToSpaceND(x(), block, crops)
  },
  DepthToSpace: (draw) => {
    const block = draw.integer(2, 3)
    const x = draw.tensor([draw.integer(1, 2), 2, draw.integer(1, 3), block ** 2 * draw.integer(1, 2)])
    return () => tf.depthToSpace(x() as tf.Tensor4D, block)
  },
  Diag: (draw) => {
    const x = draw.tensor(draw.shape(1, 2), 'normal', draw.pick('float32', 'int32'))
    return () => tf.diag(x())
  },
  LinSpace: (draw) => {
    const [x, count] = [draw.input([]), draw.integer(1, 7)]
    return () => tf.add(tf.linspace(-1, 2.5, count), x())
  },
  Range: (draw) => {
    const [x, step] = [draw.input([]), draw.pick(1, 0.5, -1)]
    return () => tf.add(tf.cast(tf.range(0, step * 6, step, 'float32'), 'float32'), x())
  },

  GatherNd: (draw) => {
    const shape = Array.from({ length: draw.integer(1, 4) }, () => 3)
    const rank = draw.integer(1, shape.length)
    const x = draw.tensor(shape, 'normal', draw.pick('float32', 'int32'))
    const at = indices(draw, [...draw.shape(0, 2), rank], 3)
    return () => tf.gatherND(x(), at())
  },
  ScatterNd: (draw) => {
    const [rank, rest, count] = [draw.integer(1, 2), draw.shape(0, 2), draw.integer(1, 6)]
    const at = indices(draw, [count, rank], 3)
    const updates = draw.tensor([count, ...rest], 'normal', draw.pick('float32', 'int32'))
    return () => tf.scatterND(at(), updates(), [...Array(rank).fill(3), ...rest] as number[])
  },
  TensorScatterUpdate: (draw) => {
    const [rank, rest, count] = [draw.integer(1, 2), draw.shape(0, 2), draw.integer(1, 6)]
    const x = draw.tensor([...Array(rank).fill(3), ...rest] as number[])
    const [at, updates] = [indices(draw, [count, rank], 3), draw.tensor([count, ...rest])]
    return () => tf.tensorScatterUpdate(x(), at(), updates())
  },
  SparseToDense: (draw) => {
    const [rank, count] = [draw.integer(1, 2), draw.integer(1, 5)]
    const at = indices(draw, [count, rank], 4)
    const given = draw.pick(draw.tensor([count]), draw.tensor([]))
    return () => tf.sparseToDense(at(), given(), Array(rank).fill(4) as number[], tf.scalar(0.5))
  },
  UnsortedSegmentSum: (draw) => {
    const shape = draw.shape(1, 3)
    const x = draw.tensor(shape)
    const ids = indices(draw, [shape[0]!], 4, -1) // those outside belong to no segment
    return () => tf.unsortedSegmentSum(x(), ids() as tf.Tensor1D, 3)
  },
  SparseSegmentSum: (draw) => {
    const x = draw.tensor([4, ...draw.shape(0, 2)])
    const at = indices(draw, [4], 4)
    const ids = draw.pick([0, 0, 1, 3], [1, 1, 1, 1], [0, 1, 2, 3])
    return () => tf.sparse.sparseSegmentSum(x(), at() as tf.Tensor1D, tf.tensor1d(ids, 'int32'))
  },
  SparseSegmentMean: (draw) => {
    const x = draw.tensor([4, ...draw.shape(0, 2)])
    const at = indices(draw, [4], 4)
    const ids = draw.pick([0, 0, 1, 3], [1, 1, 1, 1], [0, 1, 2, 3])
    return () => tf.sparse.sparseSegmentMean(x(), at() as tf.Tensor1D, tf.tensor1d(ids, 'int32'))
  },
  OneHot: (draw) => {
    const at = indices(draw, draw.shape(0, 3), 4, -1)
    const dtype = draw.pick<'int32' | 'float32' | 'bool'>('int32', 'float32', 'bool')
    return () => tf.cast(tf.oneHot(at(), 3, dtype === 'bool' ? 1 : 5, 0, dtype), 'float32')
  },
  Bincount: (draw) => {
    const count = draw.integer(1, 6)
    const [at, weights] = [indices(draw, [count], 5), draw.tensor([count])]
    return () => tf.bincount(at() as tf.Tensor1D, weights() as tf.Tensor1D, 4)
  },
  DenseBincount: (draw) => {
    const shape = draw.shape(1, 2)
    const at = indices(draw, shape, 5)
    const weights = draw.pick(draw.tensor(shape), () => tf.tensor1d([]))
    const binary = shape.length === 2 && draw.pick(true, false)
    return () => tf.denseBincount(at() as tf.Tensor1D, weights() as tf.Tensor1D, 4, binary)
  },
  SearchSorted: (draw) => {
    const rows = draw.integer(1, 3)
    const steps = draw.tensor([rows, draw.integer(1, 6)], 'positive')
    const [sought, side] = [draw.tensor([rows, 4], 'positive'), draw.pick('left' as const, 'right' as const)]
    return () => tf.searchSorted(tf.round(tf.cumsum(steps(), 1)), tf.round(tf.mul(sought(), 2)), side)
  },
  TopK: (draw) => {
    const shape = [...draw.shape(0, 2), draw.integer(1, 6)]
    const x = draw.tensor(shape, draw.pick<Range>('normal', 'whole'), draw.pick('float32', 'int32'))
    const k = draw.integer(1, shape.at(-1)!)
    return () => Object.values(tf.topk(x(), k))
  },

  FusedBatchNorm: (draw) => {
    const shape = [draw.integer(1, 2), 3, 2, 4]
    const x = draw.tensor(shape)
    const [mean, spread, offset, scale] = Array.from({ length: 4 }, () => draw.tensor([4], 'positive')) as [
      () => tf.Tensor,
      () => tf.Tensor,
      () => tf.Tensor,
      () => tf.Tensor,
    ]
    const [moved, scaled] = [draw.pick(true, false), draw.pick(true, false)]
    return () =>
      tf.batchNorm4d(
        x() as tf.Tensor4D,
        mean() as tf.Tensor1D,
        spread() as tf.Tensor1D,
        moved ? (offset() as tf.Tensor1D) : undefined,
        scaled ? (scale() as tf.Tensor1D) : undefined,
        0.01,
      )
  },
  LRN: (draw) => {
    const x = draw.tensor([draw.integer(1, 2), 2, 3, draw.integer(1, 6)])
    const radius = draw.integer(1, 3)
    return () => tf.localResponseNormalization(x() as tf.Tensor4D, radius, 1.5, 0.7, 0.6)
  },
  LRNGrad: (draw) => {
    const x = draw.tensor([draw.integer(1, 2), 2, 3, draw.integer(1, 6)])
    const radius = draw.integer(1, 3)
    return () =>
      tf.grad((a) => tf.sum(tf.square(tf.localResponseNormalization(a as tf.Tensor4D, radius, 1.5, 0.7, 0.6))))(x())
  },
  Einsum: (draw) => {
    const [i, j, k] = [draw.integer(1, 4), draw.integer(1, 4), draw.integer(1, 4)]
    const [equation, a, b] = draw.pick<[string, number[], number[] | undefined]>(
      ['ij,jk->ik', [i, j], [j, k]],
      ['bij,bjk->bki', [2, i, j], [2, j, k]],
      ['ij->ji', [i, j], undefined],
      ['ijk->i', [i, j, k], undefined],
      ['i,j->ij', [i], [j]],
      ['ij,ij->', [i, j], [i, j]],
    )
    const [left, right] = [draw.tensor(a), b && draw.tensor(b)]
    return () => tf.einsum(equation, ...(right ? [left(), right()] : [left()]))
  },
}
