import { applyAffine, createPixels, translation, warpAffine } from '@dfl/image'
import type { MergeStage } from '../merge-face.js'
import { expectPercent } from './texture.js'

/** A face that moves further between two frames than this share of its size was cut to, not moved. */
const FARTHEST = 0.4

/**
 * A stage that smears the painted face along its way since the frame before, as a camera's open shutter does.
 *
 * @param percent 0..100: how long the shutter is open, of the time from frame to frame; 50 is film's usual 180°.
 * Source: Potmesil, Chakravarty 1983, https://doi.org/10.1145/964967.801169. Deviation: DFL looks at the frames before and
 * after; here it is what lies behind, so that a video is merged as it comes.
 */
export function motionBlur(percent: number): MergeStage {
  expectPercent('motionBlur', percent, 0)
  return (face) => {
    const { past, meta, imageToFaceMat } = face
    if (!past || percent === 0) return face
    const count = meta.sourceLandmarks.length
    const centre = [0, 1].map((axis) => meta.sourceLandmarks.reduce((sum, point) => sum + point[axis]! / count, 0))
    const now = applyAffine(imageToFaceMat, [centre[0]!, centre[1]!])
    const then = applyAffine(imageToFaceMat, past.centre)
    const scale = (face.face.width / face.dst.width) * (percent / 100)
    const [dx, dy] = [(now[0] - then[0]) * scale, (now[1] - then[1]) * scale]
    const length = Math.hypot(dx, dy)
    if (length < 1 || length > FARTHEST * face.face.width) return face
    const steps = Math.ceil(length) + 1
    const { width, height } = face.face
    const out = createPixels(width, height, 3)
    for (let k = 0; k < steps; k++) {
      const at = k / (steps - 1) - 0.5
      const moved = warpAffine(face.face, translation(at * dx, at * dy), { width, height }, { border: 'replicate' })
      for (let i = 0; i < out.data.length; i++) out.data[i] = out.data[i]! + moved.data[i]! / steps
    }
    return { ...face, face: out }
  }
}
