import { DflError, type Pixels } from '@dfl/core'
import { COLOR_CHANGES, type ColorChange, resize } from '@dfl/image'
import { clamp, type MergeStage } from '../merge-face.js'
import { takingNotes } from './over-time.js'
import { type Remembered, steady } from './steady-color.js'

/** How colours are matched to DST's, in DFL's words. */
export const COLOR_TRANSFERS = ['rct', 'lct', 'mkl', 'mkl-m', 'idt', 'idt-m', 'sot-m', 'mix-m', 'none'] as const

/** One of `COLOR_TRANSFERS`. */
export type ColorTransfer = (typeof COLOR_TRANSFERS)[number]

/** Whose pixels count, and what is done. */
const CHANGES: Record<Exclude<ColorTransfer, 'none'>, { within: 'mask' | 'square'; change: ColorChange }> = {
  rct: { within: 'mask', change: COLOR_CHANGES.rct },
  lct: { within: 'square', change: COLOR_CHANGES.lct },
  mkl: { within: 'square', change: COLOR_CHANGES.mkl },
  'mkl-m': { within: 'mask', change: COLOR_CHANGES.mkl },
  idt: { within: 'square', change: COLOR_CHANGES.idt },
  'idt-m': { within: 'mask', change: COLOR_CHANGES.idt },
  'sot-m': { within: 'mask', change: COLOR_CHANGES.sot },
  'mix-m': { within: 'mask', change: COLOR_CHANGES.mix },
}

/**
 * A stage that gives the face DST's colours. `none` does nothing.
 *
 * | | matches | counted in |
 * |---|---|---|
 * | `rct` | mean and deviation of each channel of CIE Lab | mask |
 * | `lct`, `mkl`, `mkl-m` | mean and covariance in RGB; `mkl` moves colours as little as possible | square, square, mask |
 * | `idt`, `idt-m` | the whole distribution in RGB | square, mask |
 * | `sot-m` | the same, by gentler steps, and the change is smoothed across the face | mask |
 * | `mix-m` | lightness as `sot-m`, the rest as `rct` | mask |
 *
 * Inside the mask every pixel counts as much as the mask says, so that what is not pasted does not count.
 *
 * The change of colour is averaged over the past frames of the same face, so that nothing flickers with the noise of the
 * masks; it starts anew at a cut and where DST's own light jumps. Of `idt`, `sot` and `mix` the mean change is averaged.
 *
 * @param options `smoothSeconds`: time constant of that average; 0 switches it off.
 * Source: see `COLOR_CHANGES` of `@dfl/image`. Deviation: statistics weighted with the mask.
 */
export function colorTransfer(mode: ColorTransfer, options: { smoothSeconds?: number } = {}): MergeStage {
  const { smoothSeconds = 0.25 } = options
  if (!COLOR_TRANSFERS.includes(mode))
    throw new DflError(
      'BAD_OPTION',
      `Expected one of ${COLOR_TRANSFERS.join(', ')} for \`mode\`, but got '${mode}'. Choose one of these.`,
      { data: { mode, choices: COLOR_TRANSFERS } },
    )
  if (!(smoothSeconds >= 0) || !Number.isFinite(smoothSeconds))
    throw new DflError(
      'BAD_OPTION',
      `Expected a number of at least 0 s for \`smoothSeconds\`, but got ${smoothSeconds}. Give 0 to switch it off.`,
      { data: { smoothSeconds } },
    )
  if (mode === 'none') return (face) => face
  const { within, change } = CHANGES[mode]
  return takingNotes((face) => {
    const weights = resize(face.mask, { width: face.dst.width, height: face.dst.width })
    if (weights.data.every((w) => w === 0)) return face
    const counted: Pixels = within === 'mask' ? weights : { ...weights, data: weights.data.map(() => 1) }
    const own = face.face.width === face.dst.width ? face.face : resize(face.face, face.dst)
    const found = change({ face: own, dst: face.dst, weights: counted })
    const now: Remembered = { dstMean: found.dstMean, gain: found.gain, shift: found.shift, count: 1 }
    const options = { timestampSeconds: face.meta.timestampSeconds, timeConstant: smoothSeconds, cut: found.cut }
    const kept = smoothSeconds > 0 ? steady(now, face.past, options) : now
    const { dstMean, gain, shift, count } = kept
    const notes = { ...face.notes, colorTransfer: [...dstMean, ...gain, ...shift, count] }
    return { ...face, face: clamp(found.apply(face.face, gain, shift)), notes }
  })
}
