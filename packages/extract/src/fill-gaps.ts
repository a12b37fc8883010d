import type { Point } from '@dfl/core'
import { convexHull } from '@dfl/image'
import { isSameFace } from './detect-faces.js'
import { mix, mixedRect, mixedRegion } from './region.js'
import type { FrameFaces } from './steady-segments.js'
import type { Face } from './types.js'

/** Frames in a row that a face may be missing in. Fewer than a segment has a say in. */
const LONGEST_GAP = 5

/** The score of faces that nobody saw. */
export const FILLED_SCORE = 0.25

/**
 * The same frames, with each face that is missing in up to five frames of one shot put into them: on the straight way from
 * where it was before to where it is after, with a score of `FILLED_SCORE`. The largest faces of a frame stay first.
 *
 * @param maxFaces The largest so many faces of each frame; 0 for all.
 */
export function fillGaps<T extends FrameFaces>(frames: readonly T[], maxFaces: number): T[] {
  const out = frames.map((frame) => ({ ...frame, faces: [...frame.faces] }))
  for (let t = 0; t + 2 < frames.length; t++)
    for (const face of frames[t]!.faces) {
      const gap = gapAfter(frames, t, face)
      if (!gap) continue
      const { end, after } = gap
      const [from, to] = [frames[t]!.timestampSeconds, frames[end]!.timestampSeconds]
      for (let k = t + 1; k < end; k++)
        out[k]!.faces.push(between(face, after, (frames[k]!.timestampSeconds - from) / (to - from)))
    }
  for (const [t, frame] of out.entries()) {
    if (frame.faces.length === frames[t]!.faces.length) continue
    frame.faces.sort((a, b) => b.rect.width * b.rect.height - a.rect.width * a.rect.height)
    if (maxFaces > 0) frame.faces.length = Math.min(frame.faces.length, maxFaces)
  }
  return out
}

/** Where a face of frame `t` is seen next, if it is missing in between. */
function gapAfter(frames: readonly FrameFaces[], t: number, face: Face): { end: number; after: Face } | undefined {
  for (let end = t + 1; end < frames.length && end <= t + LONGEST_GAP + 1 && !frames[end]!.cut; end++) {
    const after = frames[end]!.faces.find((other) => isSameFace(face, other))
    if (!after) continue
    // Of several faces that were lost in one place, it is the one that is seen again that was there last.
    const before = frames[end - 1]!.faces.some((other) => isSameFace(other, after))
    return end > t + 1 && !before ? { end, after } : undefined
  }
  return undefined
}

/** A face `share` of the way from one to another, which nobody saw. */
export function between(a: Face, b: Face, share: number): Face {
  const { landmarks, outline, points } = a
  const mixed = (from: readonly Point[], to: readonly Point[]) =>
    from.map(([x, y], i): Point => [mix(x, to[i]![0], share), mix(y, to[i]![1], share)])
  const sameCount = <T>(p: readonly T[] | undefined, q: readonly T[] | undefined) => p && q && p.length === q.length
  return {
    landmarks: mixed(landmarks, b.landmarks),
    ...(sameCount(points, b.points) ? { points: mixed(points!, b.points!) } : {}),
    ...(outline && b.outline ? { outline: mixedOutline(outline, b.outline, share) } : {}),
    rect: mixedRect(a.rect, b.rect, share),
    region: mixedRegion(a.region, b.region, share),
    score: FILLED_SCORE,
    filled: true,
  }
}

/**
 * The outline `share` of the way from one to another: the hull of all sums of a corner of each. It has the sides of both
 * hulls, each as long as its share, in the order of their angles.
 *
 * Source: Minkowski sum, e.g. de Berg et al. 2008, Computational Geometry, https://doi.org/10.1007/978-3-540-77974-2
 */
function mixedOutline(a: readonly Point[], b: readonly Point[], share: number): Point[] {
  const [p, q] = [convexHull(a), convexHull(b)]
  if (p.length === 0 || q.length === 0) return []
  const sides = [...sidesOf(p, 1 - share), ...sidesOf(q, share)].sort((one, other) => one.angle - other.angle)
  let [x, y] = [mix(p[0]![0], q[0]![0], share), mix(p[0]![1], q[0]![1], share)]
  return sides.map(({ dx, dy }): Point => {
    const corner: Point = [x, y]
    x += dx
    y += dy
    return corner
  })
}

/** The sides of a hull that begins at its leftmost corner, by angles that rise from above -90° to 270°. */
function sidesOf(hull: readonly Point[], scale: number): { dx: number; dy: number; angle: number }[] {
  return hull.map(([x, y], i) => {
    const [nextX, nextY] = hull[(i + 1) % hull.length]!
    const [dx, dy] = [(nextX - x) * scale, (nextY - y) * scale]
    const angle = Math.atan2(dy, dx)
    return { dx, dy, angle: angle <= -Math.PI / 2 ? angle + 2 * Math.PI : angle }
  })
}
