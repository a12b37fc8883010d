import { blendBands } from '@dfl/image'
import type { MergeStage } from '../merge-face.js'
import { behind, placedFace } from './placed-face.js'

/**
 * A stage that blends coarse differences of light over a wide edge and fine detail over a narrow one, inside the mask.
 *
 * Source: Burt, Adelson 1983, https://doi.org/10.1145/245.247
 */
export function multiBand(): MergeStage {
  return (face) => {
    const placed = placedFace(face)
    if (!placed) return face
    const { rect, alpha } = placed
    const frame = behind(face, rect)
    const top = { ...placed.painted, data: placed.painted.data.slice() }
    for (let p = 0; p < alpha.data.length; p++)
      if (alpha.data[p] === 0) for (let c = 0; c < 3; c++) top.data[3 * p + c] = frame.data[3 * p + c]!
    const painted = blendBands(top, frame, alpha)
    // Already blended: what is left for `overlay` is to keep the pixels beyond the mask.
    const inside = { ...alpha, data: alpha.data.map((a) => Math.min(1, a * 8)) }
    return { ...face, placed: { ...placed, painted, alpha: inside } }
  }
}
