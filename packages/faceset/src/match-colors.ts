import type { OptionsOf, Pixels } from '@dfl/core'
import { COLOR_CHANGES } from '@dfl/image'
import type { SamplePixels } from './draw-sample.js'
import type { SAMPLER_OPTIONS } from './sampler-options.js'

/** How colours are matched, or 'none'. */
export type MatchColors = OptionsOf<typeof SAMPLER_OPTIONS>['matchColors']

/** Those that are one map of colours: found on the target, they hold for what the model sees, too. */
const MAPS: readonly MatchColors[] = ['rct', 'lct', 'mkl']

/**
 * What gives a sample, in place, the colours of another: both its pictures.
 *
 * All pixels count alike, as in DeepFaceLab.
 *
 * @param dst  [R, R, 3], whose colours the sample gets.
 */
export function matchColors(
  how: Exclude<MatchColors, 'none'>,
): (sample: SamplePixels, dst: Float32Array, resolution: number) => void {
  const find = COLOR_CHANGES[how]
  return ({ target, warped }, dst, resolution) => {
    const pixels = (data: Float32Array): Pixels => ({ data, width: resolution, height: resolution, channels: 3 })
    const weights: Pixels = { ...pixels(new Float32Array(resolution * resolution).fill(1)), channels: 1 }
    const changed = (data: Float32Array, by = data) => {
      const { apply, gain, shift } = find({ face: pixels(by), dst: pixels(dst), weights })
      return apply(pixels(data), gain, shift).data
    }
    const isMap = MAPS.includes(how)
    const seen = isMap ? changed(warped, target) : changed(warped)
    write(target, changed(target))
    write(warped, seen)
  }
}

/** Copies colours, none beyond 0..1. */
function write(to: Float32Array, from: ArrayLike<number>): void {
  for (let i = 0; i < to.length; i++) to[i] = Math.min(1, Math.max(0, from[i]))
}
