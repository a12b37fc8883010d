import type { Bitmap, Pixels, Rect } from '@dfl/core'
import { multiplyAffine, translation, warpAffine } from '@dfl/image'
import type { MergeStage } from '../merge-face.js'
import { PAINTED, placementOf } from './placed-face.js'

/**
 * A stage that lays the face over its frame as the mask says, at the frame's full resolution: the last of every chain.
 *
 * Pixels whose mask is 0 keep the frame's samples exactly.
 */
export function overlay(): MergeStage {
  let memory = new Float32Array(0)
  return (face) => {
    const { placed, frame } = face
    if (placed) {
      const { rect, alpha } = placed
      const bitmap = frameIn(rect, frame)
      lay(bitmap.data, { colour: placed.painted.data, alpha: alpha.data, channels: bitmap.channels })
      return { ...face, patch: { rect, bitmap, alpha } }
    }
    const placement = placementOf(face)
    if (!placement) return face
    const { rect, alpha, faceToRectMat } = placement
    const bitmap = frameIn(rect, frame)
    const { width } = rect
    const { channels } = bitmap
    if (memory.length < STRIP * width * 3) memory = new Float32Array(STRIP * width * 3)
    for (let y = 0; y < rect.height; y += STRIP) {
      const height = Math.min(STRIP, rect.height - y)
      const [from, end] = [y * width, (y + height) * width]
      const where: Pixels = { data: alpha.data.subarray(from, end), width, height, channels: 1 }
      const toStrip = multiplyAffine(translation(0, -y), faceToRectMat)
      const painted = warpAffine(face.face, toStrip, where, { ...PAINTED, where, into: memory })
      const pixels = bitmap.data.subarray(from * channels, end * channels)
      lay(pixels, { colour: painted.data, alpha: where.data, channels })
    }
    return { ...face, patch: { rect, bitmap, alpha } }
  }
}

/** Rows of the face that are made larger at once: so few that they stay in the processor's cache until they are laid over. */
const STRIP = 32

/** A copy of the frame's samples in `rect`. */
function frameIn(rect: Rect, { data, width, channels }: Bitmap): Bitmap {
  const length = rect.width * rect.height * channels
  const out = data instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length)
  const row = rect.width * channels
  for (let y = 0; y < rect.height; y++) {
    const from = ((rect.y + y) * width + rect.x) * channels
    out.set(data.subarray(from, from + row), y * row)
  }
  return { data: out, width: rect.width, height: rect.height, channels }
}

/** Colours over samples of a frame as alpha says, which is cut to 0..1 in place. */
function lay(out: Bitmap['data'], paint: Paint): void {
  if (out instanceof Uint8Array) blendBytes(out, paint)
  else blendWords(out, paint)
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
