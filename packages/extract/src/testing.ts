import { deepStrictEqual, ok } from 'node:assert/strict'
import type { Bitmap, Landmarks, Point } from '@dfl/core'
import { warpAffine } from '@dfl/image'
import { regionOfLandmarks } from './region.js'
import type { Embedder, FaceDetector, FaceRegion, Landmarker, Segmenter } from './types.js'

/** One requirement, for a test runner: `for (const { name, run } of testDetector(…)) it(name, run)`. */
export interface ConformanceTest {
  name: string
  run(): Promise<void>
}

/** A picture of one upright face of at least 100 pixels, and where its 68 landmarks are. */
export interface KnownFace {
  image: Bitmap
  landmarks: Landmarks
}

/** The tests that every `FaceDetector` must pass. @param known A picture with one face. */
export function testDetector(detector: FaceDetector, known: () => Promise<KnownFace> | KnownFace): ConformanceTest[] {
  const test = testWith(known)
  return [
    test('has a name, and input of at least 32 px if it tells its size', async () => {
      ok(detector.name.length > 0)
      ok(detector.inputPx === undefined || (Number.isInteger(detector.inputPx) && detector.inputPx >= 32))
    }),
    test('finds the one face, with a box around its middle that is about as large', async ({ image, landmarks }) => {
      const [found] = [...(await detector.detect(image))].sort((a, b) => b.score - a.score)
      ok(found, 'Expected a detection')
      const { centre, lengthPx } = boxOf(landmarks)
      const { rect } = found
      const away = Math.hypot(rect.x + rect.width / 2 - centre[0], rect.y + rect.height / 2 - centre[1])
      ok(away < 0.35 * lengthPx, `The box is ${away.toFixed(1)} px beside the face`)
      const size = Math.max(rect.width, rect.height) / lengthPx
      ok(size > 0.6 && size < 2, `The box is ${size.toFixed(2)} times as large as the landmarks' own`)
    }),
    test('gives scores from 0 to 1, and finite numbers', async ({ image }) => {
      for (const { rect, keyPoints, score } of await detector.detect(image)) {
        ok(score >= 0 && score <= 1)
        ok([rect.x, rect.y, rect.width, rect.height, ...keyPoints.flat()].every(Number.isFinite))
        ok(rect.width > 0 && rect.height > 0)
      }
    }),
    test('gives none or two key points and more, the eyes first, the one on the left first', async (face) => {
      for (const { keyPoints, score } of await detector.detect(face.image)) {
        if (keyPoints.length === 0 || score < 0.5) continue
        ok(keyPoints.length >= 2)
        const { lengthPx } = boxOf(face.landmarks)
        for (const [k, from] of [36, 42].entries())
          ok(distance(keyPoints[k]!, meanOf(face.landmarks.slice(from, from + 6))) < 0.2 * lengthPx)
      }
    }),
    test('finds it in the same place of a picture half as large', async ({ image }) => {
      const smaller = scaled(image, 0.5)
      const best = async (picture: Bitmap) => {
        const [found] = [...(await detector.detect(picture))].sort((a, b) => b.score - a.score)
        ok(found, 'Expected a detection')
        return found.rect
      }
      const [small, large] = [await best(smaller), await best(image)]
      const shift = Math.abs((large.x + 0.5) / 2 - (small.x + 0.5)) + Math.abs((large.y + 0.5) / 2 - (small.y + 0.5))
      ok(shift < 0.15 * small.width, `It moved by ${shift.toFixed(1)} px`)
    }),
    test('gives the same for the same picture, also for two at once, and leaves it as it was', async ({ image }) => {
      const before = Uint8Array.from(image.data)
      const [a, b] = await Promise.all([detector.detect(image), detector.detect(image)])
      deepStrictEqual(a, b)
      ok(before.every((value, i) => value === image.data[i]))
    }),
    test('takes 16-bit and float pictures', async ({ image }) => {
      const expected = (await detector.detect(image)).length
      const wide = { ...image, data: Uint16Array.from(image.data, (value) => value * 257) }
      const float = { ...image, data: Float32Array.from(image.data, (value) => value / 255) }
      for (const picture of [wide, float]) deepStrictEqual((await detector.detect(picture)).length, expected)
    }),
    test('finds nothing in an empty picture', async ({ image }) => {
      const empty = { ...image, data: new Uint8Array(image.data.length).fill(110) }
      deepStrictEqual(await detector.detect(empty), [])
    }),
  ]
}

/** The tests that every `Landmarker` must pass. @param known A picture with one face. */
export function testLandmarker(landmarker: Landmarker, known: () => Promise<KnownFace> | KnownFace): ConformanceTest[] {
  const test = testWith(known)
  const exact = ({ landmarks }: KnownFace) => regionOfLandmarks(landmarks)
  return [
    test('has a name, and input of at least 32 px if it tells its size', async () => {
      ok(landmarker.name.length > 0)
      ok(landmarker.inputPx === undefined || (Number.isInteger(landmarker.inputPx) && landmarker.inputPx >= 32))
    }),
    test('gives 68 points within a tenth of the distance of the eyes, and is sure of it', async (face) => {
      const { landmarks, score } = await landmarker.landmarks(face.image, exact(face))
      deepStrictEqual(landmarks.length, 68)
      ok(score >= 0.5 && score <= 1)
      const error = errorOf(landmarks, face.landmarks)
      ok(error < 0.1, `The error is ${error.toFixed(3)} of the distance of the eyes`)
    }),
    test('gives a region to look at next that is about the one it was shown', async (face) => {
      const shown = exact(face)
      const { region } = await landmarker.landmarks(face.image, shown)
      ok(distance(region.centre, shown.centre) < 0.25 * shown.sizePx)
      ok(region.sizePx / shown.sizePx > 0.6 && region.sizePx / shown.sizePx < 1.7)
      ok(Math.abs(region.rollRadians - shown.rollRadians) < 0.3)
    }),
    test('comes to the same face from a region that is a little beside it', async (face) => {
      const region = exact(face)
      const beside: FaceRegion = {
        centre: [region.centre[0] + 0.06 * region.sizePx, region.centre[1] - 0.04 * region.sizePx],
        sizePx: region.sizePx * 1.1,
        rollRadians: region.rollRadians + 0.1,
      }
      const first = await landmarker.landmarks(face.image, beside)
      const { landmarks } = await landmarker.landmarks(face.image, first.region)
      ok(errorOf(landmarks, face.landmarks) < 0.12)
    }),
    test('keeps to the turn of the region: a picture on its side gives the same points', async (face) => {
      const { image, landmarks } = onItsSide(face)
      const found = await landmarker.landmarks(image, regionOfLandmarks(landmarks))
      ok(errorOf(found.landmarks, landmarks) < 0.1)
    }),
    test('gives the same for the same region, also for two at once, and leaves the picture as it was', async (face) => {
      const before = Uint8Array.from(face.image.data)
      const look = () => landmarker.landmarks(face.image, exact(face))
      const [a, b] = await Promise.all([look(), look()])
      deepStrictEqual(a.landmarks, b.landmarks)
      ok(before.every((value, i) => value === face.image.data[i]))
    }),
    test('takes a region that reaches past the edge of the picture', async (face) => {
      const region = { ...exact(face), centre: [0, 0] as Point }
      const { landmarks, score } = await landmarker.landmarks(face.image, region)
      ok(landmarks.flat().every(Number.isFinite) && score >= 0 && score <= 1)
    }),
  ]
}

/**
 * The tests that every `Embedder` must pass.
 *
 * @param known Pictures with one face each: two of one person, then one of another.
 * @param most Distance (Euclidean) below which two faces are of one person.
 */
export function testEmbedder(
  embedder: Embedder,
  known: () => Promise<readonly [KnownFace, KnownFace, KnownFace]>,
  most: number,
): ConformanceTest[] {
  const embed = ({ image, landmarks }: KnownFace) => embedder.embed(image, landmarks)
  return [
    {
      name: 'gives as many finite numbers for every face',
      async run() {
        const all = await Promise.all((await known()).map(embed))
        for (const one of all) ok(one.length === all[0]!.length && one.every(Number.isFinite))
      },
    },
    {
      name: 'puts one person close together and nearer than another',
      async run() {
        const [a, b, other] = (await Promise.all((await known()).map(embed))) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ]
        const far = (p: Float32Array, q: Float32Array) => Math.hypot(...p.map((value, i) => value - q[i]!))
        ok(far(a, b) < most, `One person's faces are ${far(a, b).toFixed(2)} apart`)
        ok(far(a, other) > far(a, b))
      },
    },
    {
      name: 'gives the same for the same face',
      async run() {
        const [face] = await known()
        deepStrictEqual(await embed(face), await embed(face))
      },
    },
  ]
}

/** The tests that every `Segmenter` must pass. @param known A picture with one face and something else than people behind it. */
export function testSegmenter(segmenter: Segmenter, known: () => Promise<KnownFace> | KnownFace): ConformanceTest[] {
  const test = testWith(known)
  return [
    test('has a name, and gives one channel of finite values from 0 to 1', async ({ image }) => {
      ok(segmenter.name.length > 0)
      const { data, width, height, channels } = await segmenter.segment(image)
      deepStrictEqual([channels, data.length], [1, width * height])
      ok(data.every((value) => value >= 0 && value <= 1))
    }),
    test('is sure of the face, and of nobody in the upper corners', async ({ image, landmarks }) => {
      const seen = await segmenter.segment(image)
      const at = ([x, y]: Point) => {
        const [column, row] = [((x + 0.5) * seen.width) / image.width, ((y + 0.5) * seen.height) / image.height]
        return seen.data[Math.floor(row) * seen.width + Math.floor(column)]!
      }
      // Eyes, nose and mouth: the jaw lies on the edge.
      const inner = landmarks.slice(27).map(at)
      ok(Math.min(...inner) > 0.5, `It is only ${Math.min(...inner).toFixed(2)} sure of a part of the face`)
      for (const corner of [[0, 0] as Point, [image.width - 1, 0] as Point]) ok(at(corner) < 0.5)
    }),
    test('sees nobody in an empty picture', async ({ image }) => {
      const empty = { ...image, data: new Uint8Array(image.data.length).fill(110) }
      const { data } = await segmenter.segment(empty)
      ok(data.reduce((sum, value) => sum + value, 0) < 0.1 * data.length)
    }),
    test('gives the same for the same picture, also for two at once, and leaves it as it was', async ({ image }) => {
      const before = Uint8Array.from(image.data)
      const [a, b] = await Promise.all([segmenter.segment(image), segmenter.segment(image)])
      deepStrictEqual(a, b)
      ok(before.every((value, i) => value === image.data[i]))
    }),
    test('takes float pictures', async ({ image }) => {
      const { data } = await segmenter.segment({
        ...image,
        data: Float32Array.from(image.data, (value) => value / 255),
      })
      const expected = (await segmenter.segment(image)).data
      ok(data.every((value, i) => Math.abs(value - expected[i]!) < 1e-3))
    }),
  ]
}

function testWith(known: () => Promise<KnownFace> | KnownFace) {
  return (name: string, run: (face: KnownFace) => Promise<void>): ConformanceTest => ({
    name,
    run: async () => run(await known()),
  })
}

function boxOf(landmarks: Landmarks) {
  const [xs, ys] = [landmarks.map(([x]) => x), landmarks.map(([, y]) => y)]
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  return { centre: [(left + right) / 2, (top + bottom) / 2] as Point, lengthPx: Math.max(right - left, bottom - top) }
}

const distance = (a: Point, b: Point) => Math.hypot(a[0] - b[0], a[1] - b[1])

const meanOf = (points: readonly Point[]): Point => [
  points.reduce((sum, [x]) => sum + x / points.length, 0),
  points.reduce((sum, [, y]) => sum + y / points.length, 0),
]

/** Mean distance of the inner 51 points, in parts of the distance between the outer corners of the eyes. */
function errorOf(found: Landmarks, truth: Landmarks): number {
  let sum = 0
  for (let i = 17; i < 68; i++) sum += distance(found[i]!, truth[i]!)
  return sum / 51 / distance(truth[36]!, truth[45]!)
}

function onItsSide({ image, landmarks }: KnownFace): KnownFace {
  const { width, height } = image
  const mat = [0, -1, height - 1, 1, 0, 0] as const
  return {
    image: bytesOf(warpAffine(image, mat, { width: height, height: width })),
    landmarks: landmarks.map(([x, y]): Point => [height - 1 - y, x]),
  }
}

const scaled = (image: Bitmap, by: number) =>
  bytesOf(
    warpAffine(image, [by, 0, (by - 1) / 2, 0, by, (by - 1) / 2], {
      width: Math.round(image.width * by),
      height: Math.round(image.height * by),
    }),
  )

const bytesOf = (pixels: ReturnType<typeof warpAffine>): Bitmap => ({
  ...pixels,
  data: Uint8Array.from(pixels.data, (value) => Math.round(Math.min(1, Math.max(0, value)) * 255)),
})
