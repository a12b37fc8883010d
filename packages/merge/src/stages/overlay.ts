import type { Bitmap, Rect } from '@dfl/core'
import { layOver, samplesLike, translation } from '@dfl/image'
import type { MergeStage } from '../merge-face.js'
import { placementOf } from './placed-face.js'

/**
 * A stage that lays the face over its frame as the mask says, at the frame's full resolution: the last of every chain.
 *
 * Pixels whose mask is 0 keep the frame's samples exactly.
 */
export function overlay(): MergeStage {
  return (face) => {
    const { placed, frame } = face
    const placement = placed ?? placementOf(face)
    if (!placement) return face
    const { rect, alpha } = placement
    const bitmap = frameIn(rect, frame)
    if ('painted' in placement) layOver(bitmap, placement.painted, translation(0, 0), alpha)
    else layOver(bitmap, face.face, placement.faceToRectMat, alpha)
    return { ...face, patch: { rect, bitmap, alpha } }
  }
}

/** A copy of the frame's samples in `rect`. */
function frameIn(rect: Rect, { data, width, channels }: Bitmap): Bitmap {
  const out = samplesLike(data, rect.width * rect.height * channels)
  const row = rect.width * channels
  for (let y = 0; y < rect.height; y++) {
    const from = ((rect.y + y) * width + rect.x) * channels
    out.set(data.subarray(from, from + row), y * row)
  }
  return { data: out, width: rect.width, height: rect.height, channels }
}
