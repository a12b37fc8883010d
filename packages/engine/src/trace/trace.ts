import { createHash } from 'node:crypto'
import { type Attribute, type ElementType, type GraphNode, OnnxGraph } from '../onnx/index.js'

/** What TensorFlow.js knows of a tensor while a function is traced. */
export interface Value {
  shape: readonly number[]
  dtype: 'float32' | 'int32' | 'bool'
  /** Name in the graph, once it has one. */
  name?: string
  /** Shape of the graph's value where it is smaller than `shape` and broadcasts to it. */
  actual?: readonly number[]
  /** Values known while tracing. */
  constant?: ArrayLike<number>
}

const ELEMENT: Record<Value['dtype'], ElementType> = { float32: 'float32', int32: 'int32', bool: 'bool' }

/** The graph that a traced function becomes. The same operation on the same values is recorded once. */
export class Trace {
  readonly graph = new OnnxGraph()

  /** @param portable  Only ONNX's own operators, for other runtimes. */
  constructor(readonly portable = false) {}

  /** Further shapes in which tensors of the state are read, by the name of the graph's input. */
  readonly ports = new Map<string, { state: string; shape: readonly number[] }>()
  readonly #known = new Map<string, readonly string[]>()
  readonly #shapes = new Map<string, readonly number[]>()
  readonly #scalars = new Map<string, number>()
  readonly #producers = new Map<string, GraphNode>()

  op(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute | undefined> = {},
    domain = '',
  ): string {
    return this.ops(op, inputs, 1, attributes, domain)[0]!
  }

  ops(
    op: string,
    inputs: readonly string[],
    count: number,
    attributes: Record<string, Attribute | undefined> = {},
    domain = '',
  ): readonly string[] {
    const key = `${domain}:${op}(${inputs.join()})${count}${JSON.stringify(attributes)}`
    const known = this.#known.get(key)
    if (known) return known
    const outputs = this.graph.ops(op, inputs, count, attributes, domain)
    this.#known.set(key, outputs)
    for (const output of outputs) this.#producers.set(output, this.graph.nodes.at(-1)!)
    return outputs
  }

  /** Notes the shape of a named value. */
  note(value: Value): void {
    if (value.name !== undefined) this.#shapes.set(value.name, value.actual ?? value.shape)
  }

  /** The shape of the graph's value, where it was noted. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.#shapes.get(name)
  }

  /** The node that makes a value, if one does. */
  producer(name: string | undefined): GraphNode | undefined {
    return name === undefined ? undefined : this.#producers.get(name)
  }

  i64(values: readonly number[]): string {
    return this.#once(`i64:${values.join()}`, () => this.graph.i64(values))
  }

  i32(values: Int32Array): string {
    const digest = createHash('sha256').update(new Uint8Array(values.buffer)).digest('base64')
    return this.#once(`i32:${digest}`, () => this.graph.constant('int32', [values.length], values))
  }

  f32(values: Float32Array, shape: readonly number[] = [values.length]): string {
    const digest = createHash('sha256').update(new Uint8Array(values.buffer)).digest('base64')
    return this.#once(`f32:${shape.join()}:${digest}`, () => this.graph.constant('float32', shape, values))
  }

  /** A value seen at another shape; both shapes are noted. */
  reshape(name: string, from: readonly number[], to: readonly number[]): string {
    this.#shapes.set(name, from)
    const reshaped = this.op('Reshape', [name, this.i64(to)])
    this.#shapes.set(reshaped, to)
    return reshaped
  }

  /**
   * The value as a matrix of the same elements in the same order. Of the state it is an input of its own, on the same memory:
   * reshaping an input costs a copy.
   */
  matrix(value: Value, rows: number, columns: number): string {
    const name = this.name(value)
    if (!name.startsWith('state:') || this.ports.has(name)) return this.op('Reshape', [name, this.i64([rows, columns])])
    const port = `${name}@${rows}x${columns}`
    this.ports.set(port, { state: name.slice('state:'.length), shape: [rows, columns] })
    return port
  }

  scalar(value: number, dtype: Value['dtype'] = 'float32'): string {
    return this.#once(`${dtype}:${Object.is(value, -0) ? '-0' : value}`, () => {
      const name = this.graph.constant(ELEMENT[dtype], [], typed(dtype, [value]))
      this.#scalars.set(name, value)
      return name
    })
  }

  /** The number behind a name that `scalar` gave. */
  scalarValue(name: string): number | undefined {
    return this.#scalars.get(name)
  }

  /** The name of the value at its full shape. */
  name(value: Value): string {
    const loose = this.loose(value)
    if (!value.actual || same(value.actual, value.shape)) return loose
    const full = this.op('Expand', [loose, this.i64(value.shape)])
    value.name = full
    value.actual = undefined
    return full
  }

  /** The name of the value, possibly smaller than its shape: for operators that broadcast. */
  loose(value: Value): string {
    if (value.name !== undefined) return value.name
    const constant = value.constant! // A value without a name is one that is known.
    const shape = value.actual ?? value.shape
    value.name =
      shape.length === 0
        ? this.scalar(constant[0]!, value.dtype)
        : this.graph.constant(ELEMENT[value.dtype], shape, typed(value.dtype, constant))
    return value.name
  }

  #once(key: string, make: () => string): string {
    const known = this.#known.get(key)
    if (known) return known[0]!
    const name = make()
    this.#known.set(key, [name])
    return name
  }
}

/** The number that fills the whole value, if it is known to be one number. */
export function uniform(value: Value): number | undefined {
  if (!value.constant || value.constant.length === 0) return undefined
  const first = value.constant[0]!
  if (value.constant.length === 1) return first
  if (value.constant.length > 16) return undefined
  for (let i = 1; i < value.constant.length; i++) if (value.constant[i] !== first) return undefined
  return first
}

/** A value that is one number everywhere. */
export function filled(shape: readonly number[], number: number, dtype: Value['dtype'] = 'float32'): Value {
  return { shape, dtype, actual: [], constant: [number] }
}

export const same = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((v, i) => v === b[i])
export const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

function typed(dtype: Value['dtype'], values: ArrayLike<number>): ArrayBufferView {
  if (dtype === 'float32') return Float32Array.from(values)
  return dtype === 'int32' ? Int32Array.from(values) : Uint8Array.from(values)
}
