import type { Pixels } from '@dfl/core'
import { gaussianBlur } from './blur.js'
import { labToRgb, meanAndStd, rgbToLab } from './color.js'
import { iterativeDistributionTransfer, slicedTransfer } from './distribution-transfer.js'
import { colorSpread, limitStretch, mapColors, mongeKantorovichMatrix, whiteningMatrix } from './linear-transfer.js'
import { resize } from './resize.js'

/** What a change of colour looks at; all of one size. */
export interface SeenColors {
  /** [R, R, 3], whose colours change. */
  face: Pixels
  /** [R, R, 3], whose colours it gets. */
  dst: Pixels
  /** [R, R, 1] how much each pixel counts. */
  weights: Pixels
}

/** A change of colour that was found, in numbers that can be averaged over time. */
export interface FoundColors {
  dstMean: number[]
  gain: number[]
  shift: number[]
  /** DST's mean changing by more than this in one frame is a cut or a flash. */
  cut: number
  /** The face with the change at the given strengths, at any size. */
  apply: (face: Pixels, gain: readonly number[], shift: readonly number[]) => Pixels
}

/** Finds how a face's colours become DST's. */
export type ColorChange = (seen: SeenColors) => FoundColors

/** A face whose contrast differs more than this from DST's is not stretched further: it would only amplify errors. */
const MAX_GAIN = 3

const CUT_LAB = 10
const CUT_RGB = 0.1

/** Mean and deviation of each channel of CIE Lab. */
const reinhard: ColorChange = ({ face, dst, weights }) => {
  const lab = rgbToLab(face)
  const to = meanAndStd(rgbToLab(dst, weights), weights)
  const own = meanAndStd(lab, weights)
  const gain = to.std.map((s, c) => Math.min(MAX_GAIN, Math.max(1 / MAX_GAIN, s / Math.max(own.std[c]!, 1e-3))))
  const shift = to.mean.map((m, c) => m - own.mean[c]!)
  const apply = (given: Pixels, gains: readonly number[], shifts: readonly number[]) => {
    const out = given === face ? lab : rgbToLab(given)
    for (let c = 0; c < 3; c++) scaleChannel(out.data, c, gains[c]!, own.mean[c]! * (1 - gains[c]!) + shifts[c]!)
    return labToRgb(out)
  }
  return { dstMean: to.mean, gain, shift, cut: CUT_LAB, apply }
}

/** One channel of CIE Lab times `factor` plus `added`, cut to what it can be, in place. */
function scaleChannel(data: Float32Array, channel: number, factor: number, added: number): void {
  const low = channel === 0 ? 0 : -127
  const high = channel === 0 ? 100 : 127
  for (let i = channel; i < data.length; i += 3) data[i] = Math.min(high, Math.max(low, data[i]! * factor + added))
}

/** Mean and covariance in RGB. */
const linear =
  (mode: 'lct' | 'mkl'): ColorChange =>
  ({ face, dst, weights }) => {
    const own = colorSpread(face, weights)
    const to = colorSpread(dst, weights)
    const matrixOf = mode === 'mkl' ? mongeKantorovichMatrix : whiteningMatrix
    const gain = limitStretch(matrixOf(own.covariance, to.covariance), MAX_GAIN)
    const shift = to.mean.map((m, c) => m - own.mean[c]!)
    const apply = (given: Pixels, matrix: readonly number[], shifts: readonly number[]) =>
      mapColors(given, { matrix, from: own.mean, to: own.mean.map((m, c) => m + shifts[c]!) })
    return { dstMean: to.mean, gain, shift, cut: CUT_RGB, apply }
  }

/** The whole distribution in RGB. */
const moved =
  (mode: 'idt' | 'sot'): ColorChange =>
  ({ face, dst, weights }) => {
    const both = { from: weights, to: weights }
    const target =
      mode === 'idt' ? iterativeDistributionTransfer(face, dst, both) : smoothed(face, slicedTransfer(face, dst, both))
    return byDifference({ face, dst, weights }, target)
  }

/** Lightness by sliced transport, the rest by mean and deviation. */
const mix: ColorChange = (seen) => {
  const { face, dst, weights } = seen
  const light = rgbToLab(smoothed(face, slicedTransfer(face, dst, { from: weights, to: weights })))
  const found = reinhard(seen)
  const lab = rgbToLab(found.apply(face, found.gain, found.shift))
  for (let i = 0; i < lab.data.length; i += 3) lab.data[i] = light.data[i]!
  return byDifference(seen, labToRgb(lab))
}

/** How much of the square the change of colour is smoothed over, so that it does not tear gradients into steps. */
const SMOOTH_SHARE = 1 / 64

/** `face` with the change to `target` smoothed across the square. */
function smoothed(face: Pixels, target: Pixels): Pixels {
  const change: Pixels = { ...target, data: target.data.map((v, i) => v - face.data[i]!) }
  const soft = gaussianBlur(change, face.width * SMOOTH_SHARE)
  for (let i = 0; i < soft.data.length; i++) soft.data[i] = soft.data[i]! + face.data[i]!
  return soft
}

/** A change given by its result: its mean is what is averaged over time. */
function byDifference({ face, dst, weights }: SeenColors, target: Pixels): FoundColors {
  const own = meanAndStd(face, weights).mean
  const reached = meanAndStd(target, weights).mean
  const shift = reached.map((m, c) => m - own[c]!)
  const apply = (given: Pixels, _: readonly number[], shifts: readonly number[]) => {
    const change: Pixels = {
      ...target,
      data: target.data.map((v, i) => v - face.data[i]! + shifts[i % 3]! - shift[i % 3]!),
    }
    const sized = given.width === face.width ? change : resize(change, given)
    for (let i = 0; i < sized.data.length; i++) sized.data[i] = sized.data[i]! + given.data[i]!
    return sized
  }
  return { dstMean: meanAndStd(dst, weights).mean, gain: [], shift, cut: CUT_RGB, apply }
}

/**
 * Changes of colour by DeepFaceLab's names. The change of `rct`, `lct` and `mkl` is a map of colours, that of the others a
 * difference for each pixel.
 *
 * Source: `rct`: Reinhard, Ashikhmin, Gooch, Shirley 2001, https://doi.org/10.1109/38.946629, in CIE Lab in place of lαβ, as
 * DFL does it; the others: see `whiteningMatrix`, `mongeKantorovichMatrix`, `iterativeDistributionTransfer`, `slicedTransfer`.
 */
export const COLOR_CHANGES: Readonly<Record<'rct' | 'lct' | 'mkl' | 'idt' | 'sot' | 'mix', ColorChange>> = {
  rct: reinhard,
  lct: linear('lct'),
  mkl: linear('mkl'),
  idt: moved('idt'),
  sot: moved('sot'),
  mix,
}
