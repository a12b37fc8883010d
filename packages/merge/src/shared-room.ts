import { arrayKind, memoryPool } from '@dfl/core'

/** Samples of pictures. */
type Samples = Float32Array | Uint8Array | Uint16Array

/** A piece of memory that two threads see. */
export interface SharedRoom {
  /** An array like the one given in this memory; what it holds is whatever was there. */
  like<T extends Samples>(data: T): T
  /** The same with what the given one holds. */
  copy<T extends Samples>(data: T): T
  /** Gives the memory back: arrays in it are overwritten from now on. */
  free(): void
}

/** How much of a room an array takes: the next one begins where vectors may. */
export const roomFor = ({ byteLength }: Samples): number => Math.ceil(byteLength / 16) * 16

/**
 * Makes rooms, again and again of the same memory.
 *
 * What is sent to another thread otherwise is copied there into new memory, and so is what comes back.
 */
export function sharedRooms(): (bytes: number) => SharedRoom {
  const pool = memoryPool((bytes) => new SharedArrayBuffer(bytes))
  return (bytes) => {
    const memory = pool.take(bytes)
    let end = 0
    const like = <T extends Samples>(data: T): T => {
      const at = end
      end += roomFor(data)
      return new (arrayKind(data))(memory, at, data.length)
    }
    return {
      like,
      copy(data) {
        const to = like(data)
        to.set(data)
        return to
      },
      free: () => pool.give(memory),
    }
  }
}
