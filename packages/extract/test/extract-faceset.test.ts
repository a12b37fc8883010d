import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hullMask, jitterPx } from '@dfl/align'
import { type Bitmap, clipOf, collect, type FaceMeta, type Landmarks, type Point } from '@dfl/core'
import { openFaceset } from '@dfl/faceset'
import { applyAffine, crop } from '@dfl/image'
import { writeImage } from '@dfl/media'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attentionMesh, blazeFace, type ExtractFacesetOptions, extractFaceset, extractOptions } from '../src/index.js'
import { framesOf, grayImage, landmarkError, sourceOf, truthOf } from './footage.js'

let folder: string
let frames: Bitmap[]
let networks: ExtractFacesetOptions
const truth = truthOf('pair1-dst.json')
const owned: AsyncDisposable[] = []
const COUNT = 28

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfl-extract-'))
  frames = await framesOf('pair1-dst.mp4', COUNT)
  const detector = await blazeFace()
  const landmarker = await attentionMesh()
  owned.push(detector, landmarker)
  // The embedder is loaded where a test asks for embeddings only.
  networks = { detector, landmarker, embedder: { name: 'none', embed: async () => new Float32Array(128) } }
})
afterAll(async () => {
  for (const item of owned) await item[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const extract = (name: string, options: ExtractFacesetOptions = {}, bitmaps = frames) =>
  extractFaceset(sourceOf('clip.mp4', bitmaps), join(folder, name), { ...networks, ...options })

async function facesOf(name: string): Promise<FaceMeta[]> {
  const faces = await (await openFaceset(join(folder, name))).all()
  return faces.sort((a, b) => a.frameIndex - b.frameIndex)
}

const trackOf = (faces: FaceMeta[]) =>
  faces.map(({ timestampSeconds, sourceLandmarks }) => ({ timestampSeconds, landmarks: sourceLandmarks }))

describe('extractFaceset', () => {
  it('writes one aligned face for each frame, with everything that is known of it', async () => {
    const reports = await collect(extract('src'))
    expect(reports).toHaveLength(COUNT)
    expect(reports.at(-1)).toMatchObject({
      framesDone: COUNT,
      frameCount: COUNT,
      framesSkipped: 0,
      faces: COUNT,
      framesWithFaces: COUNT,
      secondsLeft: 0,
      lastFrameWithoutFaces: undefined,
    })
    const faces = await facesOf('src')
    expect(faces.map((face) => face.frameIndex)).toEqual(frames.map((_, i) => i))
    const face = faces[12]!
    expect(face).toMatchObject({
      filename: 'clip_000012_0.png',
      sourceFilename: 'clip.mp4#12',
      faceType: 'full_face',
      size: 256,
      faceIndex: 0,
      timestampSeconds: 0.5,
    })
    expect(landmarkError(face.sourceLandmarks, truth[12]!)).toBeLessThan(0.06)
    const [x, y] = applyAffine(face.imageToFaceMat, face.sourceLandmarks[30]!)
    expect(face.landmarks[30]![0]).toBeCloseTo(x, 1)
    expect(face.landmarks[30]![1]).toBeCloseTo(y, 1)
    expect(Math.abs(face.pose!.yawDegrees)).toBeLessThan(45)
    expect(face.embedding).toHaveLength(128)
    expect(faces[13]!.embedding).toBeUndefined()
    const image = await (await openFaceset(join(folder, 'src'))).readImage(face)
    expect([image.width, image.height, image.channels]).toEqual([256, 256, 3])
  })

  it("keeps a mask of its own where the head's outline cuts off something of the landmarks' hull", async () => {
    const landmarker = networks.landmarker!
    const outlined = async (name: string, outlineOf: (landmarks: Landmarks) => Point[] | undefined) => {
      const own: typeof landmarker = {
        name,
        async landmarks(image, region) {
          const found = await landmarker.landmarks(image, region)
          return { ...found, outline: outlineOf(found.landmarks) }
        },
      }
      await collect(extract(name, { landmarker: own }, frames.slice(0, 1)))
      const [face] = await facesOf(name)
      return { face: face!, mask: await (await openFaceset(join(folder, name))).readMask(face!) }
    }
    const box = (left: number): Point[] => [
      [left, -999],
      [999, -999],
      [999, 999],
      [left, 999],
    ]
    expect((await outlined('unknown', () => undefined)).mask).toBeUndefined()
    expect((await outlined('around', () => box(-999))).mask).toBeUndefined()
    const { face, mask } = await outlined('right', (landmarks) => box(landmarks[27]![0]))
    expect(mask).toMatchObject({ width: face.size / 2, height: face.size / 2, channels: 1 })
    const valueAt = ([x, y]: Point) => mask!.data[Math.round(y / 2 - 0.25) * mask!.width + Math.round(x / 2 - 0.25)]
    expect(valueAt(face.landmarks[46]!)).toBe(255)
    expect(valueAt(face.landmarks[41]!)).toBe(0)
  })

  it('calms the landmarks of dst and keeps them as close to the truth', async () => {
    await collect(extract('dst', { side: 'dst', embedEvery: 0 }))
    const [raw, smooth] = [await facesOf('src'), await facesOf('dst')]
    expect(jitterPx(trackOf(smooth))).toBeLessThan(jitterPx(trackOf(raw)) * 0.85)
    const error = (faces: FaceMeta[]) =>
      faces.reduce((sum, face) => sum + landmarkError(face.sourceLandmarks, truth[face.frameIndex]!), 0) / COUNT
    expect(error(smooth)).toBeLessThan(error(raw) * 1.05)
  })

  it('goes on after a stop and ends with what an uninterrupted run gives; then it changes nothing', async () => {
    for (const stop of [5, 9]) {
      let n = 0
      for await (const _ of extract('resumed', { side: 'dst', embedEvery: 0 })) if (++n >= stop) break
    }
    const rest = await collect(extract('resumed', { side: 'dst', embedEvery: 0 }))
    expect(rest.at(-1)!.framesSkipped).toBeGreaterThanOrEqual(5)
    expect(rest.at(-1)!.framesDone).toBe(COUNT)
    expect(await facesOf('resumed')).toEqual(await facesOf('dst'))

    const blind = { detector: { name: 'blind', detect: () => Promise.reject(new Error('was asked')) } }
    const again = await collect(extract('resumed', { side: 'dst', embedEvery: 0, ...blind }))
    expect(again.at(-1)).toMatchObject({ framesDone: COUNT, framesSkipped: COUNT, faces: 0 })
  })

  it('adds a second clip to the same faceset, and takes every third frame where asked', async () => {
    await collect(extract('src', { sourceName: 'other.mp4', everyNth: 3 }))
    const faceset = await openFaceset(join(folder, 'src'))
    expect(faceset.info.sources).toEqual([
      { source: 'clip.mp4', framesDone: COUNT },
      { source: 'other.mp4', framesDone: Math.ceil(COUNT / 3) },
    ])
    const clips = (await faceset.all()).map(clipOf)
    expect(clips.filter((clip) => clip === 'clip.mp4')).toHaveLength(COUNT)
    expect(clips.filter((clip) => clip === 'other.mp4')).toHaveLength(Math.ceil(COUNT / 3))
  })

  it('takes the frames of a stretch only', async () => {
    const reports = await collect(extract('stretch', { firstFrame: 3, lastFrame: 6, everyNth: 2 }))
    expect((await facesOf('stretch')).map(({ frameIndex }) => frameIndex)).toEqual([4, 6])
    expect(reports.at(-1)).toMatchObject({ framesDone: 2, frameCount: 2 })
    await expect(collect(extract('never', { firstFrame: 3, lastFrame: 2 }))).rejects.toThrow(
      'Expected a frame of at least 3, the first one, for `lastFrame`, but got 2. Correct it, or leave it out.',
    )
  })

  it('takes every frame without a face as done, and names the last one', async () => {
    const bitmaps = [...frames.slice(0, 9), grayImage(640, 360), grayImage(640, 360)]
    const reports = await collect(extract('gaps', {}, bitmaps))
    expect(reports.at(-1)).toMatchObject({ faces: 9, framesWithFaces: 9, lastFrameWithoutFaces: 'clip.mp4#10' })
  })

  it('says at the end that no face was found, also when run again', async () => {
    const bitmaps = [grayImage(320, 240), grayImage(320, 240)]
    for (let round = 0; round < 2; round++)
      await expect(collect(extract('empty', {}, bitmaps))).rejects.toThrow(
        "Expected faces in `clip.mp4`, but got none in 2 frames. Look at a few frames: if there are faces, try a smaller `minSize`, a lower `minScore`, or 'on' for `tiles`.",
      )
  })

  it('cuts other face types at their usual sizes', async () => {
    await collect(extract('head', { faceType: 'head', embedEvery: 0 }, frames.slice(0, 2)))
    expect((await facesOf('head'))[0]).toMatchObject({ faceType: 'head', size: 512 })
  })

  it('gives heads masks with their hair, from a segmenter of your own if you have one', async () => {
    const asked: number[] = []
    const segmenter = {
      name: 'upper half',
      segment: async ({ width, height }: { width: number; height: number }) => {
        asked.push(width)
        const data = Float32Array.from({ length: width * height }, (_, i) => (i < (width * height) / 2 ? 1 : 0))
        return { data, width, height, channels: 1 as const }
      },
    }
    await collect(extract('own', { faceType: 'head', size: 128, embedEvery: 0, segmenter }, frames.slice(0, 1)))
    await collect(extract('built-in', { faceType: 'head', size: 128, embedEvery: 0 }, frames.slice(0, 1)))
    const sums: number[] = []
    for (const name of ['own', 'built-in']) {
      const faceset = await openFaceset(join(folder, name))
      const [face] = await faceset.all()
      const mask = (await faceset.readMask(face!))!
      const hull = hullMask(face!.landmarks, face!.size)
      const sum = ({ data }: { data: ArrayLike<number> }) => Array.from(data).reduce((a, b) => a + b, 0)
      sums.push(sum(mask) / 255 / mask.data.length / (sum(hull) / hull.data.length))
    }
    expect(asked).toEqual([128])
    expect(sums[0]).toBeGreaterThan(2)
    // The rendered head with its hair and ears, and without its neck.
    expect(sums[1]).toBeGreaterThan(1.3)
    expect(sums[1]).toBeLessThan(2)
  })

  it('draws pictures of what it found where asked', async () => {
    const debugFolder = join(folder, 'debug')
    await collect(extract('drawn', { debugFolder, embedEvery: 0 }, frames.slice(0, 2)))
    expect((await readdir(debugFolder)).sort()).toEqual(['clip_000000.jpg', 'clip_000001.jpg'])
  })

  it('takes photos of any sizes for src; a clip of dst is of one size', async () => {
    const photos = join(folder, 'photos')
    const [a, b] = [frames[0]!, frames[20]!]
    const cut = { x: 180, y: 20, width: 300, height: 330 }
    await writeImage(join(photos, 'a.png'), a)
    await writeImage(join(photos, 'b.png'), crop(b, cut))
    await writeImage(join(photos, 'c.png'), b)
    await collect(extractFaceset(photos, join(folder, 'of-photos'), { ...networks, side: 'src' }))
    const faces = await facesOf('of-photos')
    expect(faces.map(({ sourceFilename }) => sourceFilename)).toEqual(['a.png', 'b.png', 'c.png'])
    const moved = truth[20]!.map(([x, y]): Point => [x - cut.x, y - cut.y])
    for (const [i, exact] of [truth[0]!, moved, truth[20]!].entries())
      expect(landmarkError(faces[i]!.sourceLandmarks, exact)).toBeLessThan(0.06)
    await expect(
      collect(extractFaceset(photos, join(folder, 'no-clip'), { ...networks, side: 'dst' })),
    ).rejects.toThrow('Expected 640 x 360 pixels like the first frame')
  })

  it('looks at each photo by itself, and stores who is in it', async () => {
    const photos = join(folder, 'album')
    const scenes = [
      { frame: 0, x: 40, y: 90, gray: 30 },
      { frame: 20, x: 180, y: 10, gray: 200 },
      { frame: 8, x: 120, y: 60, gray: 90 },
      { frame: 27, x: 20, y: 0, gray: 160 },
    ]
    for (const [i, { frame, x, y, gray }] of scenes.entries()) {
      const photo = { data: new Uint8Array(900 * 500 * 3).fill(gray), width: 900, height: 500, channels: 3 } as const
      for (let row = 0; row < 360; row++)
        photo.data.set(frames[frame]!.data.subarray(row * 1920, (row + 1) * 1920), ((y + row) * 900 + x) * 3)
      await writeImage(join(photos, `${i}.png`), photo)
    }
    await collect(extractFaceset(photos, join(folder, 'of-album'), { ...networks, side: 'src' }))
    const faces = await facesOf('of-album')
    expect(faces.map(({ frameIndex }) => frameIndex)).toEqual([0, 1, 2, 3])
    for (const [i, { frame, x, y }] of scenes.entries()) {
      const exact = truth[frame]!.map(([u, v]): Point => [u + x, v + y])
      expect(landmarkError(faces[i]!.sourceLandmarks, exact)).toBeLessThan(0.06)
      expect(faces[i]!.embedding).toHaveLength(128)
    }
  })

  it('refuses wrong options before it touches anything', async () => {
    const bad = { size: 100, detectEvery: 0 }
    await expect(collect(extract('never', bad))).rejects.toThrow(
      'Expected a multiple of 16 between 0 and 2048 px for `size`, but got 100.\nExpected a whole number between 1 and 64 frames for `detectEvery`, but got 0.',
    )
    expect(existsSync(join(folder, 'never'))).toBe(false)
  })
})

describe('extractOptions', () => {
  it('describes every option in one sentence', () => {
    for (const [name, { description }] of Object.entries(extractOptions))
      expect(description, name).toMatch(/^[A-Z].*\.$/)
  })
})
