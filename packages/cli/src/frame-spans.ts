import { DflError } from '@dfl/core'
import type { FrameSpan } from '@dfl/merge'

/**
 * Stretches of frames as people write them: '120-240', '10,20,120-240', '300-' to the end. Sorted, and joined where they
 * meet.
 *
 * @param flag What messages call it: '--frames'.
 * @throws DflError `BAD_OPTION` that names the piece that is wrong.
 */
export function parseSpans(text: string, flag: string): FrameSpan[] {
  const spans = text.split(',').map((piece): FrameSpan => {
    const match = /^(\d+)(-(\d*))?$/.exec(piece.trim())
    const start = Number(match?.[1])
    const last = match?.[2] === undefined ? start : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3])
    if (!match || last < start)
      throw new DflError(
        'BAD_OPTION',
        `Expected frames such as 120-240 or 10,20,120-240 for \`${flag}\`, but got '${piece.trim()}'. Frames count from 0.`,
      )
    return { start, end: last + 1 }
  })
  spans.sort((a, b) => a.start - b.start)
  const joined: FrameSpan[] = []
  for (const span of spans) {
    const before = joined.at(-1)
    if (before && span.start <= before.end) before.end = Math.max(before.end, span.end)
    else joined.push({ ...span })
  }
  return joined
}

/**
 * Single frames as people write them: '10,20,300'.
 *
 * @throws DflError `BAD_OPTION` as `parseSpans`, also for more than a thousand frames.
 */
export function parseFrames(text: string, flag: string): number[] {
  const spans = parseSpans(text, flag)
  const count = spans.reduce((sum, { start, end }) => sum + end - start, 0)
  if (count > 1000)
    throw new DflError('BAD_OPTION', `Expected at most 1000 frames for \`${flag}\`, but got ${count}. Name fewer.`)
  return spans.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i))
}
