import { DflError } from '@dfl/core'
import type { Device } from './devices/device.js'
import { sizeOf } from './trace/trace.js'

/** Values that live from step to step: parameters, optimiser moments, counters. float32 in row-major order. */
export interface StateTensor {
  data: Float32Array<ArrayBuffer>
  shape: readonly number[]
}

/** Values of one tensor of a state on a device. */
export interface Resident {
  readonly device: Device
  /** Whether the device holds newer values than the state's memory. */
  newer: boolean
  download(): Promise<Float32Array>
  dispose(): void
}

const PAGE = 65536
const LIMIT_PAGES = 65536

interface Region {
  address: number
  length: number
}

/**
 * Named float32 tensors that compiled functions read and replace.
 *
 * After a function compiled for `webgpu` or `tensorflow` has replaced tensors, only the device holds their values: `await
 * download()` brings them back before they are read here. Compiled functions do so by themselves.
 *
 * All of them lie in one WebAssembly memory, where both ONNX Runtime and the engine's own kernels work on them without a
 * copy. It holds 4 GiB: some 350 million parameters with the two moments of an optimiser and a gradient is too much for
 * it, 250 million are not.
 */
export class State {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: LIMIT_PAGES })
  readonly #tensors = new Map<string, Region & { shape: readonly number[] }>()
  readonly #scratch = new Map<string, Region>()
  readonly #residents = new Map<string, Resident>()
  #used = 16

  constructor(tensors: Readonly<Record<string, { data: ArrayLike<number>; shape: readonly number[] }>> = {}) {
    const values = Object.entries(tensors)
    this.#reserve(values.reduce((sum, [, { shape }]) => sum + padded(4 * sizeOf(shape)), 0))
    for (const [name, tensor] of values) this.set(name, tensor)
  }

  get names(): string[] {
    return [...this.#tensors.keys()]
  }

  has(name: string): boolean {
    return this.#tensors.has(name)
  }

  /** The shape of a tensor, wherever its values are. */
  shapeOf(name: string): readonly number[] {
    return this.#region(name).shape
  }

  /**
   * The tensor itself, not a copy. Take it anew after every `set`: memory that grows moves.
   *
   * @throws DflError `BAD_STATE` where a device holds newer values: see `download`.
   */
  get(name: string): StateTensor {
    const { address, length, shape } = this.#present(name)
    return { data: new Float32Array(this.memory.buffer, address, length), shape }
  }

  /** Adds or replaces a tensor; the values are copied. */
  set(name: string, tensor: { data: ArrayLike<number>; shape: readonly number[] }): void {
    const length = sizeOf(tensor.shape)
    if (tensor.data.length !== length)
      throw new DflError(
        'BAD_SHAPE',
        `Expected ${length} values for \`${name}\` of shape [${tensor.shape}], but got ${tensor.data.length}.`,
      )
    const known = this.#tensors.get(name)
    const address = known?.length === length ? known.address : this.#allocate(length)
    this.#forget(name)
    this.#tensors.set(name, { address, length, shape: [...tensor.shape] })
    new Float32Array(this.memory.buffer, address, length).set(tensor.data)
  }

  /** Copies of all tensors whose name passes `filter`. */
  snapshot(filter: (name: string) => boolean = () => true): Record<string, StateTensor> {
    const out: Record<string, StateTensor> = {}
    for (const name of this.names.filter(filter)) {
      const { data, shape } = this.get(name)
      out[name] = { data: data.slice(), shape }
    }
    return out
  }

  /** Where a tensor lies in `memory`, in bytes, a multiple of 16. */
  address(name: string): number {
    return this.#present(name).address
  }

  /**
   * Brings back what devices hold, so that it can be read here. They get it anew when they run again.
   *
   * @param names  Of what is wanted; all of it by default.
   */
  async download(names: Iterable<string> = this.names): Promise<void> {
    for (const name of names) {
      const resident = this.#residents.get(name)
      if (!resident?.newer) continue
      const data = await resident.download()
      if (this.#residents.get(name) !== resident) continue // replaced meanwhile
      const { address, length } = this.#region(name)
      new Float32Array(this.memory.buffer, address, length).set(data)
      this.#forget(name)
    }
  }

  /** What a device holds of a tensor. */
  resident(name: string): Resident | undefined {
    return this.#residents.get(name)
  }

  /** Notes that a device holds the values of a tensor; what was noted before is disposed of. */
  place(name: string, resident: Resident): void {
    this.#forget(name)
    this.#residents.set(name, resident)
  }

  /** Takes everything off devices. */
  async withdraw(): Promise<void> {
    await this.download()
    for (const name of [...this.#residents.keys()]) this.#forget(name)
  }

  /** Memory beside the tensors that keeps its place between calls; its contents are the caller's business. */
  scratch(key: string, length: number): Region {
    const known = `${key}:${length}` // Functions that take turns on one state use the same names for other sizes.
    let region = this.#scratch.get(known)
    if (!region) {
      region = { address: this.#allocate(length), length }
      this.#scratch.set(known, region)
    }
    return region
  }

  #region(name: string) {
    const region = this.#tensors.get(name)
    if (!region)
      throw new DflError(
        'UNKNOWN_NAME',
        `Expected a tensor of the state for \`${name}\`, but there is none. It holds ${this.#tensors.size} tensors: ${this.names.slice(0, 5).join(', ')} …`,
      )
    return region
  }

  /** A tensor whose values lie here. A device's copy of them is given up: the caller may write. */
  #present(name: string) {
    const region = this.#region(name)
    if (this.#residents.get(name)?.newer)
      throw new DflError(
        'BAD_STATE',
        `Expected the values of \`${name}\` in the state's own memory, but a device holds newer ones. Call \`await state.download()\` first.`,
      )
    this.#forget(name)
    return region
  }

  #forget(name: string): void {
    this.#residents.get(name)?.dispose()
    this.#residents.delete(name)
  }

  #allocate(length: number): number {
    const bytes = padded(4 * length)
    this.#reserve(bytes)
    const address = this.#used
    this.#used += bytes
    return address
  }

  #reserve(bytes: number): void {
    const missing = Math.ceil((this.#used + bytes) / PAGE) - this.memory.buffer.byteLength / PAGE
    if (missing <= 0) return
    try {
      this.memory.grow(missing)
    } catch (cause) {
      const gigabytes = ((this.#used + bytes) / 2 ** 30).toFixed(1)
      throw new DflError(
        'BAD_STATE',
        `Expected a state of at most 4 GiB that fits into free memory, but it would take ${gigabytes} GiB. Use a smaller model, or close other programs.`,
        { cause },
      )
    }
  }
}

/** Kernels work on 16 bytes at a time. */
const padded = (bytes: number) => Math.ceil(bytes / 16) * 16
