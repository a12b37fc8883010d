import type { Pixels } from '@dfl/core'
import { resize, rgbToGray } from '@dfl/image'

/** Side of the grid on which brightness is followed. */
const CELLS = 12

/**
 * The brightness of a face's cells in one frame, for `flicker`: [144] luma.
 *
 * @param face [S, S, 3] the face, cut out in the geometry of DST's landmarks.
 */
export function flickerCells(face: Pixels): Float32Array {
  return resize(rgbToGray(face), { width: CELLS, height: CELLS }).data
}

/**
 * What two faces that move alike may differ by, over DST's own: the power of the difference of two things that are equally
 * strong and have nothing to do with each other.
 */
const UNRELATED = 2

/**
 * How much the brightness of the face trembles beyond what DST's movement explains, in % of full brightness: root mean
 * square of the second difference in time of (result − DST). Of each frame's square, twice that of DST itself is taken
 * off: another person's face that does the same changes as much. So a true swap has next to none at any frame rate, and
 * neither steady movement nor what DST's light does counts. Where DST moves fast, weak flicker hides, as it does from the eye.
 *
 * @param result One list of cells per frame; `undefined` where there is no face, or a cut.
 * @param dst The same frames.
 * Source: second differences as in `jitter`; temporal metrics of Bonneel et al. 2015, https://doi.org/10.1145/2816795.2818107
 */
export function flicker(
  result: readonly (Float32Array | undefined)[],
  dst: readonly (Float32Array | undefined)[],
): { percent: number; samples: number } {
  let [sum, samples] = [0, 0]
  for (let t = 1; t + 1 < Math.min(result.length, dst.length); t++) {
    const frames = [t - 1, t, t + 1].map((i) => ({ r: result[i], d: dst[i] }))
    if (frames.some(({ r, d }) => !r || !d)) continue
    const [a, b, c] = frames as { r: Float32Array; d: Float32Array }[]
    let [apart, own] = [0, 0]
    for (let i = 0; i < b.d.length; i++) {
      const dstChange = a.d[i] - 2 * b.d[i] + c.d[i]
      apart += (a.r[i] - 2 * b.r[i] + c.r[i] - dstChange) ** 2 / b.d.length
      own += dstChange ** 2 / b.d.length
    }
    sum += Math.max(0, apart - UNRELATED * own)
    samples++
  }
  return { percent: samples === 0 ? 0 : 100 * Math.sqrt(sum / samples), samples }
}
