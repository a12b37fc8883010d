import { arrayKind } from './array-kind.js'
import type { Raster } from './types.js'

/** A WebAssembly module whose functions work on memory that their caller fills. */
export interface Kernels<F> {
  /** What the module exports. */
  call: F
  /**
   * Where blocks of these many bytes can be put, each on a multiple of 16 and with 16 bytes behind it that may be read. They
   * are free for use until the next call: nothing is kept. Views of the memory made before may be of no use any more.
   */
  room(...bytes: number[]): number[]
  /** Views of the memory from an address on. */
  bytes(at: number, length: number): Uint8Array
  words(at: number, length: number): Uint16Array
  integers(at: number, length: number): Int32Array
  floats(at: number, length: number): Float32Array
  doubles(at: number, length: number): Float64Array
  /** The same as an array of the kind of `data`. */
  viewLike<T extends Raster['data']>(data: T, at: number, length: number): T
}

/** What every module of kernels exports beside its functions. */
interface Base {
  memory: WebAssembly.Memory
  /** Where the memory begins that its functions do not use themselves. */
  firstFree(): number
}

const PAGE = 65536

/**
 * A function that gives the kernels of a module: compiled when it is first called, and kept. Each thread has its own.
 *
 * @param module The bytes of the module; it imports nothing.
 */
export function lazyKernels<F>(module: BufferSource): () => Kernels<F> {
  let made: Kernels<F> | undefined
  return () => (made ??= instantiate<F>(module))
}

function instantiate<F>(module: BufferSource): Kernels<F> {
  const call = new WebAssembly.Instance(new WebAssembly.Module(module)).exports as unknown as F & Base
  const { memory } = call
  const first = Math.ceil(call.firstFree() / 16) * 16
  return {
    call,
    room(...bytes) {
      let end = first
      const places = bytes.map((length) => {
        const at = end
        end += Math.ceil(length / 16) * 16 + 16
        return at
      })
      const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE)
      if (missing > 0) memory.grow(missing)
      return places
    },
    bytes: (at, length) => new Uint8Array(memory.buffer, at, length),
    words: (at, length) => new Uint16Array(memory.buffer, at, length),
    integers: (at, length) => new Int32Array(memory.buffer, at, length),
    floats: (at, length) => new Float32Array(memory.buffer, at, length),
    doubles: (at, length) => new Float64Array(memory.buffer, at, length),
    viewLike: (data, at, length) => new (arrayKind(data))(memory.buffer, at, length),
  }
}
