import type { Pixels } from '@dfl/core'
import { resize } from '@dfl/image'

/** Side at which pictures are compared: pose, expression and light are left, skin and hair are not. */
const SIDE = 16

/**
 * For each picture the places of those that look most like it, nearest first: mean squared difference at 16 x 16 px, so that
 * pose, expression and light decide.
 *
 * @param pictures, among Faces cut alike: [S, S, 3].
 */
export function nearestPictures(pictures: readonly Pixels[], among: readonly Pixels[], count: number): number[][] {
  const small = (picture: Pixels) => resize(picture, { width: SIDE, height: SIDE }).data
  const others = among.map(small)
  return pictures.map((picture) => {
    const own = small(picture)
    const apart = others.map((other) => other.reduce((sum, v, i) => sum + (v - own[i]!) ** 2, 0))
    return Array.from(apart.keys())
      .sort((a, b) => apart[a]! - apart[b]!)
      .slice(0, count)
  })
}
