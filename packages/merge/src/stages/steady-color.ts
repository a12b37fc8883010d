import type { FaceNotes } from '../merge-face.js'
import { shareOfNow } from './over-time.js'

/** A change of colour, as it is noted from frame to frame. */
export interface Remembered {
  dstMean: readonly number[]
  gain: readonly number[]
  shift: readonly number[]
  /** Frames that the average is of. */
  count: number
}

/**
 * The change of colour averaged with that of the frames before: `now` itself where there are none, at a cut and where
 * DST's light jumps.
 *
 * @param options `timeConstant` in seconds. `cut`: DST's mean changing by more in one frame is not smoothed away.
 */
export function steady(
  now: Remembered,
  past: FaceNotes | undefined,
  { timestampSeconds, timeConstant, cut }: { timestampSeconds: number; timeConstant: number; cut: number },
): Remembered {
  const old = past?.values.colorTransfer
  const gains = now.gain.length
  if (!past || old?.length !== 7 + gains) return now
  if (now.dstMean.some((m, c) => Math.abs(m - old[c]!) > cut)) return now
  const count = old[6 + gains]! + 1
  const share = shareOfNow(past, { timestampSeconds, count, seconds: timeConstant })
  const blend = (before: number, after: number) => before + share * (after - before)
  return {
    dstMean: now.dstMean,
    gain: now.gain.map((g, c) => blend(old[3 + c]!, g)),
    shift: now.shift.map((s, c) => blend(old[3 + gains + c]!, s)),
    count,
  }
}
