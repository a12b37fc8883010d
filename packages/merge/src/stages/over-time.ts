import type { FaceNotes, MergeFace, MergeStage } from '../merge-face.js'

/** A stage that notes something about the face, for the next frame. */
export const takingNotes = (stage: (face: MergeFace) => MergeFace | Promise<MergeFace>): MergeStage =>
  Object.assign(stage, { takesNotes: true as const })

/**
 * How much the present counts in an average over past frames, 0..1: 1 where there is no past.
 *
 * The first frames are averaged evenly; later the oldest ones fade away.
 *
 * @param count Frames that the average is of, with this one. @param seconds Time constant; 0 for no average.
 */
export function shareOfNow(
  past: FaceNotes | undefined,
  now: { timestampSeconds: number; count: number; seconds: number },
): number {
  if (!past || now.seconds === 0) return 1
  const age = Math.abs(now.timestampSeconds - past.timestampSeconds)
  return Math.max(1 / now.count, 1 - Math.exp(-age / now.seconds))
}

/**
 * Numbers averaged with those that were noted for the same face in the frames before, and what to note for the next:
 * the average itself and how many frames it is of.
 *
 * @param name Under which they were noted.
 */
export function averaged(
  values: readonly number[],
  past: FaceNotes | undefined,
  { name, timestampSeconds, seconds }: { name: string; timestampSeconds: number; seconds: number },
): { values: number[]; notes: Readonly<Record<string, readonly number[]>> } {
  const before = past?.values[name]
  const known = before?.length === values.length + 1 ? past : undefined
  const count = known ? before!.at(-1)! + 1 : 1
  const share = shareOfNow(known, { timestampSeconds, count, seconds })
  const out = values.map((value, i) => (share === 1 ? value : before![i]! + share * (value - before![i]!)))
  return { values: out, notes: { [name]: [...out, count] } }
}
