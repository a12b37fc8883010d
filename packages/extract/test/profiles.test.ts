import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { estimatePose } from '@dfl/align'
import type { Bitmap, Landmarks } from '@dfl/core'
import { toBitmap, warpAffine } from '@dfl/image'
import { readImage } from '@dfl/media'
import { afterAll, describe, expect, it } from 'vitest'
import {
  attentionMesh,
  blazeFace,
  detectFaces,
  type Face,
  faceLandmarker,
  profileInput,
  profileLandmarker,
  regionOfLandmarks,
  regionOfProfile,
} from '../src/index.js'
import { framesOf, grayImage, truthOf } from './footage.js'

/** Rendered heads seen from the side and one from behind, by `scripts/golden/profile-faces.mjs`. */
const golden = (name: string) => fileURLToPath(new URL(`golden/${name}`, import.meta.url))
const { tile, faces } = JSON.parse(await readFile(golden('profiles.json'), 'utf8')) as {
  tile: { width: number; height: number }
  faces: { yawDegrees: number; landmarks: Landmarks; eyeDistance: number }[]
}
const strip = await readImage(golden('profiles.jpg'))
const pictures = faces.map((face, i) => ({
  ...face,
  image: toBitmap(warpAffine(strip, [1, 0, -i * tile.width, 0, 1, 0], tile)),
}))
const profiles = pictures.slice(0, -1)
const behind = pictures.at(-1)!.image

const detector = await blazeFace()
const landmarker = await faceLandmarker()
const profile = await profileLandmarker()
const mesh = await attentionMesh()
afterAll(async () => {
  for (const network of [detector, landmarker, profile, mesh]) await network[Symbol.asyncDispose]()
})

/** Mean distance of landmarks 17..67 from the truth, in distances of the eyes of the same head seen from the front. */
function errorOf(found: Landmarks, { landmarks, eyeDistance }: (typeof faces)[number]): number {
  let sum = 0
  for (let i = 17; i < 68; i++) sum += Math.hypot(found[i]![0] - landmarks[i]![0], found[i]![1] - landmarks[i]![1]) / 51
  return sum / eyeDistance
}

const mirrorImage = (image: Bitmap) =>
  toBitmap(warpAffine(image, [-1, 0, image.width - 1, 0, 1, 0], { width: image.width, height: image.height }))

describe('faces seen from the side', () => {
  it.each(profiles)('are found at a yaw of $yawDegrees degrees, where they are', async (known) => {
    const found = await detectFaces(known.image, { detector, landmarker })
    expect(found).toHaveLength(1)
    expect(errorOf(found[0]!.landmarks, known)).toBeLessThan(0.12)
    const { yawDegrees } = estimatePose(found[0]!.landmarks)
    expect(Math.abs(yawDegrees - known.yawDegrees)).toBeLessThan(20)
  })

  it('are upright in the region of their landmarks, though one eye lies behind the other', async () => {
    for (const { image, landmarks } of profiles) {
      const region = regionOfLandmarks(landmarks)
      // The line of the eyes would have it on its head, or on its side.
      expect(Math.abs(region.rollRadians)).toBeLessThan(0.6)
      expect((await landmarker.landmarks(image, region)).score).toBeGreaterThan(0.5)
    }
  })

  it('are what the mesh alone does not know', async () => {
    const lists: Face[][] = []
    for (const { image } of profiles) lists.push(await detectFaces(image, { detector, landmarker: mesh }))
    expect(lists.filter((found, i) => found.some((face) => errorOf(face.landmarks, profiles[i]!) < 0.12))).toEqual([])
  })

  it('are none where a head is seen from behind, and in an empty picture', async () => {
    // Turned by quarters, the mesh takes ears for faces.
    expect(await detectFaces(behind, { detector, landmarker, rotations: 'off' })).toEqual([])
    const onHead = { centre: [140, 100] as const, sizePx: 150, rollRadians: 0 }
    expect((await profile.landmarks(behind, onHead)).score).toBeLessThan(0.5)
    const region = { centre: [140, 110] as const, sizePx: 150, rollRadians: 0 }
    expect((await profile.landmarks(grayImage(280, 220), region)).score).toBeLessThan(0.5)
  })
})

describe('profileLandmarker', () => {
  it('sees in a mirror what it sees, with left and right exchanged', async () => {
    const { image, landmarks } = profiles[0]!
    const region = regionOfProfile(landmarks)
    const seen = await profile.landmarks(image, region)
    const mirrored = await profile.landmarks(mirrorImage(image), {
      ...region,
      centre: [tile.width - 1 - region.centre[0], region.centre[1]],
      rollRadians: -region.rollRadians,
    })
    expect(mirrored.score).toBeCloseTo(seen.score, 3)
    // Lower lip, far and near corner of the mouth; brows; the tip of the nose.
    for (const [i, partner] of [
      [57, 57],
      [48, 54],
      [17, 26],
      [36, 45],
      [0, 16],
      [30, 30],
    ] as const) {
      const [x, y] = mirrored.landmarks[i]!
      expect(
        Math.hypot(tile.width - 1 - x - seen.landmarks[partner]![0], y - seen.landmarks[partner]![1]),
      ).toBeLessThan(0.1)
    }
  })

  it('sees no face from the side in one from the front', async () => {
    const [image] = await framesOf('pair1-dst.mp4', 1)
    const [truth] = truthOf('pair1-dst.json')
    expect((await profile.landmarks(image!, regionOfLandmarks(truth!))).score).toBeLessThan(0.5)
  })
})

describe('faceLandmarker', () => {
  it('is the mesh where a face is seen from the front', async () => {
    const [image] = await framesOf('pair1-dst.mp4', 1)
    const [truth] = truthOf('pair1-dst.json')
    const region = regionOfLandmarks(truth!)
    expect(await landmarker.landmarks(image!, region)).toEqual(await mesh.landmarks(image!, region))
  })

  it('is the network for profiles where one is seen from the side', async () => {
    for (const { image, landmarks } of profiles) {
      const region = regionOfProfile(landmarks)
      expect((await landmarker.landmarks(image, region)).landmarks).toEqual(
        (await profile.landmarks(image, region)).landmarks,
      )
    }
  })
})

describe('regionOfProfile', () => {
  it('stands upright and turns with the picture, although the eyes lie one behind the other', () => {
    const { landmarks } = profiles[0]!
    const upright = regionOfProfile(landmarks)
    expect(Math.abs(upright.rollRadians)).toBeLessThan(0.15)
    const turned = regionOfProfile(landmarks.map(([x, y]) => [-y, x] as const))
    expect(turned.rollRadians - upright.rollRadians).toBeCloseTo(Math.PI / 2, 6)
    expect(turned.sizePx).toBeCloseTo(upright.sizePx, 6)
    expect(turned.centre[0]).toBeCloseTo(-upright.centre[1], 6)
  })
})

it('profileInput takes light and exposure out', () => {
  const gray = Float32Array.from({ length: 100 }, (_, i) => (i % 7) / 7)
  const [as, brighter] = [profileInput(gray), profileInput(gray.map((value) => 0.3 + 0.5 * value))]
  expect(Math.max(...as.map((value, i) => Math.abs(value - brighter[i]!)))).toBeLessThan(0.12)
  expect(Math.abs(as.reduce((a, b) => a + b) / 100)).toBeLessThan(1e-5)
})
