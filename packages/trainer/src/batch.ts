import { DflError } from '@dfl/core'

/** One side of a batch, all float32 0..1. */
export interface SideBatch {
  /** [N, R, R, 3]: what the model sees. */
  warped: ArrayLike<number>
  /** [N, R, R, 3]: what it must paint. */
  target: ArrayLike<number>
  /** [N, R, R, 1]: where the face is. */
  mask: ArrayLike<number>
  /** [N, R, R, 1]: eyes and mouth; needed with `eyesMouthPrio`. */
  eyesMouth?: ArrayLike<number>
}

/** Samples of both sides for one iteration. */
export interface Batch {
  src: SideBatch
  dst: SideBatch
  /** Of the further people of a model that has some, by their names. */
  people?: Readonly<Record<string, SideBatch>>
}

/**
 * The samples of a side.
 *
 * @throws DflError `BAD_OPTION` where a batch lacks somebody.
 */
export function samplesOf(batch: Batch, side: string): SideBatch {
  const found = side === 'src' || side === 'dst' ? batch[side] : batch.people?.[side]
  if (found) return found
  throw new DflError(
    'BAD_OPTION',
    `Expected samples of ${side}, whom the model paints, in the batch, but got none. Give a faceset of each of the model's people.`,
  )
}
