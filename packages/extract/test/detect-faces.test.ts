import type { Bitmap, Landmarks, Point, Raster } from '@dfl/core'
import { toBitmap, warpAffine } from '@dfl/image'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  attentionMesh,
  blazeFace,
  type DetectFacesOptions,
  detectFaces,
  dlibEmbedder,
  type Face,
  type FaceDetector,
  type FaceRegion,
  followFaces,
  type Landmarker,
  regionOfLandmarks,
  SAME_PERSON_DISTANCE,
} from '../src/index.js'
import { framesOf, grayImage, landmarkError, truthOf } from './footage.js'

let options: DetectFacesOptions
let dst: Bitmap[]
let src: Bitmap
let embedder: Awaited<ReturnType<typeof dlibEmbedder>>
const truth = truthOf('pair1-dst.json')
const owned: AsyncDisposable[] = []

beforeAll(async () => {
  const detector = await blazeFace()
  const landmarker = await attentionMesh()
  embedder = await dlibEmbedder()
  owned.push(detector, landmarker, embedder)
  options = { detector, landmarker }
  dst = await framesOf('pair1-dst.mp4', 12)
  src = (await framesOf('pair1-src.mp4', 1))[0]!
})
afterAll(async () => {
  for (const item of owned) await item[Symbol.asyncDispose]()
})

/** `image` turned about its middle, with room around it. */
function turned(image: Bitmap, degrees: number): { image: Bitmap; toTurned: (point: Point) => Point } {
  const angle = (degrees / 180) * Math.PI
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const side = image.width
  const [cx, cy, m] = [(image.width - 1) / 2, (image.height - 1) / 2, (side - 1) / 2]
  const mat = [cos, -sin, m - cos * cx + sin * cy, sin, cos, m - sin * cx - cos * cy] as const
  const size = { width: side, height: side }
  return {
    image: toBitmap(warpAffine(image, mat, size, { borderValue: 0.4 })),
    toTurned: ([x, y]) => [mat[0] * x + mat[1] * y + mat[2], mat[3] * x + mat[4] * y + mat[5]],
  }
}

/** `parts` drawn at places of a gray image. */
function collage(
  width: number,
  height: number,
  parts: { image: Bitmap; x: number; y: number; scale: number }[],
): Bitmap {
  const out = grayImage(width, height)
  for (const { image, x, y, scale } of parts) {
    const size = { width: Math.floor(image.width * scale), height: Math.floor(image.height * scale) }
    const part = toBitmap(warpAffine(image, [scale, 0, 0, 0, scale, 0], size))
    for (let row = 0; row < size.height; row++)
      (out.data as Uint8Array).set(
        part.data.subarray(row * size.width * 3, (row + 1) * size.width * 3),
        ((y + row) * width + x) * 3,
      )
  }
  return out
}

describe('detectFaces', () => {
  it('finds the one face of a frame, with landmarks within 6 % of the distance of the eyes', async () => {
    const faces = await detectFaces(dst[0]!, options)
    expect(faces).toHaveLength(1)
    expect(faces[0]!.landmarks).toHaveLength(68)
    expect(faces[0]!.points).toHaveLength(478)
    expect(faces[0]!.score).toBeGreaterThan(0.9)
    expect(landmarkError(faces[0]!.landmarks, truth[0]!)).toBeLessThan(0.06)
  })

  it('finds faces that lie on either side', async () => {
    const straight = turned(dst[0]!, 0)
    expect(await detectFaces(straight.image, options)).toHaveLength(1)
    for (const degrees of [90, -90, 45]) {
      const { image, toTurned } = turned(dst[0]!, degrees)
      const faces = await detectFaces(image, options)
      expect(faces, `${degrees} degrees`).toHaveLength(1)
      expect(landmarkError(faces[0]!.landmarks, truth[0]!.map(toTurned))).toBeLessThan(0.08)
    }
  })

  it.each([0.6, 0.9])('turns a face that stands on its head and was found with a score of %d', async (score) => {
    const { image, toTurned } = turned(dst[0]!, 180)
    const [found] = await detectFaces(turned(dst[0]!, 0).image, options)
    const [x, y] = toTurned([found!.rect.x + found!.rect.width / 2, found!.rect.y + found!.rect.height / 2 - 140])
    // Knows up from down by the dark hair; otherwise sure of nothing.
    const brightness = (bitmap: Raster, from: number, to: number) => {
      const part = bitmap.data.subarray(from * bitmap.width * 3, to * bitmap.width * 3)
      return Float32Array.from(part).reduce((sum, value) => sum + value, 0) / part.length
    }
    const detector: FaceDetector = {
      name: 'hair',
      inputPx: 256,
      async detect(view) {
        if (view.width === image.width)
          return [{ rect: { x: x - 110, y: y - 110, width: 220, height: 220 }, keyPoints: [], score }]
        const hairOnTop = brightness(view, 69, 93) < brightness(view, 153, 176)
        return [{ rect: { x: 50, y: 50, width: 150, height: 150 }, keyPoints: [], score: hairOnTop ? 0.95 : 0.4 }]
      },
    }
    const [face] = await detectFaces(image, { ...options, detector })
    expect(landmarkError(face!.landmarks, truth[0]!.map(toTurned))).toBeLessThan(0.08)
    const [wrong] = await detectFaces(image, { ...options, detector, rotations: 'off' })
    expect(landmarkError(wrong!.landmarks, truth[0]!.map(toTurned))).toBeGreaterThan(0.5)
  })

  it('gives two people apart, the larger first, and one if only one is asked for', async () => {
    const both = collage(1000, 400, [
      { image: src, x: 0, y: 20, scale: 0.6 },
      { image: dst[0]!, x: 400, y: 20, scale: 0.9 },
    ])
    const faces = await detectFaces(both, options)
    expect(faces).toHaveLength(2)
    expect(faces[0]!.rect.x).toBeGreaterThan(400)
    expect(faces[0]!.rect.width).toBeGreaterThan(faces[1]!.rect.width)
    expect(await detectFaces(both, { ...options, maxFaces: 1 })).toHaveLength(1)
  })

  it('finds a small face by looking at parts, unless that is switched off or the face is too small to be wanted', async () => {
    const far = collage(1590, 900, [{ image: dst[0]!, x: 1200, y: 600, scale: 0.19 }])
    const seen = await detectFaces(far, { ...options, minSize: 16 })
    expect(seen).toHaveLength(1)
    expect(seen[0]!.rect.x).toBeGreaterThan(1200)
    expect(await detectFaces(far, { ...options, minSize: 200 })).toEqual([])
  })

  it('finds everybody in a wide shot, far smaller faces beside larger ones too', async () => {
    const crowd = collage(1280, 720, [
      { image: dst[0]!, x: 500, y: 200, scale: 0.6 },
      { image: src, x: 60, y: 40, scale: 0.16 },
      { image: dst[11]!, x: 1000, y: 90, scale: 0.2 },
      { image: src, x: 200, y: 560, scale: 0.2 },
    ])
    const faces = await detectFaces(crowd, { ...options, minSize: 16 })
    expect(faces).toHaveLength(4)
    expect(await detectFaces(crowd, { ...options, minSize: 16, tiles: 'off' })).not.toHaveLength(4)
  })

  it('finds nothing in an image without faces', async () => {
    expect(await detectFaces(grayImage(320, 240), options)).toEqual([])
  })

  it('works with any detector: eyes are not needed, and doubled or wrong proposals do no harm', async () => {
    const box = { x: 230, y: 60, width: 220, height: 260 }
    const mine: FaceDetector = {
      name: 'mine',
      detect: async () => [
        { rect: box, keyPoints: [], score: 0.9 },
        { rect: { ...box, x: 240 }, keyPoints: [], score: 0.8 },
        { rect: { x: 10, y: 10, width: 50, height: 50 }, keyPoints: [], score: 0.9 },
      ],
    }
    const faces = await detectFaces(dst[0]!, { ...options, detector: mine })
    expect(faces).toHaveLength(1)
    expect(landmarkError(faces[0]!.landmarks, truth[0]!)).toBeLessThan(0.08)
  })
})

describe('followFaces', () => {
  const none = Array(13).fill(false)
  const blind: FaceDetector = { name: 'blind', detect: async () => [] }

  it('follows a face forwards without asking the detector again', async () => {
    const first = await detectFaces(dst[0]!, options)
    const found = await followFaces({ frames: dst, cuts: none, first, next: [] }, { ...options, detector: blind })
    for (const [t, faces] of found.entries()) {
      expect(faces).toHaveLength(1)
      expect(landmarkError(faces[0]!.landmarks, truth[t]!)).toBeLessThan(0.06)
    }
  })

  it('follows a face backwards from where it was found', async () => {
    const next = await detectFaces(dst[11]!, options)
    const frames = dst.slice(0, 11)
    const found = await followFaces({ frames, cuts: none, first: [], next }, { ...options, detector: blind })
    expect(found.map((faces) => faces.length)).toEqual(Array(11).fill(1))
  })

  it('does not follow across a cut, in neither direction', async () => {
    const first = await detectFaces(dst[0]!, options)
    const next = await detectFaces(dst[11]!, options)
    const cuts = none.map((_, t) => t === 1 || t === 3)
    const frames = dst.slice(0, 3)
    const found = await followFaces({ frames, cuts, first, next }, { ...options, detector: blind })
    expect(found.map((faces) => faces.length)).toEqual([1, 0, 0])
  })

  it('lets go of a face that is no longer there', async () => {
    const first = await detectFaces(dst[0]!, options)
    const frames = [dst[0]!, grayImage(640, 360), grayImage(640, 360)]
    const found = await followFaces({ frames, cuts: none, first, next: [] }, options)
    expect(found.map((faces) => faces.length)).toEqual([1, 0, 0])
  })
})

describe('detectFaces at a profile', () => {
  const nose: Point = [103, 155]
  const mouth: Point = [115, 178]
  // Its eyes are so close to each other that the line between them tells nothing: here it falls by 72 degrees.
  const eyes: Point[] = [
    [130, 130],
    [132, 136],
  ]
  const detector: FaceDetector = {
    name: 'one profile',
    detect: async () => [
      { rect: { x: 100, y: 100, width: 100, height: 100 }, keyPoints: [...eyes, nose, mouth], score: 0.99 },
    ],
  }
  const pointsAt = (shiftPx: number): Landmarks =>
    Array.from({ length: 68 }, (_, i): Point => {
      const [x, y] = i === 30 ? nose : i >= 48 ? mouth : ([105 + 4 * (i % 17), 110 + 30 * Math.floor(i / 17)] as const)
      return [x + shiftPx, y]
    })
  /** What a landmarker sees in one look after another, by how sure it is and how far away; and the regions it is shown. */
  const landmarkerOf = (looks: readonly { score: number; shiftPx: number }[]) => {
    const regions: FaceRegion[] = []
    const landmarker: Landmarker = {
      name: 'as told',
      landmarks: async (_, region) => {
        regions.push(region)
        const { score, shiftPx } = looks[regions.length - 1]!
        return { landmarks: pointsAt(shiftPx), score, region: { ...region, sizePx: region.sizePx + 1 } }
      },
    }
    return { regions, landmarker }
  }
  const lookAt = (landmarker: Landmarker) =>
    detectFaces(grayImage(300, 300), { detector, landmarker, rotations: 'off', tiles: 'off' })

  it('takes the roll from nose and mouth, and looks three times, each time where the last look points', async () => {
    const { regions, landmarker } = landmarkerOf([0, 0.1, 0.8].map((score) => ({ score, shiftPx: 0 })))
    const [face] = await lookAt(landmarker)
    expect(face!.score).toBe(0.8)
    expect(regions.map(({ sizePx }) => sizePx)).toEqual([150, 151, 152])
    expect(Math.abs(regions[0]!.rollRadians)).toBeLessThan(0.05)
  })

  it('believes no look that is sure of a nose and a mouth elsewhere', async () => {
    const looks = [
      { score: 0.6, shiftPx: 3 },
      { score: 1, shiftPx: 30 },
      { score: 0.7, shiftPx: 5 },
    ]
    const [face] = await lookAt(landmarkerOf(looks).landmarker)
    expect(face!.landmarks).toEqual(pointsAt(5))
    const astray = [0, 1, 2].map(() => ({ score: 1, shiftPx: -30 }))
    expect(await lookAt(landmarkerOf(astray).landmarker)).toEqual([])
  })
})

describe('dlibEmbedder', () => {
  it('puts two frames of one person close together and another person far away', async () => {
    const embed = async (image: Bitmap) => {
      const [face] = (await detectFaces(image, options)) as [Face]
      return embedder.embed(image, face.landmarks)
    }
    const [a, b, other] = [await embed(dst[0]!), await embed(dst[11]!), await embed(src)]
    const distance = (p: Float32Array, q: Float32Array) => Math.hypot(...p.map((value, i) => value - q[i]!))
    expect(a).toHaveLength(128)
    expect(distance(a, b)).toBeLessThan(SAME_PERSON_DISTANCE * 0.7)
    expect(distance(a, other)).toBeGreaterThan(distance(a, b) * 1.5)
  })
})

describe('regionOfLandmarks', () => {
  it('is centred on the face, turned with the eyes, and half as large again as the face', () => {
    const { image: _, toTurned } = turned(dst[0]!, 30)
    const level = regionOfLandmarks(truth[0]!)
    const tilted = regionOfLandmarks(truth[0]!.map(toTurned) as Landmarks)
    expect(tilted.rollRadians - level.rollRadians).toBeCloseTo(Math.PI / 6, 5)
    expect(tilted.sizePx).toBeCloseTo(level.sizePx, 5)
    const [x, y] = toTurned(level.centre)
    expect(tilted.centre[0]).toBeCloseTo(x, 5)
    expect(tilted.centre[1]).toBeCloseTo(y, 5)
  })
})
