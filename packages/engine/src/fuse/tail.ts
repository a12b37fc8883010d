import { same, sizeOf, type Trace, type Value } from '../trace/trace.js'
import { isSimdOp, type SimdKernel, type SimdValue } from './simd.js'

/** Where a pointer of a fused kernel leads: to a tensor of the state, or to what the graph leaves for it. */
export type TailPointer = { state: string } | { leaf: string }

/** The last elementwise operations before some tensors of the state are replaced. */
export interface TailGroup {
  kernel: SimdKernel
  pointers: readonly TailPointer[]
  /** Names of the graph's scalar inputs, in the order of the kernel's arguments. */
  arguments: readonly string[]
  /** Values in each array. */
  length: number
}

/**
 * Splits off what a step does to its state at the very end, element by element: an optimiser.
 *
 * As nodes of a graph every operation is a pass over memory; as one kernel all of them are one pass, in place. Tensors of
 * the state that read one another fall into one group (a parameter and its moments), and a group is split off only if
 * all of it can be: same shapes, operations that the kernel has, no reader elsewhere in the tail.
 *
 * @param next  The new values, by name in the state.
 * @returns The groups, and the names in `next` that stay in the graph.
 */
export function splitTail(
  trace: Trace,
  next: Readonly<Record<string, Value>>,
  stateShapes: Readonly<Record<string, readonly number[]>>,
): { groups: TailGroup[]; rest: string[] } {
  const members = new Map<string, Set<string>>() // State tensor → all that must be computed together.
  const reads = new Map<string, ReadonlySet<string>>()
  for (const [name, value] of Object.entries(next)) {
    const chain = new Chain(trace, stateShapes[name]!, stateShapes)
    chain.add(trace.name(value))
    reads.set(name, chain.states)
    const together = new Set([name])
    for (const state of chain.states)
      if (state in next) for (const other of members.get(state) ?? [state]) together.add(other)
    for (const other of members.get(name) ?? []) together.add(other)
    for (const other of together) members.set(other, together)
  }
  const groups: TailGroup[] = []
  const rest: string[] = []
  for (const together of new Set(members.values())) {
    const names = [...together]
    const shape = stateShapes[names[0]!]!
    const chain = new Chain(trace, shape, stateShapes)
    const values = names.map((name) =>
      same(stateShapes[name]!, shape) ? chain.add(trace.name(next[name]!)) : undefined,
    )
    if (values.some((value) => value === undefined || !chain.isArray(value))) rest.push(...names)
    else groups.push(chain.group(names, values as number[]))
  }
  return { groups, rest }
}

/** A chain of operations in the making. */
class Chain {
  readonly states = new Set<string>()
  readonly #values: SimdValue[] = []
  readonly #known = new Map<string, number>()
  readonly #pointers: TailPointer[] = []
  readonly #arguments: string[] = []

  constructor(
    private readonly trace: Trace,
    private readonly shape: readonly number[],
    private readonly stateShapes: Readonly<Record<string, readonly number[]>>,
  ) {}

  /** Index of the value that computes `name`; undefined where it does not have the chain's shape. */
  add(name: string): number | undefined {
    const source = this.#unshaped(name)
    const known = this.#known.get(source)
    if (known !== undefined) return known
    const value = this.#make(source, source !== name)
    if (value === undefined) return undefined
    const index = this.#values.push(value) - 1
    this.#known.set(source, index)
    return index
  }

  isArray(index: number): boolean {
    const value = this.#values[index]!
    return value.kind === 'array' || (value.kind === 'op' && value.operands.some((operand) => this.isArray(operand)))
  }

  group(names: readonly string[], values: readonly number[]): TailGroup {
    const pointers = [...this.#pointers]
    const stores = names.map((state, i) => {
      let pointer = pointers.findIndex((p) => 'state' in p && p.state === state)
      if (pointer < 0) pointer = pointers.push({ state }) - 1
      return { pointer, value: values[i]! }
    })
    const kernel: SimdKernel = {
      pointers: pointers.length,
      arguments: this.#arguments.length,
      values: this.#values,
      stores,
    }
    return { kernel, pointers, arguments: this.#arguments, length: sizeOf(this.shape) }
  }

  /** The value that holds the elements of `name` in the same order, before they were given the chain's shape. */
  #unshaped(name: string): string {
    if (!same(this.trace.shapeOf(name) ?? [], this.shape)) return name
    let source = name
    for (let node = this.trace.producer(source); node?.op === 'Reshape'; node = this.trace.producer(source)) {
      const inner = node.inputs[0]!
      if (!inner.startsWith('state:') && !this.trace.shapeOf(inner)) break
      source = inner
    }
    return source
  }

  #make(name: string, reshaped: boolean): SimdValue | undefined {
    const number = this.trace.scalarValue(name)
    if (number !== undefined) return { kind: 'constant', value: number }
    const node = this.trace.producer(name)
    if (!reshaped && node && node.domain === '' && isSimdOp(node.op)) {
      const operands = node.inputs.map((input) => this.add(input))
      if (operands.every((operand) => operand !== undefined))
        return { kind: 'op', op: node.op, operands: operands as number[] }
    }
    if (name.startsWith('input:') && this.trace.shapeOf(name)?.length === 0)
      return { kind: 'argument', index: this.#arguments.push(name) - 1 }
    const named = name.startsWith('state:') ? name.slice('state:'.length) : undefined
    const state = this.trace.ports.get(name)?.state ?? named
    const shape = state === undefined ? this.trace.shapeOf(name) : this.stateShapes[state]
    if (!shape || !(reshaped ? sizeOf(shape) === sizeOf(this.shape) : same(shape, this.shape))) return undefined
    if (state !== undefined) this.states.add(state)
    return { kind: 'array', pointer: this.#pointers.push(state === undefined ? { leaf: name } : { state }) - 1 }
  }
}
