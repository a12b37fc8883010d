import { DflError } from '@dfl/core'
import { sizeOf } from './trace/trace.js'

/** Values that live from step to step: parameters, optimiser moments, counters. float32 in row-major order. */
export interface StateTensor {
  data: Float32Array<ArrayBuffer>
  shape: readonly number[]
}

/**
 * Named float32 tensors that compiled functions read and replace.
 *
 * Every tensor has two buffers: a step reads one and writes the other, and only a step that succeeded swaps them. So a
 * failing or cancelled step changes nothing.
 */
export class State {
  readonly #tensors = new Map<string, { current: StateTensor; spare?: StateTensor }>()

  constructor(tensors: Readonly<Record<string, { data: ArrayLike<number>; shape: readonly number[] }>> = {}) {
    for (const [name, tensor] of Object.entries(tensors)) this.set(name, tensor)
  }

  get names(): string[] {
    return [...this.#tensors.keys()]
  }

  has(name: string): boolean {
    return this.#tensors.has(name)
  }

  /** The tensor itself, not a copy: it is overwritten by the step after next. */
  get(name: string): StateTensor {
    const entry = this.#tensors.get(name)
    if (!entry)
      throw new DflError(
        'UNKNOWN_NAME',
        `Expected a tensor of the state for \`${name}\`, but there is none. It holds ${this.#tensors.size} tensors: ${this.names.slice(0, 5).join(', ')} …`,
      )
    return entry.current
  }

  /** Adds or replaces a tensor; the values are copied. */
  set(name: string, tensor: { data: ArrayLike<number>; shape: readonly number[] }): void {
    if (tensor.data.length !== sizeOf(tensor.shape))
      throw new DflError(
        'BAD_SHAPE',
        `Expected ${sizeOf(tensor.shape)} values for \`${name}\` of shape [${tensor.shape}], but got ${tensor.data.length}.`,
      )
    this.#tensors.set(name, { current: { data: Float32Array.from(tensor.data), shape: [...tensor.shape] } })
  }

  /** Copies of all tensors whose name passes `filter`. */
  snapshot(filter: (name: string) => boolean = () => true): Record<string, StateTensor> {
    const out: Record<string, StateTensor> = {}
    for (const [name, { current }] of this.#tensors)
      if (filter(name)) out[name] = { data: current.data.slice(), shape: current.shape }
    return out
  }

  /** The buffer that a step may write the next value of a tensor into. */
  spare(name: string): StateTensor {
    const entry = this.#tensors.get(name)!
    entry.spare ??= { data: new Float32Array(entry.current.data.length), shape: entry.current.shape }
    return entry.spare
  }

  /** Makes the written spare buffers of the named tensors the current ones. */
  advance(names: Iterable<string>): void {
    for (const name of names) {
      const entry = this.#tensors.get(name)!
      const old = entry.current
      entry.current = entry.spare!
      entry.spare = old
    }
  }
}
