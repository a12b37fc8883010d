import { HEAD_68, MIRRORED_68 } from '@dfl/align'
import { LEAN } from './lean-table.js'
import { SHAPE_POINTS } from './shape-points.js'
import { turnOnto, type Vector } from './turn-onto.js'

/** Of `SHAPE_POINTS` the middle and the right half, as both sides are even; and lips, by which the rest is told better. */
export const TOLD_POINTS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 27, 28, 29, 30, 31, 32, 33, 36, 39]
const TELLING_POINTS: readonly number[] = [...TOLD_POINTS, 48, 49, 50, 51, 57, 58, 59]

/**
 * How a shape differs from the average head, laid on it by jaw, nose and eyes: x, y and z of one point after the other.
 *
 * @param shape The 68 landmarks, both sides even, as `seenShape` gives them.
 */
export function deviations(shape: readonly Vector[], of: readonly number[] = TELLING_POINTS): number[] {
  const laid = turnOnto(shape, HEAD_68, SHAPE_POINTS)
  return of.flatMap((point) => laid[point].map((v, axis) => v - HEAD_68[point][axis]))
}

/**
 * The true shape behind found landmarks, which lean towards the usual face: they tell a third of a difference, and
 * mix up its parts. What of the true shape goes with what was found was learned from heads of which both are known, as a mean
 * and eight ways in which they vary.
 *
 * @param seen What was found, from `seenShape`.
 * @returns Places of `SHAPE_POINTS`, in its units and directions.
 * Source: ridge regression, Hoerl and Kennard 1970, https://doi.org/10.1080/00401706.1970.10488634, onto a statistical shape
 * model, Cootes et al. 1995, https://doi.org/10.1006/cviu.1995.1004; learned with scripts/learn-face-shape.mjs
 */
export function withoutLean(seen: readonly Vector[]): Vector[] {
  const found = deviations(seen)
  const told = Array.from(LEAN.usual)
  for (const { tell, way } of LEAN.ways) {
    const strength = tell.reduce((sum, weight, i) => sum + weight * (found[i] - LEAN.found[i]), 0)
    for (let i = 0; i < told.length; i++) told[i] += strength * way[i]
  }
  return SHAPE_POINTS.map((point) => {
    const isTold = TOLD_POINTS.includes(point)
    const at = 3 * TOLD_POINTS.indexOf(isTold ? point : MIRRORED_68[point])
    const [x, y, z] = HEAD_68[point]
    return [x + (isTold ? told[at] : -told[at]), y + told[at + 1], z + told[at + 2]]
  })
}
