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
 * How much the brightness of the face trembles beyond DST's: root mean square of the second difference in time of (result
 * − DST), in % of full brightness. Steady movement, and whatever DST's light does, does not count.
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
    let square = 0
    for (let i = 0; i < b.r.length; i++)
      square += (a.r[i] - a.d[i] - 2 * (b.r[i] - b.d[i]) + c.r[i] - c.d[i]) ** 2 / b.r.length
    sum += square
    samples++
  }
  return { percent: samples === 0 ? 0 : 100 * Math.sqrt(sum / samples), samples }
}
