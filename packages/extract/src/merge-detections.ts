import { overlap } from './region.js'
import type { Detection } from './types.js'

/** Detections that overlap more than this are of one face. */
const SAME_FACE = 0.3

/**
 * One detection per face: overlapping ones become their average, weighted by score.
 *
 * Source: "blending", Bazarevsky et al. 2019, BlazeFace, https://arxiv.org/abs/1907.05047
 */
export function mergeDetections(detections: readonly Detection[]): Detection[] {
  const rest = [...detections].sort((a, b) => b.score - a.score)
  const out: Detection[] = []
  while (rest.length > 0) {
    const best = rest.shift()!
    const group = [best]
    for (let i = rest.length - 1; i >= 0; i--)
      if (overlap(best.rect, rest[i]!.rect) > SAME_FACE) group.push(...rest.splice(i, 1))
    out.push(average(group))
  }
  return out
}

/** The weighted average of a group; its first is the best. */
function average(group: readonly Detection[]): Detection {
  const total = group.reduce((sum, { score }) => sum + score, 0)
  const mean = (value: (detection: Detection) => number) =>
    group.reduce((sum, detection) => sum + value(detection) * detection.score, 0) / total
  return {
    rect: {
      x: mean((d) => d.rect.x),
      y: mean((d) => d.rect.y),
      width: mean((d) => d.rect.width),
      height: mean((d) => d.rect.height),
    },
    keyPoints: group[0]!.keyPoints.map((_, k) => [mean((d) => d.keyPoints[k]![0]), mean((d) => d.keyPoints[k]![1])]),
    score: group[0]!.score,
  }
}
