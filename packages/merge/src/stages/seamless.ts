import type { Pixels } from '@dfl/core'
import { membrane, resize } from '@dfl/image'
import type { MergeStage } from '../merge-face.js'
import { behind, placedFace } from './placed-face.js'

/** Where the mask is above this, the face is cloned; its border meets the frame there. As DFL. */
const REGION = 0.1

/** The membrane is smooth, so that a grid of this many pixels a side holds all of it that a soft mask lets through. */
const GRID = 112

/**
 * A stage that shifts the face's colours so that it meets the frame at the mask's border, and keeps its own detail:
 * Poisson cloning.
 *
 * What is added is a membrane over the difference at the border, solved on a grid of at most 112 pixels a side. Light and
 * skin come from the border alone: what lies there, such as hair or shadow that passes behind the mask's edge, tints the
 * whole face and flickers with it. Where that shows, a smaller mask (`erode`), or `overlay` with a colour transfer, which
 * looks at the whole face and is averaged over time, is the steadier choice.
 *
 * Source: Pérez, Gangnet, Blake 2003, https://doi.org/10.1145/882262.882269; the membrane: Farbman et al. 2009,
 * https://doi.org/10.1145/1531326.1531373
 */
export function seamless(): MergeStage {
  return (face) => {
    const placed = placedFace(face)
    if (!placed) return face
    const { rect, alpha } = placed
    const region = insideOf(alpha)
    const painted: Pixels = { ...placed.painted, data: placed.painted.data.slice() }
    const difference = behind(face, rect)
    for (let p = 0, i = 0; p < region.data.length; p++)
      for (let c = 0; c < 3; c++, i++) {
        // Beyond the painted pixels there is nothing to compare with.
        difference.data[i] = alpha.data[p]! > 0 ? difference.data[i]! - painted.data[i]! : 0
      }
    const added = filled(difference, region, alpha)
    for (let i = 0; i < painted.data.length; i++) painted.data[i] = painted.data[i]! + added.data[i]!
    return { ...face, placed: { ...placed, painted } }
  }
}

/** [H, W, 1] 1 where the face is cloned: not next to a pixel that has no painted colour to compare. */
function insideOf({ data: alpha, width, height, channels }: Pixels): Pixels {
  const data = new Float32Array(alpha.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      const meetsNothing =
        (x > 0 && alpha[i - 1] === 0) ||
        (x < width - 1 && alpha[i + 1] === 0) ||
        (y > 0 && alpha[i - width] === 0) ||
        (y < height - 1 && alpha[i + width] === 0)
      if (alpha[i]! > REGION && !meetsNothing) data[i] = 1
    }
  return { data, width, height, channels }
}

/** The membrane over `difference`, at its size. */
function filled(difference: Pixels, region: Pixels, alpha: Pixels): Pixels {
  const { width, height } = difference
  const scale = Math.min(1, GRID / Math.max(width, height))
  if (scale === 1) return membrane(difference, region, { tolerance: 5e-4 })
  const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
  const known = resize({ ...alpha, data: alpha.data.map((a) => (a > 0 ? 1 : 0)) }, size)
  const coarse = resize(difference, size)
  for (let p = 0, i = 0; p < known.data.length; p++)
    for (let c = 0; c < 3; c++, i++) coarse.data[i] = known.data[p]! > 0 ? coarse.data[i]! / known.data[p]! : 0
  // Only cells that lie in the region wholly are solved for, so that none of the border is lost.
  const inner = resize(region, size)
  inner.data = inner.data.map((share) => (share > 0.999 ? 1 : 0))
  return resize(membrane(coarse, inner, { tolerance: 5e-4 }), { width, height }, { filter: 'linear' })
}
