import { transport } from '@dfl/image'
import type { MergeStage } from '../merge-face.js'
import { behind, placedFace } from './placed-face.js'

/**
 * A stage that gives each of the face's colour channels the histogram of what it covers in the frame, counted inside the
 * mask. Works in the frame's own pixels.
 *
 * Source: transport in one dimension, see `transport` of `@dfl/image`. Deviation from DFL: outside the mask nothing
 * counts, and bright pixels are not left out.
 */
export function histMatch(): MergeStage {
  return (face) => {
    const placed = placedFace(face)
    if (!placed) return face
    const { rect, alpha } = placed
    const frame = behind(face, rect)
    const painted = { ...placed.painted, data: placed.painted.data.slice() }
    const weights = { fromWeights: alpha.data, toWeights: alpha.data }
    for (let c = 0; c < 3; c++) {
      const move = transport(channel(painted.data, c), channel(frame.data, c), weights)
      for (let i = c; i < painted.data.length; i += 3) painted.data[i] = move(painted.data[i]!)
    }
    return { ...face, placed: { ...placed, painted } }
  }
}

/** One of three channels, cut to 0..1. */
function channel(data: Float32Array, c: number): Float32Array {
  const out = new Float32Array(data.length / 3)
  for (let p = 0, i = c; p < out.length; p++, i += 3) out[p] = Math.min(1, Math.max(0, data[i]!))
  return out
}
