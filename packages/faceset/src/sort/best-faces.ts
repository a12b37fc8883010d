import { dissimilarity, histogramDistance } from './chains.js'
import type { FaceFacts } from './face-facts.js'

/** Yaw is told apart in so many steps, over what faces can be turned and still be found. */
const YAW_STEPS = 128
const WIDEST_YAW_DEGREES = (1.2 * 180) / Math.PI

/**
 * The faces that show most of a person, `target` of them or all: as many of every yaw as there are, of each yaw as many of
 * every pitch, and among those the best and the least alike. From left to right.
 *
 * @param facts With gray histograms.
 * @param quality Of a face; more is better.
 */
export function bestFaces(
  facts: readonly FaceFacts[],
  target: number,
  quality: (face: FaceFacts) => number,
): FaceFacts[] {
  const bins: FaceFacts[][] = Array.from({ length: YAW_STEPS }, () => [])
  for (const face of facts) {
    const share = (face.yawDegrees + WIDEST_YAW_DEGREES) / (2 * WIDEST_YAW_DEGREES)
    bins[Math.min(YAW_STEPS - 1, Math.max(0, Math.floor(share * YAW_STEPS)))]!.push(face)
  }
  const quotas = evenQuotas(
    bins.map(({ length }) => length),
    target,
  )
  return bins.flatMap((bin, i) => {
    const quota = quotas[i]!
    if (quota === 0) return []
    const sharpest = [...bin].sort((a, b) => quality(b) - quality(a)).slice(0, 10 * quota)
    return byTurns(pitchBins(sharpest, quota).map(leastAlikeFirst), quota)
  })
}

/** How many to take of each bin: the same of all, what some bins lack from those that have more. */
export function evenQuotas(counts: readonly number[], target: number): number[] {
  const quotas = counts.map(() => 0)
  let left = Math.min(
    target,
    counts.reduce((sum, count) => sum + count, 0),
  )
  while (left > 0) {
    const open = counts.flatMap((count, i) => (quotas[i]! < count ? [i] : []))
    const each = Math.floor(left / open.length)
    // The last few go to bins that are spread evenly.
    if (each === 0) {
      for (let n = 0; n < left; n++) quotas[open[Math.floor((n * open.length) / left)]!]!++
      break
    }
    for (const i of open) {
      const more = Math.min(each, counts[i]! - quotas[i]!)
      quotas[i]! += more
      left -= more
    }
  }
  return quotas
}

function pitchBins(faces: readonly FaceFacts[], count: number): FaceFacts[][] {
  const bins: FaceFacts[][] = Array.from({ length: count }, () => [])
  for (const face of faces)
    bins[Math.min(count - 1, Math.max(0, Math.floor(((face.pitchDegrees + 90) / 180) * count)))]!.push(face)
  return bins
}

function leastAlikeFirst(faces: readonly FaceFacts[]): FaceFacts[] {
  const none = new Float32Array(64)
  const unlike = dissimilarity(faces, (a, b) => histogramDistance(a.grayHistogram ?? none, b.grayHistogram ?? none))
  return faces
    .map((face, i) => ({ face, unlike: unlike[i]! }))
    .sort((a, b) => b.unlike - a.unlike)
    .map(({ face }) => face)
}

/** The first of each list, then the second of each, until there are enough. */
function byTurns<T>(lists: readonly (readonly T[])[], count: number): T[] {
  const out: T[] = []
  for (let i = 0; out.length < count && lists.some((list) => i < list.length); i++)
    for (const list of lists) if (i < list.length && out.length < count) out.push(list[i]!)
  return out
}
