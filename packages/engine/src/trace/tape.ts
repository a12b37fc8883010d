import type { tf } from '../tf.js'
import { sizeOf, type Value } from './trace.js'

/** What a kernel of TensorFlow.js is given: tensors by name, or a list of them, each by its number in the program. */
export type CallInputs = Readonly<Record<string, number>> | readonly number[]

/** One call of a kernel. */
export interface Call {
  kernel: string
  inputs: CallInputs
  attributes: Readonly<Record<string, unknown>>
  /** Numbers of what it gives. */
  outputs: readonly number[]
  /** Numbers of what nothing reads after it. */
  last: readonly number[]
}

/** The kernels that a function calls, one after another: each once, and only those that a result needs. */
export interface Program {
  calls: readonly Call[]
  /** What goes in, as `state:…` and `input:…`. */
  given: readonly { id: number; name: string; value: Value }[]
  /** What was known when the function was recorded. */
  constants: readonly { id: number; value: Value }[]
  /** What comes out, as `output:…` and `next:…`, by name. */
  results: Readonly<Record<string, number>>
  /** Bytes of values between calls, when most of them are needed; new values of the state are left out. */
  peakBytes: number
}

/** Notes the kernels that a function calls while it is recorded, so that another backend can call them again. */
export class Tape {
  readonly #ids = new Map<object, number>()
  readonly #values: Value[] = []
  readonly #made = new Set<number>()
  readonly #calls: Omit<Call, 'last'>[] = []
  readonly #known = new Map<string, readonly number[]>()

  /** @param lookUp  What is known of a tensor that the calls did not make. */
  constructor(private readonly lookUp: (tensor: tf.TensorInfo) => Value) {}

  /**
   * Notes a call. The same kernel on the same tensors is noted once: losses that ask for the same painted face share it.
   *
   * @param inputs  Tensors by name, some of which may be missing, or a list.
   */
  call(
    kernel: string,
    { inputs, attributes, outputs }: { inputs: object; attributes: object; outputs: readonly tf.TensorInfo[] },
  ): void {
    const given = Object.entries(inputs).flatMap(([name, tensor]) =>
      tensor ? [[name, this.#idOf(tensor as tf.TensorInfo)] as const] : [],
    )
    const key = `${kernel}(${given.join()})${JSON.stringify(attributes, exactly)}`
    const known = this.#known.get(key)
    if (known) {
      outputs.forEach(({ dataId }, i) => {
        this.#ids.set(dataId, known[i]!)
      })
      return
    }
    const ids = outputs.map(({ dataId, shape, dtype }) => this.#add(dataId, { shape, dtype: dtype as Value['dtype'] }))
    for (const id of ids) this.#made.add(id)
    this.#known.set(key, ids)
    this.#calls.push({
      kernel,
      inputs: Array.isArray(inputs) ? given.map(([, id]) => id) : Object.fromEntries(given),
      // A copy, as the function may change what it gave, a list of paddings for instance.
      attributes: structuredClone(attributes) as Call['attributes'],
      outputs: ids,
    })
  }

  /** The calls that lead to these results. */
  program(tensors: Readonly<Record<string, tf.TensorInfo>>): Program {
    const results = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, this.#idOf(tensor)]))
    const needed = new Set(Object.values(results))
    const calls: Omit<Call, 'last'>[] = []
    for (const call of this.#calls.toReversed()) {
      if (!call.outputs.some((id) => needed.has(id))) continue
      calls.push(call)
      for (const id of Object.values(call.inputs)) needed.add(id)
    }
    calls.reverse()
    const lastCall = new Map<number, number>()
    calls.forEach(({ inputs, outputs }, i) => {
      for (const id of [...Object.values(inputs), ...outputs]) if (this.#made.has(id)) lastCall.set(id, i)
    })
    for (const id of Object.values(results)) lastCall.delete(id)
    const last = calls.map((): number[] => [])
    for (const [id, i] of lastCall) last[i]!.push(id)
    const from = [...needed].filter((id) => !this.#made.has(id)).map((id) => ({ id, value: this.#values[id]! }))
    const program = {
      calls: calls.map((call, i) => ({ ...call, last: last[i]! })),
      given: from.flatMap(({ id, value }) => (value.constant ? [] : [{ id, value, name: value.name! }])),
      constants: from.filter(({ value }) => value.constant),
      results,
    }
    return { ...program, peakBytes: this.#peakBytes(program) }
  }

  #peakBytes({ calls, results }: Omit<Program, 'peakBytes'>): number {
    const left = new Set(Object.entries(results).flatMap(([name, id]) => (name.startsWith('next:') ? [id] : [])))
    const owners = new Map<number, number>()
    const owner = (id: number) => owners.get(id) ?? id
    const readers = new Map<number, number>()
    let live = 0
    let most = 0
    for (const { kernel, inputs, outputs, last } of calls) {
      for (const id of outputs) {
        if (VIEWS.has(kernel)) owners.set(id, owner(Object.values(inputs)[0]!))
        const holder = owner(id)
        if (!this.#made.has(holder) || left.has(holder)) continue
        const before = readers.get(holder) ?? 0
        if (before === 0) live += bytesOf(this.#values[holder]!)
        readers.set(holder, before + 1)
      }
      most = Math.max(most, live)
      for (const holder of last.map(owner)) {
        const before = readers.get(holder)
        if (!before) continue
        readers.set(holder, before - 1)
        if (before === 1) live -= bytesOf(this.#values[holder]!)
      }
    }
    return most
  }

  #idOf(tensor: tf.TensorInfo): number {
    const known = this.#ids.get(tensor.dataId)
    if (known !== undefined) return known
    // No call made it: it goes in, or it is a constant. Small constants are one where their values are the same.
    const value = this.lookUp(tensor)
    const { constant, dtype, shape } = value
    if (!constant || constant.length > 16) return this.#add(tensor.dataId, value)
    const key = `${dtype}[${shape}]${JSON.stringify(Array.from(constant), exactly)}`
    const [id] = this.#known.get(key) ?? [this.#add(tensor.dataId, value)]
    this.#known.set(key, [id!])
    this.#ids.set(tensor.dataId, id!)
    return id!
  }

  #add(dataId: object, value: Value): number {
    const id = this.#values.push(value) - 1
    this.#ids.set(dataId, id)
    return id
  }
}

/** Kernels whose result is what they are given, in the same memory. */
const VIEWS: ReadonlySet<string> = new Set(['Reshape', 'Identity', 'ExpandDims'])

const bytesOf = ({ shape, dtype }: Value) => sizeOf(shape) * (dtype === 'bool' ? 1 : 4)

/** Numbers that JSON does not tell apart. */
const exactly = (_: string, value: unknown) =>
  typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
    ? `${Object.is(value, -0) ? '-0' : value}`
    : value
