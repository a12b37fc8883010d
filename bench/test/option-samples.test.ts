import type { FaceMeta, Point } from '@dfl/core'
import { memoryFaceset } from '@dfl/faceset'
import { describe, expect, it } from 'vitest'
import { orderMeasures } from '../src/option-samples.js'

const SIZE = 32

/** As many faces, of which nothing but their number matters. */
const faceset = (count: number) => {
  const landmarks = Array.from({ length: 68 }, (_, i): Point => [4 + (i % 9) * 3, 4 + Math.floor(i / 9) * 3])
  const faces = Array.from({ length: count }, (_, i): FaceMeta => {
    const source = { sourceFilename: `clip.mp4#${i}`, sourceLandmarks: landmarks, faceIndex: 0, score: 1 }
    const place = { sourceRect: { x: 0, y: 0, width: SIZE, height: SIZE }, imageToFaceMat: [1, 0, 0, 0, 1, 0] as const }
    const face = { filename: `${i}.png`, faceType: 'whole_face', size: SIZE, landmarks } as const
    return { ...face, ...source, ...place, frameIndex: i, timestampSeconds: i / 24 }
  })
  const black = { data: new Uint8Array(3 * SIZE * SIZE), width: SIZE, height: SIZE, channels: 3 as const }
  return memoryFaceset(
    faces,
    faces.map(() => black),
  )
}
const sides = { src: faceset(40), dst: faceset(40) }
const measured = (samples = {}) => orderMeasures(sides, { faceType: 'whole_face', batchSize: 4, ...samples })

describe('measures of the order of samples', () => {
  it('tell faces that are decoded again from those that are kept', async () => {
    expect((await measured())['faces decoded again']).toBe(0)
    expect((await measured({ cacheMegabytes: 0 }))['faces decoded again']).toBeGreaterThan(20)
  })

  it('tell pairs from faces that happen to be beside each other', async () => {
    expect((await measured({ paired: true }))['same place of both']).toBe(1)
    expect((await measured())['same place of both']).toBeLessThan(0.3)
  })
})
