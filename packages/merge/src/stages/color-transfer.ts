import { DflError, type Pixels } from '@dfl/core'
import { labToRgb, meanAndStd, resize, rgbToLab } from '@dfl/image'
import { clamp, type FaceNotes, type MergeStage } from '../merge-face.js'

/** How colours are matched to DST's, in DFL's words. */
export const COLOR_TRANSFERS = ['rct', 'none'] as const

/** One of `COLOR_TRANSFERS`. */
export type ColorTransfer = (typeof COLOR_TRANSFERS)[number]

/** How colours are changed: lab' = (lab − from) · gain + to, per channel. */
interface Correction {
  from: number[]
  gain: number[]
  to: number[]
}

/** A face whose contrast differs more than this from DST's is not stretched further: it would only amplify errors. */
const MAX_GAIN = 3

/** DST's own mean changing by more than this in one frame, in units of Lab, is a cut or a flash and not smoothed away. */
const CUT = 10

/**
 * A stage that gives the face DST's colours.
 *
 * `rct` matches mean and standard deviation of each channel in CIE Lab, measured inside the mask: every pixel counts as
 * much as the mask says, so that what is not pasted does not count. `none` does nothing.
 *
 * The change of colour is averaged over the past frames of the same face, so that nothing flickers with the noise of the
 * masks; it starts anew at a cut and where DST's own light jumps.
 *
 * @param options `smoothSeconds`: time constant of that average; 0 switches it off.
 * Source: Reinhard, Ashikhmin, Gooch, Shirley 2001, https://doi.org/10.1109/38.946629. Deviation: CIE Lab in place of lαβ,
 * as DFL does it, and statistics weighted with the mask.
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
  return (face) => {
    const { width, height } = face.face
    const weights = resize(face.mask, { width, height })
    if (weights.data.every((w) => w === 0)) return face
    const lab = rgbToLab(face.face)
    const dst = meanAndStd(rgbToLab(face.dst), weights)
    const own = meanAndStd(lab, weights)
    const gain = dst.std.map((s, c) => Math.min(MAX_GAIN, Math.max(1 / MAX_GAIN, s / Math.max(own.std[c]!, 1e-3))))
    const shift = dst.mean.map((m, c) => m - own.mean[c]!)
    const now: Remembered = { dstMean: [...dst.mean], gain, shift, count: 1 }
    const steady = smoothSeconds > 0 ? smooth(now, face.past, face.meta.timestampSeconds, smoothSeconds) : now
    const to = own.mean.map((m, c) => m + steady.shift[c]!)
    const changed = labToRgb(correct(lab, { from: [...own.mean], gain: steady.gain, to }))
    return { ...face, face: clamp(changed), notes: { ...face.notes, colorTransfer: pack(steady) } }
  }
}

function correct(lab: Pixels, { from, gain, to }: Correction): Pixels {
  const { data } = lab
  for (let c = 0; c < 3; c++) {
    const a = gain[c]!
    const b = to[c]! - from[c]! * a
    const low = c === 0 ? 0 : -127
    const high = c === 0 ? 100 : 127
    for (let i = c; i < data.length; i += 3) {
      data[i] = Math.min(high, Math.max(low, data[i]! * a + b))
    }
  }
  return lab
}

interface Remembered {
  dstMean: number[]
  gain: number[]
  shift: number[]
  /** Frames that the average is of. */
  count: number
}

const pack = ({ dstMean, gain, shift, count }: Remembered): number[] => [...dstMean, ...gain, ...shift, count]

function smooth(now: Remembered, past: FaceNotes | undefined, seconds: number, timeConstant: number): Remembered {
  const old = past?.values.colorTransfer
  if (!past || old?.length !== 10) return now
  if (now.dstMean.some((m, c) => Math.abs(m - old[c]!) > CUT)) return now
  const count = old[9]! + 1
  // The first frames are averaged evenly; later the oldest ones fade away.
  const share = Math.max(1 / count, 1 - Math.exp(-Math.abs(seconds - past.timestampSeconds) / timeConstant))
  const blend = (before: number, after: number) => before + share * (after - before)
  return {
    dstMean: now.dstMean,
    gain: now.gain.map((g, c) => blend(old[3 + c]!, g)),
    shift: now.shift.map((s, c) => blend(old[6 + c]!, s)),
    count,
  }
}
