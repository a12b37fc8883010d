import { arrayKind, type Pixels } from '@dfl/core'

type Samples = Float32Array | Uint8Array | Uint16Array

/** Memory that is cut into pieces from its beginning again and again. */
interface Scratch {
  pieces: ArrayBuffer[]
  /** Which piece is being cut, and how far. */
  piece: number
  at: number
}

/** What a piece has at least: some frames' worth of a face's pictures. */
const PIECE_BYTES = 2 ** 23

let kept: Scratch | undefined
let open = false

/**
 * Does work whose pictures are of no use any more when it is done: those that this package's functions make in it lie in
 * memory that the next such work overwrites. Of what it returns, pictures must have been copied.
 *
 * For threads that do one work after the other. New memory is cleared first, page by page, and has to be found useless by
 * the garbage collector: for the hundred pictures of a merged face that takes as long as some of its stages.
 */
export async function inScratch<T>(work: () => Promise<T>): Promise<T> {
  if (open) return work()
  kept ??= { pieces: [], piece: 0, at: 0 }
  kept.piece = 0
  kept.at = 0
  open = true
  try {
    return await work()
  } finally {
    open = false
  }
}

/** An array of the kind of `data` and of any length; what it holds is whatever was there. New memory outside of `inScratch`. */
export function samplesLike<T extends Samples>(data: T, length: number): T {
  const kind = arrayKind(data)
  if (!open || !kept) return new kind(length)
  const bytes = Math.ceil((length * data.BYTES_PER_ELEMENT) / 16) * 16
  while ((kept.pieces[kept.piece]?.byteLength ?? Number.POSITIVE_INFINITY) < kept.at + bytes) {
    kept.piece++
    kept.at = 0
  }
  kept.pieces[kept.piece] ??= new ArrayBuffer(Math.max(PIECE_BYTES, bytes))
  const array = new kind(kept.pieces[kept.piece]!, kept.at, length)
  kept.at += bytes
  return array
}

/** A copy, as `samplesLike` makes arrays. */
export function copyPixels(pixels: Pixels): Pixels {
  const data = samplesLike(pixels.data, pixels.data.length)
  data.set(pixels.data)
  return { ...pixels, data }
}

const FLOATS = new Float32Array(0)

/** Zeros, as `samplesLike` makes arrays. */
export const zeros = (length: number): Float32Array => {
  const data = samplesLike(FLOATS, length)
  return open ? data.fill(0) : data
}
