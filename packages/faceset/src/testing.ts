import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict'
import { type Bitmap, collect, type FaceMeta, take } from '@dfl/core'
import type { Faceset } from './faceset.js'

/** One requirement, for a test runner: `for (const { name, run } of testFaceset(…)) it(name, run)`. */
export interface ConformanceTest {
  name: string
  run(): Promise<void>
}

/**
 * The tests that every implementation of `Faceset` must pass.
 *
 * @param make Gives a faceset of exactly these faces and images, in this order.
 */
export function testFaceset(
  make: (faces: readonly FaceMeta[], images: readonly Bitmap[]) => Promise<Faceset> | Faceset,
): ConformanceTest[] {
  const size = 32
  const faces = [0, 1, 2, 3].map((index) => exampleFace(index, size))
  const images = faces.map(({ frameIndex }) => exampleImage(frameIndex, size))
  const test = (name: string, run: (faceset: Faceset) => Promise<void>): ConformanceTest => ({
    name,
    run: async () => run(await make(faces, images)),
  })
  const names = (some: readonly FaceMeta[]) => some.map(({ filename }) => filename)
  return [
    test('says how many faces it has, of which type and size', async ({ info }) => {
      deepStrictEqual([info.count, info.faceType, info.size], [faces.length, 'whole_face', size])
    }),
    test('gives its faces in the order they were added, as often as asked', async (faceset) => {
      deepStrictEqual(names(await collect(faceset.faces())), names(faces))
      deepStrictEqual(names(await collect(faceset.faces())), names(faces))
      deepStrictEqual(await faceset.all(), await collect(faceset.faces()))
    }),
    test('lets a reader leave early', async (faceset) => {
      deepStrictEqual(names(await collect(take(faceset.faces(), 2))), names(faces.slice(0, 2)))
    }),
    test('keeps what is known of a face, coordinates to 1/10,000 px', async (faceset) => {
      for (const [i, face] of (await faceset.all()).entries()) {
        const { landmarks, sourceLandmarks, ...rest } = face
        const { landmarks: _, sourceLandmarks: __, ...expected } = faces[i]
        deepStrictEqual(rest, expected)
        ok(farthest(landmarks, faces[i].landmarks) < 1e-4)
        ok(farthest(sourceLandmarks, faces[i].sourceLandmarks) < 1e-4)
      }
    }),
    test('keeps the pixels of the images, and gives each to its face', async (faceset) => {
      for (const i of [2, 0, 3, 1]) {
        const { data, width, height, channels } = await faceset.readImage(faces[i])
        deepStrictEqual([width, height, channels], [size, size, 3])
        ok(data.every((value, at) => value === images[i].data[at]))
        strictEqual(data.length, images[i].data.length)
      }
    }),
    test('refuses the image of a face that is not its own', async (faceset) => {
      await rejects(faceset.readImage({ filename: 'stranger.png' }), { name: 'DflError', code: 'NO_SUCH_FILE' })
    }),
  ]
}

function exampleFace(index: number, size: number): FaceMeta {
  const landmarks = Array.from({ length: 68 }, (_, i) => [i / 3 + index, (i * 7) % size] as const)
  return {
    filename: `${index}.png`,
    faceType: 'whole_face',
    size,
    landmarks,
    sourceFilename: `clip.mp4#${index}`,
    frameIndex: index,
    timestampSeconds: index / 24,
    faceIndex: 0,
    sourceLandmarks: landmarks.map(([x, y]) => [x + 10, y + 20]),
    sourceRect: { x: 10, y: 20, width: size, height: size },
    imageToFaceMat: [1, 0, -10, 0, 1, -20],
    score: 0.5,
    pose: { yawDegrees: index, pitchDegrees: 10 - index, rollDegrees: 0.5 },
  }
}

function exampleImage(index: number, size: number): Bitmap {
  const data = Uint8Array.from({ length: size * size * 3 }, (_, i) => (i * 31 + index * 17) % 256)
  return { data, width: size, height: size, channels: 3 }
}

const farthest = (a: FaceMeta['landmarks'], b: FaceMeta['landmarks']) =>
  Math.max(...a.map(([x, y], i) => Math.max(Math.abs(x - b[i][0]), Math.abs(y - b[i][1]))))
