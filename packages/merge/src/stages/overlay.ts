import type { Bitmap, Pixels, Rect } from '@dfl/core'
import type { MergeStage } from '../merge-face.js'
import { placedFace } from './placed-face.js'

/**
 * A stage that lays the face over its frame as the mask says, at the frame's full resolution: the last of every chain.
 *
 * Pixels whose mask is 0 keep the frame's samples exactly.
 */
export function overlay(): MergeStage {
  return (face) => {
    const placed = placedFace(face)
    if (!placed) return face
    const { rect, painted, alpha } = placed
    return { ...face, patch: { rect, bitmap: blend(face.frame, rect, painted, alpha), alpha } }
  }
}

/** The frame's samples in `rect` with `painted` over them as `alpha` says; `alpha` is cut to 0..1 in place. */
function blend(frame: Bitmap, rect: Rect, painted: Pixels, alpha: Pixels): Bitmap {
  const { channels, data } = frame
  const wide = data instanceof Uint16Array
  const length = rect.width * rect.height * channels
  const out = wide ? new Uint16Array(length) : new Uint8Array(length)
  const row = rect.width * channels
  for (let y = 0; y < rect.height; y++) {
    const from = ((rect.y + y) * frame.width + rect.x) * channels
    out.set(data.subarray(from, from + row), y * row)
  }
  const pixels = { colour: painted.data, alpha: alpha.data, channels }
  if (out instanceof Uint8Array) blendBytes(out, pixels)
  else blendWords(out, pixels)
  return { data: out, width: rect.width, height: rect.height, channels }
}

interface Paint {
  /** [count, 3] */
  colour: Float32Array
  /** [count] */
  alpha: Float32Array
  channels: number
}

/* One loop for each kind of samples: a shared one would look up their kind for every sample. */

function blendBytes(out: Uint8Array, { colour, alpha, channels }: Paint): void {
  const painted = Math.min(3, channels)
  for (let i = 0, at = 0; i < alpha.length; i++, at += channels) {
    const share = shareOf(alpha[i]!)
    alpha[i] = share
    if (share === 0) continue
    for (let c = 0; c < painted; c++) {
      const v = colour[i * 3 + c]!
      const to = v > 0 ? (v < 1 ? v * 255 : 255) : 0
      out[at + c] = out[at + c]! + share * (to - out[at + c]!) + 0.5
    }
  }
}

function blendWords(out: Uint16Array, { colour, alpha, channels }: Paint): void {
  const painted = Math.min(3, channels)
  for (let i = 0, at = 0; i < alpha.length; i++, at += channels) {
    const share = shareOf(alpha[i]!)
    alpha[i] = share
    if (share === 0) continue
    for (let c = 0; c < painted; c++) {
      const v = colour[i * 3 + c]!
      const to = v > 0 ? (v < 1 ? v * 65535 : 65535) : 0
      out[at + c] = out[at + c]! + share * (to - out[at + c]!) + 0.5
    }
  }
}

/** Below a 512th nothing would change. */
const shareOf = (alpha: number) => (alpha > 1 / 512 ? (alpha < 1 ? alpha : 1) : 0)
