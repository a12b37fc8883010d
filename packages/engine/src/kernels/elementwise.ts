import { tf } from '../tf.js'
import { same, sizeOf, type Trace, uniform, type Value } from '../trace/trace.js'
import type { Lowering } from './index.js'

/** The result of an operator that works element by element and broadcasts. */
export function elementwise(
  values: readonly Value[],
  dtype: Value['dtype'],
  emit: (names: string[]) => string,
  trace: Trace,
): Value {
  const shape = values.map((v) => v.shape).reduce(broadcast)
  const actual = values.map((v) => v.actual ?? v.shape).reduce(broadcast)
  return {
    shape,
    dtype,
    actual: same(actual, shape) ? undefined : actual,
    name: inLine(trace, values, actual, emit) ?? emit(values.map((v) => spread(trace, v, actual))),
  }
}

/** From how many values on a mask is computed in line; parameters, whose updates are fused later, have fewer. */
const MANY_VALUES = 16384

/**
 * A mask [N, H, W, 1] and a number as one line of values and a number: ONNX Runtime begins to broadcast with the innermost
 * axis, and where that is 1, goes on value by value, thirty times as slowly.
 */
function inLine(
  trace: Trace,
  values: readonly Value[],
  wanted: readonly number[],
  emit: (names: string[]) => string,
): string | undefined {
  const count = sizeOf(wanted)
  if (wanted.length < 2 || wanted.at(-1) !== 1 || count < MANY_VALUES) return undefined
  const sizes = values.map((v) => sizeOf(v.actual ?? v.shape))
  if (!sizes.includes(1) || sizes.some((size) => size !== 1 && size !== count)) return undefined
  const names = values.map((v, i) =>
    sizes[i] === 1 ? trace.loose(v) : trace.reshape(trace.loose(v), v.actual ?? v.shape, [count]),
  )
  return trace.reshape(emit(names), [count], wanted)
}

/** Largest number of channels over which one is spread beforehand. */
const FEW_CHANNELS = 16

/**
 * The name of an operand. One channel beside a few, a mask beside an image, is spread over them by a product with ones:
 * ONNX Runtime broadcasts an innermost axis value by value, several times as slowly.
 */
function spread(trace: Trace, value: Value, wanted: readonly number[]): string {
  const name = trace.loose(value)
  const shape = value.actual ?? value.shape
  const channels = wanted.at(-1) ?? 1
  const pixels = sizeOf(shape)
  const fits = value.dtype === 'float32' && channels > 1 && channels <= FEW_CHANNELS && pixels >= 1024
  if (!fits || !same([...shape.slice(0, -1), channels], wanted) || shape.at(-1) !== 1) return name
  const ones = trace.op('Expand', [trace.scalar(1), trace.i64([1, channels])])
  const rows = trace.op('Gemm', [trace.op('Reshape', [name, trace.i64([pixels, 1])]), ones])
  return trace.op('Reshape', [rows, trace.i64(wanted)])
}

const broadcast = (a: readonly number[], b: readonly number[]): readonly number[] =>
  tf.broadcast_util.assertAndGetBroadcastShape(a as number[], b as number[])

const binary =
  (op: string, out?: Value['dtype']): Lowering =>
  (trace, { a, b }) =>
    elementwise([a!, b!], out ?? a!.dtype, (names) => trace.op(op, names), trace)

/** `x` itself where the other operand changes nothing, so that sums with 0 and products with 1 cost nothing. */
const neutral =
  (op: string, right: number, left?: number): Lowering =>
  (trace, { a, b }) => {
    const shape = broadcast(a!.shape, b!.shape)
    if (uniform(b!) === right) return broadcasted(a!, shape)
    if (left !== undefined && uniform(a!) === left) return broadcasted(b!, shape)
    return elementwise([a!, b!], a!.dtype, (names) => trace.op(op, names), trace)
  }

/** The same value seen at a larger shape. */
export function broadcasted(value: Value, shape: readonly number[]): Value {
  if (same(value.shape, shape)) return value
  return { ...value, shape, actual: value.actual ?? value.shape }
}

const unary =
  (emit: (trace: Trace, name: string, attrs: Record<string, unknown>) => string, out?: Value['dtype']): Lowering =>
  (trace, { x }, attrs) =>
    elementwise([x!], out ?? x!.dtype, ([name]) => emit(trace, name!, attrs), trace)
const named = (op: string, out?: Value['dtype']) => unary((trace, name) => trace.op(op, [name]), out)

const CAST = { float32: 1, int32: 6, bool: 9 } as const
const cast = (trace: Trace, name: string, to: Value['dtype']) => trace.op('Cast', [name], { to: CAST[to] })

/**
 * where(x > 0, dy, dy · slope) with 0 ≤ slope < 1, the gradient of a leaky ReLU, as dy · clip(x · 1e38, slope, 1):
 * three passes over memory that use vector instructions, where ONNX Runtime's Where does not on a CPU.
 */
function leakyGradient(trace: Trace, condition: Value, t: Value, e: Value): Value | undefined {
  if (trace.portable) return undefined
  const greater = trace.producer(condition.name)
  const scaled = trace.producer(e.name)
  if (greater?.op !== 'Greater' || greater.inputs[1] !== trace.scalar(0) || scaled?.op !== 'Mul') return undefined
  const slope = scaled.inputs[1]!
  const number = trace.scalarValue(slope)
  if (scaled.inputs[0] !== t.name || number === undefined || number < 0 || number >= 1) return undefined
  const factor = trace.op('Clip', [trace.op('Mul', [greater.inputs[0]!, trace.scalar(1e38)]), slope, trace.scalar(1)])
  return elementwise(
    [t, { ...condition, dtype: 'float32', name: factor }],
    t.dtype,
    (names) => trace.op('Mul', names),
    trace,
  )
}

/** Numbers, booleans as 0 and 1: ONNX has no arithmetic on booleans. */
function numeric(trace: Trace, value: Value): Value {
  if (value.dtype !== 'bool') return value
  return elementwise([value], 'int32', ([name]) => cast(trace, name!, 'int32'), trace)
}

/** Sums of booleans are numbers beyond a boolean in TensorFlow.js, which nothing but a mistake asks for. */
const arithmetic =
  (kernel: string, lower: Lowering): Lowering =>
  (trace, inputs, attrs) => {
    if (inputs.a!.dtype === 'bool') throw new Error(`Kernel '${kernel} of booleans' not registered`)
    return lower(trace, inputs, attrs)
  }

/** Calls `emit` with a divisor that the processor can divide by, and puts what TensorFlow.js gives where it could not. */
function guarded(
  trace: Trace,
  [a, b]: readonly [string, string],
  divisor: Value,
  emit: (b: string) => string,
  negative: string,
): string {
  const known = divisor.constant && Array.from(divisor.constant)
  if (known?.every((n) => n !== 0 && n !== -1)) return emit(b)
  const [zero, one, minusOne] = [0, 1, -1].map((n) => trace.scalar(n, 'int32')) as [string, string, string]
  const isZero = trace.op('Equal', [b, zero])
  const isMinusOne = trace.op('Equal', [b, minusOne])
  const safe = trace.op('Where', [trace.op('Or', [isZero, isMinusOne]), one, b])
  const normal = trace.op('Where', [isZero, zero, emit(safe)])
  return trace.op('Where', [isMinusOne, negative === 'zero' ? zero : trace.op('Neg', [a]), normal])
}

/** ⌊a / b⌋ as whole numbers, 0 for whole numbers divided by 0. */
const floorDivide: Lowering = (trace, { a, b }) => {
  const emit = ([x, y]: string[]) => {
    if (a!.dtype === 'float32') return cast(trace, trace.op('Floor', [trace.op('Div', [x!, y!])]), 'int32')
    const divide = (safe: string) => trace.op('Div', [trace.op('Sub', [x!, trace.op('Mod', [x!, safe])]), safe]) // Mod has the divisor's sign
    return guarded(trace, [x!, y!], b!, divide, 'negated')
  }
  return elementwise([numeric(trace, a!), numeric(trace, b!)], 'int32', emit, trace)
}

/** The rest of ⌊a / b⌋, of the sign of b. */
const modulo: Lowering = (trace, { a, b }) => {
  const emit = ([x, y]: string[]) => {
    if (a!.dtype !== 'float32') return guarded(trace, [x!, y!], b!, (safe) => trace.op('Mod', [x!, safe]), 'zero')
    const rest = trace.op('Mod', [x!, y!], { fmod: 1 })
    const zero = trace.scalar(0)
    const sameSign = trace.op('Equal', [trace.op('Less', [x!, zero]), trace.op('Less', [y!, zero])])
    return trace.op('Where', [sameSign, rest, trace.op('Mod', [trace.op('Add', [rest, y!]), y!], { fmod: 1 })])
  }
  return elementwise([a!, b!], a!.dtype, emit, trace)
}

/** The angle of (b, a) in all four quadrants. */
const atan2: Lowering = (trace, { a, b }) =>
  elementwise(
    [a!, b!],
    'float32',
    ([y, x]) => {
      const zero = trace.scalar(0)
      const half = trace.op('Atan', [trace.op('Div', [y!, x!])])
      const turn = trace.op('Where', [trace.op('Less', [y!, zero]), trace.scalar(-Math.PI), trace.scalar(Math.PI)])
      const left = trace.op('Where', [trace.op('Less', [x!, zero]), trace.op('Add', [half, turn]), half])
      const upright = trace.op('Mul', [trace.op('Sign', [y!]), trace.scalar(Math.PI / 2)])
      return trace.op('Where', [trace.op('Equal', [x!, zero]), upright, left])
    },
    trace,
  )

/** A choice between booleans, which ONNX Runtime's Where does not know. */
const chooseBoolean = (trace: Trace, values: Value[]): Value =>
  elementwise(
    values,
    'bool',
    ([condition, t, e]) =>
      trace.op('Or', [trace.op('And', [condition!, t!]), trace.op('And', [trace.op('Not', [condition!]), e!])]),
    trace,
  )

/** Ops on booleans of numbers: TensorFlow.js compares int32 and float32 alike. */
export const ELEMENTWISE: Record<string, Lowering> = {
  Add: arithmetic('Add', neutral('Add', 0, 0)),
  Sub: arithmetic('Sub', neutral('Sub', 0)),
  Multiply: (trace, inputs, attrs) =>
    (inputs.a!.dtype === 'bool' ? binary('And', 'bool') : neutral('Mul', 1, 1))(trace, inputs, attrs),
  RealDiv: neutral('Div', 1),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Pow: binary('Pow'),
  FloorDiv: floorDivide,
  Mod: modulo,
  Atan2: atan2,
  BitwiseAnd: binary('BitwiseAnd'),
  Prelu: (trace, { x, alpha }) => elementwise([x!, alpha!], x!.dtype, (names) => trace.op('PRelu', names), trace),
  SquaredDifference: (trace, { a, b }) =>
    elementwise(
      [a!, b!],
      a!.dtype,
      (names) => {
        const difference = trace.op('Sub', names)
        return trace.op('Mul', [difference, difference])
      },
      trace,
    ),
  Greater: binary('Greater', 'bool'),
  GreaterEqual: binary('GreaterOrEqual', 'bool'),
  Less: binary('Less', 'bool'),
  LessEqual: binary('LessOrEqual', 'bool'),
  Equal: binary('Equal', 'bool'),
  NotEqual: (trace, { a, b }) =>
    elementwise([a!, b!], 'bool', (names) => trace.op('Not', [trace.op('Equal', names)]), trace),
  LogicalAnd: binary('And', 'bool'),
  LogicalOr: binary('Or', 'bool'),
  LogicalNot: named('Not', 'bool'),
  Select: (trace, { condition, t, e }) =>
    leakyGradient(trace, condition!, t!, e!) ??
    (t!.dtype === 'bool' ? chooseBoolean(trace, [condition!, t!, e!]) : undefined) ??
    elementwise([condition!, t!, e!], t!.dtype, (names) => trace.op('Where', names), trace),
  Cast: (trace, { x }, { dtype }) => {
    const to = dtype as Value['dtype']
    return to === x!.dtype ? x! : elementwise([x!], to, ([name]) => cast(trace, name!, to), trace)
  },
  Identity: (_, { x }) => x!,
  Abs: named('Abs'),
  Acos: named('Acos'),
  Acosh: named('Acosh'),
  Asin: named('Asin'),
  Asinh: named('Asinh'),
  Atan: named('Atan'),
  Atanh: named('Atanh'),
  Ceil: named('Ceil'),
  Cos: named('Cos'),
  Cosh: named('Cosh'),
  Elu: named('Elu'),
  EluGrad: (trace, { dy, y }) =>
    elementwise(
      [dy!, y!],
      'float32',
      ([given, out]) => {
        const slope = trace.op('Add', [trace.op('Min', [out!, trace.scalar(0)]), trace.scalar(1)])
        return trace.op('Mul', [given!, slope])
      },
      trace,
    ),
  Erf: named('Erf'),
  Exp: named('Exp'),
  Floor: named('Floor'),
  IsFinite: unary(
    (trace, name) => trace.op('Not', [trace.op('Or', [trace.op('IsInf', [name]), trace.op('IsNaN', [name])])]),
    'bool',
  ),
  IsInf: named('IsInf', 'bool'),
  IsNan: named('IsNaN', 'bool'),
  Log: named('Log'),
  Neg: named('Neg'),
  Reciprocal: named('Reciprocal'),
  Relu: named('Relu'),
  Round: named('Round'),
  Selu: named('Selu'),
  Sigmoid: named('Sigmoid'),
  Sign: named('Sign'),
  Sin: named('Sin'),
  Sinh: named('Sinh'),
  Softplus: named('Softplus'),
  Sqrt: named('Sqrt'),
  Tan: named('Tan'),
  Tanh: named('Tanh'),
  Relu6: unary((trace, name) => trace.op('Clip', [name, trace.scalar(0), trace.scalar(6)])),
  ClipByValue: unary((trace, name, { clipValueMin, clipValueMax }) =>
    trace.op('Clip', [name, trace.scalar(clipValueMin as number), trace.scalar(clipValueMax as number)]),
  ),
  // tanh(x / 2) · (exp(x) + 1), which keeps its digits near 0.
  Expm1: unary((trace, name) => {
    const half = trace.op('Tanh', [trace.op('Mul', [name, trace.scalar(0.5)])])
    return trace.op('Mul', [half, trace.op('Add', [trace.op('Exp', [name]), trace.scalar(1)])])
  }),
  // log(u) · x / (u − 1) with u = 1 + x as rounded. Source: Kahan, in Goldberg 1991, https://doi.org/10.1145/103162.103163
  Log1p: unary((trace, name) => {
    const one = trace.scalar(1)
    const sum = trace.op('Add', [name, one])
    const ratio = trace.op('Div', [name, trace.op('Sub', [sum, one])])
    const product = trace.op('Mul', [trace.op('Log', [sum]), ratio])
    return trace.op('Where', [trace.op('Equal', [sum, one]), name, product])
  }),
  Rsqrt: unary((trace, name) => trace.op('Reciprocal', [trace.op('Sqrt', [name])])),
  Square: unary((trace, name) => trace.op('Mul', [name, name])),
  LeakyRelu: unary((trace, name, { alpha }) => trace.op('LeakyRelu', [name], { alpha: { float: alpha as number } })),
  Step: unary((trace, name, { alpha }) => {
    const above = trace.op('Greater', [name, trace.scalar(0)])
    return alpha
      ? trace.op('Where', [above, trace.scalar(1), trace.scalar(alpha as number)])
      : cast(trace, above, 'float32')
  }),
  AddN: (trace, inputs) => {
    const values = Object.values(inputs)
    return values.reduce((a, b) => elementwise([a, b], a.dtype, (names) => trace.op('Add', names), trace))
  },
}
