import type { DflError } from '@dfl/core'
import { openFrames } from './open-frames.js'
import { frameSignature, isSceneCut } from './scene-cut.js'

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
 * The shots of a clip, found in one walk over it: a shot begins where a frame looks quite unlike the one before. Fades and
 * dissolves are no cuts.
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
  const starts: number[] = []
  const names: string[] = []
  let frames = 0
  let before: Float32Array | undefined
  for await (const frame of clip.frames()) {
    using _ = frame
    const signature = frameSignature(frame)
    if (!before || isSceneCut(before, signature)) starts.push(frame.index)
    before = signature
    if (frame.file !== undefined) names.push(frame.name)
    frames++
  }
  return { starts, frames, ...(names.length > 0 ? { names } : {}) }
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
