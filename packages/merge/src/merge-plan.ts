import type { Shots } from '@dfl/media'

/** A stretch of frames, the last one not included. */
export interface FrameSpan {
  start: number
  end: number
}

/** A stretch of frames of one shot that is finished as a whole. */
export interface PlannedPart extends FrameSpan {
  /** Whether it begins its shot, or its stretch: nothing is remembered of the frames before. */
  fresh: boolean
}

/**
 * The parts that a clip is merged in: no part reaches over a cut, so that a shot's parts depend on that shot only.
 *
 * @param spans Stretches of frames that are wanted, in order and apart; all frames if not given.
 * @param longest How many frames a part has at most.
 */
export function planParts(
  { starts, frames }: Shots,
  { spans = [{ start: 0, end: frames }], longest }: { spans?: readonly FrameSpan[] | undefined; longest: number },
): PlannedPart[] {
  const parts: PlannedPart[] = []
  for (const [i, shotStart] of starts.entries()) {
    const shotEnd = starts[i + 1] ?? frames
    for (const span of spans) {
      const start = Math.max(shotStart, span.start)
      const end = Math.min(shotEnd, span.end)
      for (let at = start; at < end; at += longest)
        parts.push({ start: at, end: Math.min(end, at + longest), fresh: at === start })
    }
  }
  return parts
}
