import { irVersion } from './opset.js'
import { ProtoWriter } from './protobuf.js'

/** Element types that graphs of this engine use, by their ONNX number. */
export const ELEMENT_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const

/** The name of an element type. */
export type ElementType = keyof typeof ELEMENT_TYPES

/** Integers as numbers and number arrays, floats marked as such: `{ float: 0.1 }`, `{ floats: [1, 2] }`. */
export type Attribute = number | string | readonly number[] | { float: number } | { floats: readonly number[] }

/** One operator with the names of what it reads and writes. */
export interface GraphNode {
  op: string
  /** Operator set; '' is ONNX's own, 'com.microsoft' holds ONNX Runtime's extensions. */
  domain: string
  /** Names of values; '' leaves an optional input out. */
  inputs: string[]
  outputs: string[]
  attributes: Record<string, Attribute | undefined>
}

/** Values that are part of the file. */
export interface GraphConstant {
  type: ElementType
  shape: readonly number[]
  /** Little-endian bytes in row-major order. */
  data: Uint8Array
}

/** An input or output of the whole graph. */
export interface GraphPort {
  name: string
  type: ElementType
  /** Undefined where the size is free. */
  shape: readonly (number | undefined)[]
}

/** The operator sets that written files ask for. */
const OPSETS = { '': 20, 'com.microsoft': 1, 'com.microsoft.nchwc': 1 } as const

/** An ONNX graph under construction: nodes in order, constants by name, named inputs and outputs. */
export class OnnxGraph {
  nodes: GraphNode[] = []
  readonly constants = new Map<string, GraphConstant>()
  readonly inputs: GraphPort[] = []
  readonly outputs: GraphPort[] = []
  readonly #renamed = new Map<string, string>()
  #counter = 0

  /** A value name that nothing else in this graph has. */
  unique(prefix = 't'): string {
    return `${prefix}_${this.#counter++}`
  }

  /** Adds a node with one output and gives that output's name. */
  op(op: string, inputs: readonly string[], attributes: GraphNode['attributes'] = {}, domain = ''): string {
    return this.ops(op, inputs, 1, attributes, domain)[0]!
  }

  /** Adds a node with several outputs and gives their names. */
  ops(
    op: string,
    inputs: readonly string[],
    outputCount: number,
    attributes: GraphNode['attributes'] = {},
    domain = '',
  ): string[] {
    const outputs = Array.from({ length: outputCount }, () => this.unique(op.toLowerCase()))
    this.nodes.push({ op, domain, inputs: inputs.map((name) => this.#renamed.get(name) ?? name), outputs, attributes })
    return outputs
  }

  input(name: string, type: ElementType, shape: GraphPort['shape']): string {
    this.inputs.push({ name, type, shape })
    return name
  }

  /**
   * Makes the value `from` the graph's output called `name`.
   *
   * The value is renamed where a node makes it, so that ONNX Runtime writes it into the caller's buffer without a copy;
   * inputs, constants and values that are an output already are copied.
   */
  output(name: string, type: ElementType, shape: GraphPort['shape'], from = name): void {
    const source = this.#renamed.get(from) ?? from
    const taken = this.outputs.some((port) => port.name === source)
    this.outputs.push({ name, type, shape })
    if (source === name) return
    const maker = taken ? undefined : this.nodes.find((node) => node.outputs.includes(source))
    if (!maker) {
      this.nodes.push({ op: 'Identity', domain: '', inputs: [source], outputs: [name], attributes: {} })
      return
    }
    this.#renamed.set(from, name)
    maker.outputs = maker.outputs.map((output) => (output === source ? name : output))
    for (const node of this.nodes) node.inputs = node.inputs.map((input) => (input === source ? name : input))
  }

  /** A float32 constant of the given shape, a scalar if none is given. */
  f32(values: Float32Array | readonly number[], shape: readonly number[] = []): string {
    return this.constant('float32', shape, values instanceof Float32Array ? values : Float32Array.from(values))
  }

  /** An int64 constant, a vector if no shape is given. Shapes, axes and pads of ONNX operators are of this type. */
  i64(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.constant(
      'int64',
      shape,
      BigInt64Array.from(values, (v) => BigInt(v)),
    )
  }

  constant(type: ElementType, shape: readonly number[], values: ArrayBufferView): string {
    const name = this.unique('c')
    this.constants.set(name, { type, shape, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) })
    return name
  }

  /** Drops nodes and constants that no output needs. */
  prune(): void {
    const needed = new Set(this.outputs.map((port) => port.name))
    const kept: GraphNode[] = []
    for (const node of [...this.nodes].reverse()) {
      if (!node.outputs.some((name) => needed.has(name))) continue
      kept.push(node)
      for (const name of node.inputs) needed.add(name)
    }
    this.nodes = kept.reverse()
    for (const name of this.constants.keys()) if (!needed.has(name)) this.constants.delete(name)
  }

  /** The graph as the bytes of an ONNX file; `opset` only says so, see `forOpset`. */
  build(name = 'dfl', opset: number = OPSETS['']): Uint8Array {
    const graph = new ProtoWriter()
    for (const node of this.nodes) graph.message(1, nodeProto(node))
    graph.string(2, name)
    for (const [constantName, constant] of this.constants) graph.message(5, tensorProto(constantName, constant))
    for (const port of this.inputs) graph.message(11, valueInfoProto(port))
    for (const port of this.outputs) graph.message(12, valueInfoProto(port))
    const model = new ProtoWriter().int(1, irVersion(opset)).string(2, 'dfl').message(7, graph)
    const domains = new Set(['', ...this.nodes.map((node) => node.domain)])
    for (const domain of domains)
      model.message(
        8,
        new ProtoWriter().string(1, domain).int(2, domain ? (OPSETS[domain as keyof typeof OPSETS] ?? 1) : opset),
      )
    return model.finish()
  }
}

// Field numbers below: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

function nodeProto(node: GraphNode): ProtoWriter {
  const out = new ProtoWriter()
  for (const input of node.inputs) out.string(1, input)
  for (const output of node.outputs) out.string(2, output)
  out.string(3, node.outputs[0]!).string(4, node.op)
  for (const [name, value] of Object.entries(node.attributes))
    if (value !== undefined) out.message(5, attributeProto(name, value))
  if (node.domain) out.string(7, node.domain)
  return out
}

function attributeProto(name: string, value: Attribute): ProtoWriter {
  const out = new ProtoWriter().string(1, name)
  if (typeof value === 'number') return out.int(3, value).int(20, 2)
  if (typeof value === 'string') return out.string(4, value).int(20, 3)
  if ('float' in value) return out.float(2, value.float).int(20, 1)
  if ('floats' in value) {
    for (const v of value.floats) out.float(7, v)
    return out.int(20, 6)
  }
  for (const v of value) out.int(8, v)
  return out.int(20, 7)
}

function tensorProto(name: string, constant: GraphConstant): ProtoWriter {
  const out = new ProtoWriter()
  for (const size of constant.shape) out.int(1, size)
  return out.int(2, ELEMENT_TYPES[constant.type]).string(8, name).bytes(9, constant.data)
}

function valueInfoProto(port: GraphPort): ProtoWriter {
  const shape = new ProtoWriter()
  for (const size of port.shape)
    shape.message(1, size === undefined ? new ProtoWriter() : new ProtoWriter().int(1, size))
  const tensor = new ProtoWriter().int(1, ELEMENT_TYPES[port.type]).message(2, shape)
  return new ProtoWriter().string(1, port.name).message(2, new ProtoWriter().message(1, tensor))
}
