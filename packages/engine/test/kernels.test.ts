import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tf } from '../src/index.js'
import { LOWERINGS } from '../src/kernels/index.js'
import { MORE_KERNELS } from './kernel-cases.js'
import {
  cases,
  compiled,
  DEVICE,
  type Draw,
  eager,
  expectSame,
  type Given,
  type Range,
  replayed,
  SEED,
  takeFallbacks,
} from './support.js'

type Write = (draw: Draw) => () => tf.Tensor | tf.Tensor[]

/** A shape that broadcasts to `shape`: axes of 1, leading axes left out. */
const smaller = (draw: Draw, shape: readonly number[]) =>
  shape.map((n) => draw.pick(1, n, n)).slice(draw.integer(0, shape.length))

const unary =
  (op: (x: tf.Tensor) => tf.Tensor, range: Range = 'normal'): Write =>
  (draw) => {
    const x = draw.tensor(draw.shape(0, 4), range)
    return () => op(x())
  }

const binary =
  (
    op: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
    range: Range = 'normal',
    types: Given['dtype'][] = ['float32'],
  ): Write =>
  (draw) => {
    const shape = draw.shape(0, 4)
    const dtype = draw.pick(...types)
    const whole = draw.tensor(shape, range, dtype)
    const part = draw.tensor(smaller(draw, shape), range, dtype)
    return draw.pick(true, false) ? () => op(whole(), part()) : () => op(part(), whole())
  }

const logical = (op: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Write =>
  binary((a, b) => op(tf.cast(a, 'bool'), tf.cast(b, 'bool')), 'whole')

/** An axis, counted from the start or from the end. */
const axisOf = (draw: Draw, rank: number) => draw.integer(-rank, rank - 1)

const someAxes = (draw: Draw, rank: number) => {
  const axes = Array.from({ length: rank }, (_, i) => i).filter(() => draw.pick(true, false))
  return draw.pick<number | number[] | undefined>(
    undefined,
    axes.length ? axes : undefined,
    rank ? axisOf(draw, rank) : undefined,
  )
}

const reduction =
  (op: (x: tf.Tensor, axis?: number | number[], keepDims?: boolean) => tf.Tensor, range: Range = 'normal'): Write =>
  (draw) => {
    const shape = draw.shape(0, 4)
    const x = draw.tensor(shape, range)
    const axis = someAxes(draw, shape.length)
    const keepDims = draw.pick(true, false)
    return () => op(x(), axis, keepDims)
  }

const argument =
  (op: (x: tf.Tensor, axis: number) => tf.Tensor): Write =>
  (draw) => {
    const shape = draw.shape(1, 4)
    const x = draw.tensor(shape, 'whole')
    const axis = axisOf(draw, shape.length)
    return () => op(x(), axis)
  }

/** Sizes, strides, dilations and paddings of convolutions that TensorFlow.js takes. */
const convolution = (draw: Draw) => {
  const pad = draw.pick<'same' | 'valid' | number | [number, number][]>('same', 'valid', 1, 2, [
    [0, 0],
    [1, 0],
    [0, 2],
    [0, 0],
  ])
  const side = draw.pick(1, 3, 5)
  // With a number as padding, TensorFlow.js takes kernel and stride of the height for the width, too.
  const kernel = typeof pad === 'number' ? ([side, side] as const) : ([side, draw.pick(1, 3, 5)] as const)
  const dilations = draw.pick<[number, number]>([1, 1], [1, 1], typeof pad === 'number' ? [3, 3] : [2, 1], [2, 2])
  const reach = kernel.map((k, i) => (k - 1) * dilations[i]! + 1)
  const size = reach.map((r) => r + draw.pick(0, draw.integer(1, 5)))
  const strides: [number, number] =
    dilations[0] * dilations[1] > 1
      ? [1, 1]
      : draw.pick<[number, number]>([1, 1], [2, 2], typeof pad === 'number' ? [3, 3] : [2, 1], [3, 3])
  const inputs = draw.pick(1, 3, 16, 20)
  const outputs = draw.integer(1, 6)
  return {
    x: [draw.integer(1, 2), size[0]!, size[1]!, inputs] as [number, number, number, number],
    filter: [...kernel, inputs, outputs] as [number, number, number, number],
    strides,
    dilations,
    pad: pad as never,
    rounding: typeof pad === 'number' ? ('floor' as const) : undefined,
  }
}

const conv2d: Write = (draw) => {
  const c = convolution(draw)
  const x = draw.tensor(c.x)
  const filter = draw.tensor(c.filter)
  return () => tf.conv2d(x() as tf.Tensor4D, filter() as tf.Tensor4D, c.strides, c.pad, 'NHWC', c.dilations, c.rounding)
}

const ACTIVATIONS = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const

const fusedConv2d: Write = (draw) => {
  const c = convolution(draw)
  const x = draw.tensor(c.x)
  const filter = draw.tensor(c.filter)
  const outputs = c.filter[3]
  const bias = draw.pick(undefined, draw.tensor([outputs]), draw.tensor([1]), draw.tensor([1, 1, outputs]))
  const activation = draw.pick(...ACTIVATIONS)
  const alpha = draw.tensor(draw.pick([outputs], [1], [1, 1, outputs]))
  return () =>
    tf.fused.conv2d({
      x: x() as tf.Tensor4D,
      filter: filter() as tf.Tensor4D,
      strides: c.strides,
      pad: c.pad,
      dilations: c.dilations,
      dimRoundingMode: c.rounding,
      bias: bias?.(),
      activation,
      leakyreluAlpha: activation === 'leakyrelu' ? 0.3 : undefined,
      preluActivationWeights: activation === 'prelu' ? alpha() : undefined,
    })
}

/** The gradients of a convolution, as TensorFlow.js itself makes them. */
const convGradient =
  (of: 'x' | 'filter'): Write =>
  (draw) => {
    const c = { ...convolution(draw), dilations: 1 }
    const x = draw.tensor(c.x)
    const filter = draw.tensor(c.filter)
    const loss = (a: tf.Tensor, b: tf.Tensor) =>
      tf.sum(tf.square(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, c.strides, c.pad, 'NHWC', 1, c.rounding)))
    return () => tf.grads(loss)([x(), filter()])[of === 'x' ? 0 : 1]!
  }

/** Two matrices that fit, laid flat or transposed, with batch axes that broadcast. */
const matrices = (draw: Draw) => {
  const [rows, shared, columns] = [draw.integer(1, 6), draw.integer(1, 6), draw.integer(1, 6)]
  const [transposeA, transposeB] = [draw.pick(true, false), draw.pick(true, false)]
  const batch = draw.shape(0, 2)
  const [batchA, batchB] = draw.pick(
    [batch, batch],
    [batch, batch.map(() => 1)],
    [batch.map(() => 1), batch],
    [batch, []],
  )
  const a = draw.tensor([...batchA!, ...(transposeA ? [shared, rows] : [rows, shared])])
  const b = draw.tensor([...batchB!, ...(transposeB ? [columns, shared] : [shared, columns])])
  return { a, b, transposeA, transposeB, columns }
}

const paddings = (draw: Draw, rank: number) =>
  Array.from({ length: rank }, () => [draw.integer(0, 2), draw.integer(0, 2)] as [number, number])

/** How each kernel is put to the test. */
const KERNELS: Record<string, Write> = {
  Add: binary(tf.add, 'normal', ['float32', 'int32']),
  Sub: binary(tf.sub, 'normal', ['float32', 'int32']),
  Multiply: binary(tf.mul, 'normal', ['float32', 'int32']),
  RealDiv: binary(tf.div, 'positive'),
  Maximum: binary(tf.maximum, 'normal', ['float32', 'int32']),
  Minimum: binary(tf.minimum, 'normal', ['float32', 'int32']),
  Pow: binary(tf.pow, 'positive'),
  Prelu: (draw) => {
    const shape = draw.shape(1, 4)
    const x = draw.tensor(shape)
    const alpha = draw.tensor(smaller(draw, shape))
    return () => tf.prelu(x(), alpha())
  },
  SquaredDifference: binary(tf.squaredDifference),
  Greater: binary(tf.greater, 'whole', ['float32', 'int32']),
  GreaterEqual: binary(tf.greaterEqual, 'whole', ['float32', 'int32']),
  Less: binary(tf.less, 'whole', ['float32', 'int32']),
  LessEqual: binary(tf.lessEqual, 'whole', ['float32', 'int32']),
  Equal: binary(tf.equal, 'whole', ['float32', 'int32']),
  NotEqual: binary(tf.notEqual, 'whole', ['float32', 'int32']),
  LogicalAnd: logical(tf.logicalAnd),
  LogicalOr: logical(tf.logicalOr),
  LogicalNot: unary((x) => tf.logicalNot(tf.cast(x, 'bool')), 'whole'),
  Select: (draw) => {
    const shape = draw.shape(1, 4)
    const condition = draw.tensor(shape, 'whole')
    const t = draw.tensor(shape)
    const e = draw.tensor(shape)
    const slope = draw.pick(0, 0.1, 0.999, 1, 1.5, -0.5)
    return draw.pick(
      () => tf.where(tf.greater(condition(), 0), t(), e()),
      () => tf.where(tf.cast(condition(), 'bool'), t(), e()),
      () => tf.where(tf.greater(condition(), 0), t(), tf.mul(t(), slope)),
    )
  },
  Cast: (draw) => {
    const from = draw.pick<Given['dtype']>('float32', 'int32')
    const x = draw.tensor(draw.shape(0, 4), draw.pick<Range>('normal', 'whole'), from)
    const to = draw.pick<tf.DataType>('float32', 'int32', 'bool')
    return () => tf.mul(tf.cast(x(), to), 1)
  },
  Identity: unary(tf.clone),
  Abs: unary(tf.abs),
  Ceil: unary(tf.ceil),
  Cos: unary(tf.cos),
  Elu: unary(tf.elu),
  Exp: unary(tf.exp),
  Floor: unary(tf.floor),
  Log: unary(tf.log, 'positive'),
  Neg: unary(tf.neg),
  Reciprocal: unary(tf.reciprocal, 'positive'),
  Relu: unary(tf.relu),
  Round: (draw) => {
    const x = draw.tensor(draw.shape(0, 4), draw.pick<Range>('normal', 'whole'))
    return () => tf.round(tf.div(x(), 2)) // halves are rounded to even numbers
  },
  Sigmoid: unary((x) => tf.add(tf.sigmoid(tf.mul(x, 10)), 1)), // exact to 1e-8 of 1, not of values near 0
  Sign: unary(tf.sign, 'whole'),
  Sin: unary(tf.sin),
  Softplus: unary((x) => tf.softplus(tf.mul(x, 20))),
  Sqrt: unary(tf.sqrt, 'positive'),
  Tanh: unary(tf.tanh),
  Relu6: unary((x) => tf.relu6(tf.mul(x, 6))),
  ClipByValue: (draw) => {
    const x = draw.tensor(draw.shape(0, 4))
    const [low, high] = draw.pick([-0.5, 0.5], [0, 1], [-Infinity, 0], [0, Infinity])
    return () => tf.clipByValue(x(), low!, high!)
  },
  Expm1: (draw) => {
    const x = draw.tensor(draw.shape(0, 4))
    const scale = draw.pick(1, 10, 1e-4, 1e-7)
    return () => tf.expm1(tf.mul(x(), scale))
  },
  Log1p: (draw) => {
    const x = draw.tensor(draw.shape(0, 4), 'unit')
    const scale = draw.pick(1, 1e-4, 1e-7)
    return () => tf.log1p(tf.mul(x(), scale))
  },
  Rsqrt: unary(tf.rsqrt, 'positive'),
  Square: unary(tf.square),
  LeakyRelu: (draw) => {
    const x = draw.tensor(draw.shape(0, 4))
    const slope = draw.pick(undefined, 0.1, 0.5)
    return () => tf.leakyRelu(x(), slope)
  },
  Step: (draw) => {
    const x = draw.tensor(draw.shape(0, 4), 'whole')
    const alpha = draw.pick(undefined, 0.3, -1)
    return () => tf.step(x(), alpha)
  },
  AddN: (draw) => {
    const shape = draw.shape(0, 3)
    const parts = Array.from({ length: draw.integer(1, 4) }, () => draw.tensor(shape))
    return () => tf.addN(parts.map((part) => part()))
  },
  Sum: reduction(tf.sum),
  Mean: (draw) => {
    const shape = draw.shape(0, 4)
    const x = draw.tensor(shape, 'normal', draw.pick('float32', 'int32'))
    const axis = someAxes(draw, shape.length)
    return () => tf.mean(x(), axis)
  },
  Max: reduction(tf.max),
  Min: reduction(tf.min),
  Prod: reduction(tf.prod),
  All: reduction((x, axis, keep) => tf.all(tf.cast(x, 'bool'), axis, keep), 'whole'),
  Any: reduction((x, axis, keep) => tf.any(tf.cast(x, 'bool'), axis, keep), 'whole'),
  ArgMax: argument(tf.argMax),
  ArgMin: argument(tf.argMin),
  Softmax: (draw) => {
    const x = draw.tensor(draw.shape(1, 4))
    return () => tf.add(x(), tf.softmax(x()))
  },
  Cumsum: (draw) => {
    const shape = draw.shape(1, 4)
    const x = draw.tensor(shape)
    const axis = draw.integer(0, shape.length - 1)
    const [exclusive, reverse] = [draw.pick(true, false), draw.pick(true, false)]
    return () => tf.add(tf.cumsum(x(), axis, exclusive, reverse), x())
  },
  Reshape: (draw) => {
    const shape = draw.shape(1, 4)
    const x = draw.tensor(shape)
    const to = draw.pick([-1], [1, -1], [...shape].reverse(), [shape[0]!, -1])
    return () => tf.reshape(x(), to)
  },
  ExpandDims: (draw) => {
    const shape = draw.shape(0, 3)
    const x = draw.tensor(shape)
    const axis = draw.integer(-shape.length - 1, shape.length)
    return () => tf.expandDims(x(), axis)
  },
  Concat: (draw) => {
    const shape = draw.shape(1, 4)
    const axis = axisOf(draw, shape.length)
    const parts = Array.from({ length: draw.integer(2, 4) }, () => {
      const own = [...shape]
      own[axis < 0 ? axis + shape.length : axis] = draw.integer(1, 4)
      return draw.tensor(own)
    })
    return () =>
      tf.concat(
        parts.map((part) => part()),
        axis,
      )
  },
  Pack: (draw) => {
    const shape = draw.shape(0, 3)
    const axis = draw.integer(-shape.length - 1, shape.length)
    const parts = Array.from({ length: draw.integer(1, 4) }, () => draw.tensor(shape))
    return () =>
      tf.stack(
        parts.map((part) => part()),
        axis,
      )
  },
  Unpack: (draw) => {
    const shape = draw.shape(1, 4)
    const x = draw.tensor(shape)
    const axis = axisOf(draw, shape.length)
    return () => tf.unstack(x(), axis)
  },
  SplitV: (draw) => {
    const shape = draw.shape(1, 4)
    const axis = axisOf(draw, shape.length)
    const at = axis < 0 ? axis + shape.length : axis
    const [sizes, total] = draw.pick<[number | number[], number]>([2, 6], [3, 3], [[1, 3, 2], 6], [[2, -1], 5])
    const x = draw.tensor(shape.map((n, i) => (i === at ? total : n)))
    return () => tf.split(x(), sizes, axis)
  },
  Slice: (draw) => {
    const shape = draw.shape(1, 4)
    const x = draw.tensor(shape)
    const begin = shape.map((n) => draw.integer(0, n - 1))
    const size = shape.map((n, i) => draw.pick(-1, draw.integer(1, n - begin[i]!)))
    return () => tf.slice(x(), begin, size)
  },
  PadV2: (draw) => {
    const shape = draw.shape(1, 4)
    const x = draw.tensor(shape, 'normal', draw.pick('float32', 'int32'))
    const by = paddings(draw, shape.length)
    const value = draw.pick(0, 1, -2)
    return () => tf.pad(x(), by, value)
  },
  Tile: (draw) => {
    const shape = draw.shape(1, 4)
    const x = draw.tensor(shape)
    const reps = shape.map(() => draw.integer(1, 3))
    return () => tf.tile(x(), reps)
  },
  Transpose: (draw) => {
    const shape = draw.shape(2, 4)
    if (draw.pick(true, false)) shape.push(draw.integer(8, 12)) // long rows are moved in one piece
    const x = draw.tensor(shape, 'normal', draw.pick('float32', 'int32'))
    const order = shape.map((_, i) => ({ i, key: i >= 4 ? 2000 : draw.integer(0, 1000) }))
    const perm = order.sort((a, b) => a.key - b.key).map(({ i }) => i)
    return () => tf.transpose(x(), perm)
  },
  GatherV2: (draw) => {
    const shape = draw.shape(1, 3)
    const axis = axisOf(draw, shape.length)
    const x = draw.tensor(shape)
    const length = shape.at(axis)!
    const indices = Array.from({ length: draw.integer(1, 5) }, () => draw.integer(0, length - 1))
    return () => tf.gather(x(), tf.tensor1d(indices, 'int32'), axis)
  },
  Reverse: (draw) => {
    const shape = draw.shape(1, 4)
    const x = draw.tensor(shape)
    const axes = someAxes(draw, shape.length)
    return () => tf.reverse(x(), axes)
  },
  Fill: (draw) => {
    const shape = draw.shape(0, 4)
    const value = draw.pick(0, 1, -2.5)
    const x = draw.input(shape)
    return () => tf.add(x(), tf.fill(shape, value))
  },
  ZerosLike: unary((x) => tf.add(tf.zerosLike(x), tf.mul(x, 2))),
  OnesLike: unary((x) => tf.add(tf.onesLike(x), tf.mul(x, 2))),
  BatchMatMul: (draw) => {
    const { a, b, transposeA, transposeB } = matrices(draw)
    return () => tf.matMul(a(), b(), transposeA, transposeB)
  },
  _FusedMatMul: (draw) => {
    const { a, b, transposeA, transposeB, columns } = matrices(draw)
    const bias = draw.pick(undefined, draw.tensor([columns]), draw.tensor([1]))
    const activation = draw.pick(...ACTIVATIONS)
    const alpha = draw.tensor([columns])
    return () =>
      tf.fused.matMul({
        a: a(),
        b: b(),
        transposeA,
        transposeB,
        bias: bias?.(),
        activation,
        leakyreluAlpha: activation === 'leakyrelu' ? 0.3 : undefined,
        preluActivationWeights: activation === 'prelu' ? alpha() : undefined,
      })
  },
  Conv2D: conv2d,
  FusedConv2D: fusedConv2d,
  Conv2DBackpropInput: convGradient('x'),
  Conv2DBackpropFilter: convGradient('filter'),
  ...MORE_KERNELS,
}

/** Kernels with many paths get more cases. */
const RUNS: Record<string, number> = {
  Conv2D: 20,
  FusedConv2D: 20,
  Conv2DBackpropInput: 20,
  Conv2DBackpropFilter: 20,
  BatchMatMul: 20,
  _FusedMatMul: 20,
  Transpose: 15,
  Select: 15,
}

/** Ops that TensorFlow.js builds from others, which docs/engine-kernels.md promises. */
const BUILT: Record<string, Write> = {
  moments: (draw) => {
    const x = draw.tensor([draw.integer(2, 5), 4])
    return () => Object.values(tf.moments(x(), 0))
  },
  'losses.sigmoidCrossEntropy': binary((a, b) => tf.losses.sigmoidCrossEntropy(tf.sigmoid(tf.add(a, b)), tf.sub(a, b))),
  'losses.absoluteDifference': binary((a, b) => tf.losses.absoluteDifference(tf.add(a, b), tf.sub(a, b))),
  'losses.softmaxCrossEntropy': (draw) => {
    const [labels, logits] = [draw.tensor([3, 4], 'positive'), draw.tensor([3, 4])]
    return () => tf.losses.softmaxCrossEntropy(tf.softmax(labels()), logits())
  },
  'losses.huberLoss': binary((a, b) => tf.losses.huberLoss(tf.add(a, b), tf.mul(tf.sub(a, b), 3), undefined, 0.5)),
  'losses.logLoss': unary((x) => tf.losses.logLoss(tf.step(x), tf.sigmoid(x))),
  'losses.hingeLoss': unary((x) => tf.losses.hingeLoss(tf.step(x), x)),
  'losses.meanSquaredError': binary((a, b) => tf.losses.meanSquaredError(tf.add(a, b), tf.sub(a, b), 0.5)),
  'losses.cosineDistance': (draw) => {
    const [a, b] = [draw.tensor([3, 4]), draw.tensor([3, 4])]
    return () => tf.losses.cosineDistance(a(), b(), 1)
  },
  logSoftmax: (draw) => {
    const x = draw.tensor(draw.shape(1, 3))
    return () => tf.logSoftmax(x())
  },
  'linalg.bandPart': (draw) => {
    const x = draw.tensor([3, 4])
    return () => tf.linalg.bandPart(x(), 1, 2)
  },
  'image.grayscaleToRGB': (draw) => {
    const x = draw.tensor([1, 3, 2, 1])
    return () => tf.image.grayscaleToRGB(x() as tf.Tensor4D)
  },
  pool: (draw) => {
    const [x, kind] = [draw.tensor([1, 6, 6, 2]), draw.pick('avg' as const, 'max' as const)]
    return () => tf.pool(x() as tf.Tensor4D, 2, kind, 'valid', 2, 1)
  },
  'gather with batches': (draw) => {
    const x = draw.tensor([2, 3, 4])
    const at = draw.pick(
      [
        [0, 2],
        [1, 1],
      ],
      [[2], [0]],
    )
    return () => tf.gather(x(), tf.tensor2d(at, undefined, 'int32'), 1, 1)
  },
  norm: unary((x) => tf.norm(x)),
  logSumExp: unary((x) => tf.logSumExp(x)),
  conv2dTranspose: (draw) => {
    const [stride, kernel] = [draw.pick(1, 2), draw.pick(1, 3, 4)]
    const x = draw.tensor([1, 3, 4, 2])
    const filter = draw.tensor([kernel, kernel, 3, 2])
    const shape: [number, number, number, number] = [1, 3 * stride, 4 * stride, 3]
    return () => tf.conv2dTranspose(x() as tf.Tensor4D, filter() as tf.Tensor4D, shape, stride, 'same')
  },
}

describe('a compiled kernel gives what TensorFlow.js gives', () => {
  it('for every kernel there is', () => {
    expect(Object.keys(KERNELS).sort()).toEqual(Object.keys(LOWERINGS).sort())
  })

  it.each(Object.keys(BUILT))('as part of tf.%s', async (name) => {
    await fc.assert(
      fc.asyncProperty(cases(BUILT[name]!), async (one) => expectSame(await compiled(one), (await eager(one)).results)),
      { seed: SEED, numRuns: 6 },
    )
  })

  it.each(Object.keys(KERNELS))('%s', async (kernel) => {
    takeFallbacks()
    await fc.assert(
      fc.asyncProperty(cases(KERNELS[kernel]!), async (one) => {
        const { results, kernels } = await eager(one)
        expect(kernels).toContain(kernel)
        expectSame(await compiled(one), results)
        if (DEVICE === 'cpu') expectSame(await replayed(one), results)
      }),
      { seed: SEED, numRuns: RUNS[kernel] ?? 5, interruptAfterTimeLimit: 20_000, includeErrorInReport: true },
    )
    expect(takeFallbacks(), 'functions that ran with a part on the CPU').toBe(0)
  })
})
