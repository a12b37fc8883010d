/** Memory that is used again and again. */
export interface MemoryPool<T extends ArrayBufferLike> {
  /** At least so many bytes; what they hold is whatever was there. */
  take(bytes: number): T
  /** Gives memory back: it is overwritten from now on. */
  give(memory: T): void
}

/** New pieces are of whole ones of these, so that work whose size trembles fits in what is there. */
const STEP = 2 ** 20

/**
 * As many pieces of memory as are in use at once, each as large as what was last asked for.
 *
 * For pictures of megabytes, frame after frame: new memory is cleared first, and has to be found useless by the garbage
 * collector, which takes longer than to fill it.
 *
 * @param make Makes a piece of so many bytes.
 */
export function memoryPool<T extends ArrayBufferLike>(make: (bytes: number) => T): MemoryPool<T> {
  const spare: T[] = []
  return {
    take(bytes) {
      const found = spare.findIndex(({ byteLength }) => byteLength >= bytes)
      // Where none is large enough, one makes way for a larger one.
      const [kept] = spare.splice(Math.max(0, found), 1)
      return kept && found >= 0 ? kept : make(Math.ceil(bytes / STEP) * STEP)
    },
    give: (memory) => void spare.push(memory),
  }
}
