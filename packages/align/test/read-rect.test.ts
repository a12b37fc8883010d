import { FACE_TYPES, Random } from '@dfl/core'
import { crop, multiplyAffine, translation, warpAffine } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import { faceCorners, imageToFaceMat, readRect } from '../src/index.js'
import { footage } from './support.js'

/** A face that leans, in a frame of noise. */
const face = footage('pair1-dst').frames[40].lm68.map(
  ([x, y]) => [x - 60 + 0.2 * (y - 240), y + 30 - 0.2 * x + 60] as const,
)
const random = new Random(1)
const frame = {
  data: Uint8Array.from({ length: 520 * 480 * 3 }, () => random.integer(256)),
  width: 520,
  height: 480,
  channels: 3 as const,
}

describe('readRect', () => {
  it.each([48, 64, 96, 256])('holds all that cutting a face of %i px reads', (size) => {
    const { x, y, width, height } = readRect(face, 'full_face', size)
    const left = Math.max(0, x)
    const top = Math.max(0, y)
    const rect = { x: left, y: top, width: Math.min(520, x + width) - left, height: Math.min(480, y + height) - top }
    expect(rect.width * rect.height).toBeLessThan(0.9 * 520 * 480)
    const mat = imageToFaceMat(face, 'full_face', size)
    const options = { interpolation: 'cubic', border: 'replicate' } as const
    const whole = warpAffine(frame, mat, { width: size, height: size }, options)
    const shifted = multiplyAffine(mat, translation(left, top))
    const part = warpAffine(crop(frame, rect), shifted, { width: size, height: size }, options)
    let largest = 0
    for (const [i, v] of whole.data.entries()) largest = Math.max(largest, Math.abs(v - part.data[i]))
    expect(largest).toBeLessThan(1e-6)
  })

  it.each(FACE_TYPES)('holds the square of %s', (faceType) => {
    const { x, y, width, height } = readRect(face, faceType, 64)
    for (const [px, py] of faceCorners(face, faceType)) {
      expect(px).toBeGreaterThan(x)
      expect(px).toBeLessThan(x + width)
      expect(py).toBeGreaterThan(y)
      expect(py).toBeLessThan(y + height)
    }
  })
})
