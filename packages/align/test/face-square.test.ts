import { readFileSync } from 'node:fs'
import { type Affine, FACE_TYPES, type FaceType, type Landmarks, type Point } from '@dfl/core'
import { affineScale, applyAffine, applyAffineAll, invertAffine, multiplyAffine } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import { faceCorners, faceToFaceMat, faceTypeContains, imageToFaceMat, similarityTransform } from '../src/index.js'
import { distance, footage, largestDifference } from './support.js'

interface Golden {
  cases: { landmarks: Point[]; mats256: Record<FaceType, Affine>; wholeFace192Scale115: Affine }[]
  similarity: { from: Point[]; to: Point[]; mat: Affine; mirrored: Point[]; matMirrored: Affine }
}
const golden: Golden = JSON.parse(readFileSync(new URL('./golden/align.json', import.meta.url), 'utf8'))
const face = footage('pair1-dst').frames[40].lm68

describe('similarityTransform', () => {
  it('equals Umeyama with singular values, also for mirrored points', () => {
    const { from, to, mat, mirrored, matMirrored } = golden.similarity
    expect(largestDifference(similarityTransform(from, to), mat)).toBeLessThan(1e-9)
    expect(largestDifference(similarityTransform(from, mirrored), matMirrored)).toBeLessThan(1e-9)
  })

  it('finds an exact map again', () => {
    const mat: Affine = [0.6, -0.8, 12, 0.8, 0.6, -7]
    const points: Point[] = [
      [1, 2],
      [5, -3],
      [0, 9],
    ]
    expect(largestDifference(similarityTransform(points, applyAffineAll(mat, points)), mat)).toBeLessThan(1e-12)
  })

  it('says which points do not do', () => {
    expect(() => similarityTransform([[1, 1]], [])).toThrow('Expected 1 points for `to`, but got 0.')
    expect(() => similarityTransform([[1, 1]], [[1, 1]])).toThrow('Expected at least 2 points for `from`, but got 1.')
    const same: Point[] = [
      [3, 3],
      [3, 3],
    ]
    expect(() => similarityTransform(same, same)).toThrow(
      'Expected finite points that are not all the same for `from`, but got points that fix no scale. Detect the face again.',
    )
  })
})

describe('imageToFaceMat', () => {
  it.each(FACE_TYPES)('equals the independent computation for %s', (faceType) => {
    for (const { landmarks, mats256 } of golden.cases)
      expect(largestDifference(imageToFaceMat(landmarks, faceType, 256), mats256[faceType])).toBeLessThan(1e-8)
  })

  it('shrinks what it cuts by a scale above 1', () => {
    for (const { landmarks, wholeFace192Scale115 } of golden.cases) {
      const mat = imageToFaceMat(landmarks, 'whole_face', 192, { scale: 1.15 })
      expect(largestDifference(mat, wholeFace192Scale115)).toBeLessThan(1e-8)
    }
  })

  it('cuts squares as large as published, in sides of the mean face', () => {
    const [topLeft, topRight] = faceCorners(face, 'half_face')
    const unit = distance(topLeft, topRight)
    const sides = FACE_TYPES.map((type) => {
      const [p0, p1, p2, p3] = faceCorners(face, type)
      expect(distance(p0, p1)).toBeCloseTo(distance(p1, p2), 8)
      expect(distance(p2, p3)).toBeCloseTo(distance(p3, p0), 8)
      return Math.round((distance(p0, p1) / unit) * 1000) / 1000
    })
    expect(sides).toEqual([1, 1.191, 1.597, 2.131, 2.98])
  })

  it('puts the corners of the square at the outer corners of the corner pixels', () => {
    for (const type of FACE_TYPES) {
      const corners = applyAffineAll(imageToFaceMat(face, type, 128), faceCorners(face, type))
      const expected = [-0.5, -0.5, 127.5, -0.5, 127.5, 127.5, -0.5, 127.5]
      expect(largestDifference(corners.flat(), expected)).toBeLessThan(1e-9)
    }
  })

  it('gives the same picture at twice the size: pixel edges, not centres, stay in place', () => {
    const small = imageToFaceMat(face, 'whole_face', 100)
    const large = imageToFaceMat(face, 'whole_face', 200)
    const doubled = multiplyAffine([2, 0, 0.5, 0, 2, 0.5], small)
    expect(largestDifference(large, doubled)).toBeLessThan(1e-9)
  })

  it('follows the face when the frame is moved, turned and scaled', () => {
    const move: Affine = [1.1, -0.7, 40, 0.7, 1.1, -9]
    for (const type of FACE_TYPES) {
      const moved = imageToFaceMat(applyAffineAll(move, face), type, 256)
      expect(largestDifference(multiplyAffine(moved, move), imageToFaceMat(face, type, 256))).toBeLessThan(1e-8)
    }
  })

  it('shifts a turned head towards its hidden side, and a straight one hardly at all', () => {
    const shift = (landmarks: Landmarks) => {
      const frameToHead = imageToFaceMat(landmarks, 'head', 298)
      const full = faceCorners(landmarks, 'full_face')
      const middle: Point = [(full[0][0] + full[2][0]) / 2, (full[0][1] + full[2][1]) / 2]
      return applyAffine(frameToHead, middle)[0] - 148.5
    }
    const clip = footage('pair1-src').frames
    const most = clip.reduce((a, b) => (b.yaw > a.yaw ? b : a))
    const least = clip.reduce((a, b) => (b.yaw < a.yaw ? b : a))
    const straight = clip.reduce((a, b) => (Math.abs(b.yaw) < Math.abs(a.yaw) ? b : a))
    // Turned to the right of the image, the back of the head is on the left: the square goes left, the face right in it.
    expect(shift(most.lm68)).toBeGreaterThan(10)
    expect(shift(least.lm68)).toBeLessThan(-10)
    expect(Math.abs(shift(straight.lm68))).toBeLessThan(3)
  })

  it('brings every landmark of a real crop back to the frame', () => {
    const mat = imageToFaceMat(face, 'head', 512)
    const back = applyAffineAll(invertAffine(mat), applyAffineAll(mat, face))
    expect(largestDifference(back.flat(), face.flat())).toBeLessThan(1e-9)
  })

  it('refuses wrong landmarks, types, sizes and scales', () => {
    expect(() => imageToFaceMat(face.slice(0, 5), 'head', 256)).toThrow(
      'Expected 68 points for `landmarks`, but got 5. Use a landmarker of the iBUG 300-W layout.',
    )
    expect(() => imageToFaceMat(face.with(3, [1, Number.NaN]), 'head', 256)).toThrow(
      'Expected finite coordinates for `landmarks`, but got (1, NaN) at index 3.',
    )
    expect(() => imageToFaceMat(face, 'face' as FaceType, 256)).toThrow(
      "Expected one of half_face, midfull_face, full_face, whole_face, head for `faceType`, but got 'face'.",
    )
    expect(() => imageToFaceMat(face, 'head', 0)).toThrow('Expected a number above 0 for `size`, but got 0.')
    expect(() => imageToFaceMat(face, 'head', 256, { scale: -1 })).toThrow(
      'Expected a number above 0 for `scale`, but got -1.',
    )
  })
})

describe('faceToFaceMat', () => {
  it('cuts a tighter face out of an aligned one as if out of the frame', () => {
    const toWhole = imageToFaceMat(face, 'whole_face', 512)
    const wholeToFull = faceToFaceMat(applyAffineAll(toWhole, face), { from: 'whole_face', to: 'full_face', size: 224 })
    const direct = imageToFaceMat(face, 'full_face', 224)
    expect(largestDifference(multiplyAffine(wholeToFull, toWhole), direct)).toBeLessThan(1e-8)
    expect(affineScale(wholeToFull)).toBeCloseTo((224 / 512) * (2.131 / 1.597), 3)
  })

  it('refuses to show more than there is', () => {
    expect(() => faceToFaceMat(face, { from: 'full_face', to: 'head', size: 224 })).toThrow(
      'Expected a face type within full_face for `to`, but got head. Extract again with --face-type head.',
    )
  })

  it('knows which type contains which', () => {
    expect(faceTypeContains('head', 'half_face')).toBe(true)
    expect(faceTypeContains('full_face', 'full_face')).toBe(true)
    expect(faceTypeContains('full_face', 'whole_face')).toBe(false)
  })
})
