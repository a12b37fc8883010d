import { type Attribute, ELEMENT_TYPES, type ElementType, type GraphNode, type OnnxGraph } from '../onnx/index.js'
import { sizeOf } from '../trace/trace.js'

/** Shape and type of a value in a graph. */
export interface TensorType {
  type: ElementType
  shape: readonly number[]
}

/** Bytes of one element. */
const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  ...{ float32: 4, uint8: 1, int8: 1, int32: 4, int64: 8, bool: 1, float16: 2 },
}

/** Bytes of a tensor. */
export const bytesOf = ({ type, shape }: TensorType): number => ELEMENT_BYTES[type] * sizeOf(shape)

/** Shapes and types of all values of a graph whose inputs have fixed shapes; a value is missing that no rule is known for. */
export function shapesOf(graph: Pick<OnnxGraph, 'nodes' | 'constants' | 'inputs'>): Map<string, TensorType> {
  const known = new Map<string, TensorType>()
  for (const [name, { type, shape }] of graph.constants) known.set(name, { type, shape })
  for (const { name, type, shape } of graph.inputs) known.set(name, { type, shape: shape as readonly number[] })
  /** The numbers of a constant vector. */
  const numbers = (name: string | undefined): number[] | undefined => {
    const constant = name ? graph.constants.get(name) : undefined
    if (!constant) return undefined
    const { buffer, byteOffset, byteLength } = constant.data
    const bytes = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
    return constant.type === 'int64'
      ? Array.from(new BigInt64Array(bytes), Number)
      : Array.from(constant.type === 'int32' ? new Int32Array(bytes) : new Float32Array(bytes))
  }
  for (const node of graph.nodes) {
    if (node.inputs.some((name) => name !== '' && !known.has(name))) continue
    const rule = RULES[node.op] ?? elementwise
    const results = rule(
      node.inputs.map((name) => known.get(name)!),
      { node, numbers },
    )
    results?.forEach((result, i) => {
      if (node.outputs[i]) known.set(node.outputs[i], result)
    })
  }
  return known
}

interface Context {
  node: GraphNode
  numbers(name: string | undefined): number[] | undefined
}

type Rule = (inputs: TensorType[], context: Context) => TensorType[] | undefined

const one = (type: ElementType, shape: readonly number[]): TensorType[] => [{ type, shape }]
const typeOf = (inputs: readonly TensorType[]) => inputs[0]!.type

function broadcast(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((shape) => shape[i - rank + shape.length] ?? 1)
    return sizes.find((size) => size !== 1) ?? 1
  })
}

const elementwise: Rule = (inputs) => one(typeOf(inputs), broadcast(inputs.filter(Boolean).map(({ shape }) => shape)))
const comparison: Rule = (inputs) => one('bool', broadcast(inputs.map(({ shape }) => shape)))
const like: Rule = (inputs) => one(typeOf(inputs), inputs[0]!.shape)

const integer = (attribute: Attribute | undefined, otherwise: number) =>
  typeof attribute === 'number' ? attribute : otherwise
const integers = (attribute: Attribute | undefined) => attribute as readonly number[] | undefined
const axisOf = ({ node }: Context, rank: number, otherwise = 0) => {
  const axis = integer(node.attributes.axis, otherwise)
  return axis < 0 ? axis + rank : axis
}
const replaced = (shape: readonly number[], axis: number, size: number) => shape.map((n, i) => (i === axis ? size : n))

const reduction: Rule = (inputs, { node, numbers }) => {
  const { shape } = inputs[0]!
  const axes = (integers(node.attributes.axes) ?? numbers(node.inputs[1]) ?? shape.map((_, i) => i)).map((a) =>
    a < 0 ? a + shape.length : a,
  )
  return one(
    typeOf(inputs),
    integer(node.attributes.keepdims, 1)
      ? shape.map((n, i) => (axes.includes(i) ? 1 : n))
      : shape.filter((_, i) => !axes.includes(i)),
  )
}

const argument: Rule = (inputs, context) => {
  const { shape } = inputs[0]!
  const axis = axisOf(context, shape.length)
  const keep = integer(context.node.attributes.keepdims, 1)
  return one('int64', keep ? replaced(shape, axis, 1) : shape.filter((_, i) => i !== axis))
}

const gemm: Rule = ([a, b], { node: { attributes } }) =>
  one(a!.type, [a!.shape[attributes.transA ? 1 : 0]!, b!.shape[attributes.transB ? 0 : 1]!])

const matMul: Rule = ([a, b], { node: { attributes } }) => {
  const turned = (shape: readonly number[], turn: unknown) =>
    turn ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape
  const [left, right] = [turned(a!.shape, attributes.transA), turned(b!.shape, attributes.transB)]
  return one(a!.type, [...broadcast([left.slice(0, -2), right.slice(0, -2)]), left.at(-2)!, right.at(-1)!])
}

const reshape: Rule = (inputs, { node, numbers }) => {
  const wanted = numbers(node.inputs[1])
  if (!wanted) return undefined
  const from = inputs[0]!.shape
  const sizes = wanted.map((n, i) => (n === 0 ? from[i]! : n))
  const missing = sizeOf(from) / sizeOf(sizes.filter((n) => n !== -1))
  return one(
    typeOf(inputs),
    sizes.map((n) => (n === -1 ? missing : n)),
  )
}

const slice: Rule = (inputs, { node, numbers }) => {
  const shape = [...inputs[0]!.shape]
  const [starts, ends] = [numbers(node.inputs[1]), numbers(node.inputs[2])]
  if (!starts || !ends) return undefined
  const axes = numbers(node.inputs[3]) ?? starts.map((_, i) => i)
  const steps = numbers(node.inputs[4]) ?? starts.map(() => 1)
  axes.forEach((given, i) => {
    const axis = given < 0 ? given + shape.length : given
    const size = shape[axis]!
    const step = steps[i]!
    const place = (at: number) => (at < 0 ? at + size : at)
    const within = (at: number, low: number, high: number) => Math.min(Math.max(at, low), high)
    const [from, to] =
      step > 0
        ? [within(place(starts[i]!), 0, size), within(place(ends[i]!), 0, size)]
        : [within(place(starts[i]!), 0, size - 1), within(place(ends[i]!), -1, size - 1)]
    shape[axis] = Math.max(0, Math.ceil((to - from) / step))
  })
  return one(typeOf(inputs), shape)
}

const pad: Rule = (inputs, { node, numbers }) => {
  const pads = numbers(node.inputs[1])
  const { shape } = inputs[0]!
  return (
    pads &&
    one(
      typeOf(inputs),
      shape.map((n, i) => n + pads[i]! + pads[i + shape.length]!),
    )
  )
}

/** Convolutions and pools, channels first. */
const sliding =
  (channels: (inputs: TensorType[], group: number) => number, turned = false): Rule =>
  (inputs, { node: { attributes } }) => {
    const { shape } = inputs[0]!
    const kernel = integers(attributes.kernel_shape) ?? inputs[1]!.shape.slice(2)
    const at = (name: string, i: number, otherwise: number) => integers(attributes[name])?.[i] ?? otherwise
    const sides = shape.slice(2).map((n, i) => {
      const reach = at('dilations', i, 1) * (kernel[i]! - 1) + 1
      const padding = at('pads', i, 0) + at('pads', i + kernel.length, 0)
      const stride = at('strides', i, 1)
      const room = (n + padding - reach) / stride
      return turned
        ? (integers(attributes.output_shape)?.[i] ?? stride * (n - 1) + at('output_padding', i, 0) + reach - padding)
        : (attributes.ceil_mode ? Math.ceil(room) : Math.floor(room)) + 1
    })
    return one(typeOf(inputs), [shape[0]!, channels(inputs, integer(attributes.group, 1)), ...sides])
  }

const pool = sliding((inputs) => inputs[0]!.shape[1]!)

/** Rules of the operators that do not work element by element. */
const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or', 'Not', 'IsNaN', 'IsInf'].map((op) => [
      op,
      comparison,
    ]),
  ),
  ...Object.fromEntries(
    ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL2', 'ReduceSumSquare'].map((op) => [
      op,
      reduction,
    ]),
  ),
  ...Object.fromEntries(
    ['Clip', 'Softmax', 'CumSum', 'LeakyRelu', 'ScatterElements', 'ScatterND', 'Identity'].map((op) => [op, like]),
  ),
  Cast: (inputs, { node }) =>
    one(
      (Object.keys(ELEMENT_TYPES) as ElementType[]).find((name) => ELEMENT_TYPES[name] === node.attributes.to)!,
      inputs[0]!.shape,
    ),
  Where: ([condition, t, e]) => one(t!.type, broadcast([condition!.shape, t!.shape, e!.shape])),
  ArgMax: argument,
  ArgMin: argument,
  Gemm: gemm,
  FusedGemm: gemm,
  MatMul: matMul,
  FusedMatMul: matMul,
  Reshape: reshape,
  Slice: slice,
  Pad: pad,
  Expand: (inputs, { node, numbers }) => {
    const wanted = numbers(node.inputs[1])
    return wanted && one(typeOf(inputs), broadcast([inputs[0]!.shape, wanted]))
  },
  Tile: (inputs, { node, numbers }) => {
    const times = numbers(node.inputs[1])
    return (
      times &&
      one(
        typeOf(inputs),
        inputs[0]!.shape.map((n, i) => n * times[i]!),
      )
    )
  },
  Transpose: (inputs, { node }) => {
    const { shape } = inputs[0]!
    const order = integers(node.attributes.perm) ?? shape.map((_, i) => shape.length - 1 - i)
    return one(
      typeOf(inputs),
      order.map((i) => shape[i]!),
    )
  },
  Concat: (inputs, context) => {
    const { shape } = inputs[0]!
    const axis = axisOf(context, shape.length)
    return one(
      typeOf(inputs),
      replaced(
        shape,
        axis,
        inputs.reduce((sum, input) => sum + input.shape[axis]!, 0),
      ),
    )
  },
  Split: (inputs, context) => {
    const { shape } = inputs[0]!
    const axis = axisOf(context, shape.length)
    const { node } = context
    const sizes = context.numbers(node.inputs[1]) ?? node.outputs.map(() => shape[axis]! / node.outputs.length)
    return sizes.map((size) => ({ type: typeOf(inputs), shape: replaced(shape, axis, size) }))
  },
  Gather: (inputs, context) => {
    const { shape } = inputs[0]!
    const axis = axisOf(context, shape.length)
    return one(typeOf(inputs), [...shape.slice(0, axis), ...inputs[1]!.shape, ...shape.slice(axis + 1)])
  },
  GatherElements: (inputs) => one(typeOf(inputs), inputs[1]!.shape),
  GatherND: (inputs) => {
    const { shape } = inputs[1]!
    return one(typeOf(inputs), [...shape.slice(0, -1), ...inputs[0]!.shape.slice(shape.at(-1)!)])
  },
  TopK: (inputs, context) => {
    const { shape } = inputs[0]!
    const count = context.numbers(context.node.inputs[1])?.[0]
    if (count === undefined) return undefined
    const result = replaced(shape, axisOf(context, shape.length, -1), count)
    return [
      { type: typeOf(inputs), shape: result },
      { type: 'int64', shape: result },
    ]
  },
  Einsum: (inputs, { node }) => {
    const [terms, result] = String(node.attributes.equation).replaceAll(' ', '').split('->') as [string, string]
    const sizes = new Map<string, number>()
    terms.split(',').forEach((term, i) => {
      for (const [at, letter] of [...term].entries()) sizes.set(letter, inputs[i]!.shape[at]!)
    })
    return one(
      typeOf(inputs),
      [...result].map((letter) => sizes.get(letter)!),
    )
  },
  Conv: sliding(([, weights]) => weights!.shape[0]!),
  FusedConv: sliding(([, weights]) => weights!.shape[0]!),
  ConvTranspose: sliding(([, weights], group) => weights!.shape[1]! * group, true),
  MaxPool: pool,
  AveragePool: pool,
}
