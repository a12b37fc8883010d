import { tf } from '../tf.js'
import { same, type Trace, uniform, type Value } from '../trace/trace.js'
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
    name: emit(values.map((v) => trace.loose(v))),
  }
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
 * three passes over memory that use vector instructions, where ONNX Runtime's Where does not.
 */
function leakyGradient(trace: Trace, condition: Value, t: Value, e: Value): Value | undefined {
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

/** Ops on booleans of numbers: TensorFlow.js compares int32 and float32 alike. */
export const ELEMENTWISE: Record<string, Lowering> = {
  Add: neutral('Add', 0, 0),
  Sub: neutral('Sub', 0),
  Multiply: neutral('Mul', 1, 1),
  RealDiv: neutral('Div', 1),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Pow: binary('Pow'),
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
    elementwise([condition!, t!, e!], t!.dtype, (names) => trace.op('Where', names), trace),
  Cast: (trace, { x }, { dtype }) => {
    const to = dtype as Value['dtype']
    return to === x!.dtype ? x! : elementwise([x!], to, ([name]) => cast(trace, name!, to), trace)
  },
  Identity: (_, { x }) => x!,
  Abs: named('Abs'),
  Ceil: named('Ceil'),
  Cos: named('Cos'),
  Elu: named('Elu'),
  Exp: named('Exp'),
  Floor: named('Floor'),
  Log: named('Log'),
  Neg: named('Neg'),
  Reciprocal: named('Reciprocal'),
  Relu: named('Relu'),
  Round: named('Round'),
  Sigmoid: named('Sigmoid'),
  Sign: named('Sign'),
  Sin: named('Sin'),
  Softplus: named('Softplus'),
  Sqrt: named('Sqrt'),
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
