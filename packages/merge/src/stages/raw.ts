import { applyAffine, invertAffine, resize, toBitmap } from '@dfl/image'
import type { MergeStage } from '../merge-face.js'
import { overlay } from './overlay.js'

/** A stage that lays the whole painted square over the frame, without a mask: to see what the model paints, in place. */
export function rawRgb(): MergeStage {
  const lay = overlay()
  return (face) => lay({ ...face, mask: { ...face.mask, data: new Float32Array(face.mask.data.length).fill(1) } })
}

/**
 * A stage that shows the painted square upright at the face's place, as the model sees it: neither turned back nor masked.
 *
 * Deviation: DFL writes the square alone; here the result keeps DST's size.
 */
export function rawPredict(): MergeStage {
  return (face) => {
    const { frame, dst } = face
    const faceToImageMat = invertAffine(face.imageToFaceMat)
    const middle = (dst.width - 1) / 2
    const [x, y] = applyAffine(faceToImageMat, [middle, middle])
    const scale = Math.hypot(faceToImageMat[0], faceToImageMat[3])
    const side = Math.max(1, Math.min(frame.width, frame.height, Math.round(scale * dst.width)))
    const within = (at: number, length: number) => Math.max(0, Math.min(length - side, Math.round(at - (side - 1) / 2)))
    const rect = { x: within(x, frame.width), y: within(y, frame.height), width: side, height: side }
    const rgb = toBitmap(resize(face.face, { width: side, height: side }), frame.data instanceof Uint16Array ? 16 : 8)
    const alpha = { data: new Float32Array(side * side).fill(1), width: side, height: side, channels: 1 } as const
    return { ...face, patch: { rect, bitmap: withChannels(rgb, frame.channels), alpha } }
  }
}

/** RGB samples as the frame has them. */
function withChannels(rgb: ReturnType<typeof toBitmap>, channels: 1 | 3 | 4): ReturnType<typeof toBitmap> {
  if (channels === 3) return rgb
  const count = rgb.width * rgb.height
  const wide = rgb.data instanceof Uint16Array
  const data = wide ? new Uint16Array(count * channels) : new Uint8Array(count * channels)
  data.fill(wide ? 65535 : 255)
  for (let p = 0; p < count; p++)
    for (let c = 0; c < Math.min(3, channels); c++) data[p * channels + c] = rgb.data[p * 3 + c]!
  return { ...rgb, data, channels }
}
