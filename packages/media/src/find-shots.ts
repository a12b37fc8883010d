import type { DflError } from '@dfl/core'
import { openFrames } from './open-frames.js'
import { createCutFinder, frameSignature } from './scene-cut.js'

/** The shots of a clip. */
export interface Shots {
  /** Index of the first frame of each shot; the first of them is 0. */
  starts: readonly number[]
  /** How many frames the clip has. */
  frames: number
  /** File names of the frames, of a folder of images. */
  names?: readonly string[]
}

/**
 * The shots of a clip, found in one walk over it: a shot begins where the picture changes by far more than in the
 * frames around, see `createCutFinder`. Fades and dissolves are no cuts.
 *
 * @param options `onDamaged`: as of `openFrames`.
 * @throws DflError as `openFrames`.
 */
export async function findShots(
  path: string,
  options: { signal?: AbortSignal | undefined; onDamaged?: ((error: DflError) => void) | undefined } = {},
): Promise<Shots> {
  const { signal, onDamaged } = options
  await using clip = await openFrames(path, { ...(signal ? { signal } : {}), ...(onDamaged ? { onDamaged } : {}) })
  const finder = createCutFinder()
  const names: string[] = []
  for await (const frame of clip.frames()) {
    using _ = frame
    finder.add(frameSignature(frame))
    if (frame.file !== undefined) names.push(frame.name)
  }
  const cuts = finder.cuts()
  const starts = [...cuts.keys()].filter((frame) => cuts[frame])
  return { starts, frames: cuts.length, ...(names.length > 0 ? { names } : {}) }
}

/** Which shot a frame is of, counted from 1. */
export function shotOf({ starts }: Shots, frame: number): number {
  let [low, high] = [0, starts.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (starts[middle]! <= frame) low = middle
    else high = middle
  }
  return low + 1
}
