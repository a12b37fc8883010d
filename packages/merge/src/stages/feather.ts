import { DflError, type Pixels } from '@dfl/core'
import type { MergeStage } from '../merge-face.js'

/** Widths of soft edges, in pixels of a face whose crop is 256 pixels wide; 0 where not given. */
export interface Feather {
  top?: number
  bottom?: number
  left?: number
  right?: number
}

/**
 * A stage that fades the mask inwards from single sides of the face, as upright in its crop: from the brows, the chin.
 *
 * Beyond what `blur` does to all of the edge: the mask never reaches further than before.
 */
export function feather(sides: Feather): MergeStage {
  for (const [side, px] of Object.entries(sides))
    if (!(px >= 0 && Number.isFinite(px)))
      throw new DflError(
        'BAD_OPTION',
        `Expected a number of px of at least 0 for \`${side}\`, but got ${px}. Give pixels of a 256 px face.`,
        { data: { [side]: px } },
      )
  const { top = 0, bottom = 0, left = 0, right = 0 } = sides
  if (top + bottom + left + right === 0) return (face) => face
  return (face) => {
    const { mask } = face
    const { width, height } = mask
    const out = { ...mask, data: mask.data.slice() }
    const wide = (px: number) => Math.round((px * width) / 256)
    fade(out, mask, { lines: width, step: width, next: 1, length: height, first: wide(top), last: wide(bottom) })
    fade(out, mask, { lines: height, step: 1, next: width, length: width, first: wide(left), last: wide(right) })
    return { ...face, mask: out }
  }
}

/** Multiplies each line by its mean over the `first` pixels before and the `last` pixels behind each pixel. */
function fade(
  out: Pixels,
  { data }: Pixels,
  lines: { lines: number; step: number; next: number; length: number; first: number; last: number },
): void {
  const { step, next, length, first, last } = lines
  const sums = new Float64Array(length + 1)
  for (let line = 0; line < lines.lines; line++) {
    const at = line * next
    for (let i = 0; i < length; i++) sums[i + 1] = sums[i]! + data[at + i * step]!
    for (let i = 0; i < length; i++) {
      const before = (sums[i + 1]! - sums[Math.max(0, i - first)]!) / (first + 1)
      const behind = (sums[Math.min(length, i + last + 1)]! - sums[i]!) / (last + 1)
      out.data[at + i * step]! *= (first > 0 ? before : 1) * (last > 0 ? behind : 1)
    }
  }
}
