import { afterAll, describe, it } from 'vitest'
import {
  attentionMesh,
  blazeFace,
  dlibEmbedder,
  faceLandmarker,
  SAME_PERSON_DISTANCE,
  selfieSegmenter,
} from '../src/index.js'
import { type KnownFace, testDetector, testEmbedder, testLandmarker, testSegmenter } from '../src/testing.js'
import { framesOf, truthOf } from './footage.js'

const detector = await blazeFace()
const fullRange = await blazeFace({ variant: 'full-range' })
const landmarker = await attentionMesh()
const builtIn = await faceLandmarker()
const embedder = await dlibEmbedder()
const segmenter = await selfieSegmenter()

afterAll(async () => {
  for (const network of [detector, fullRange, landmarker, builtIn, embedder, segmenter])
    await network[Symbol.asyncDispose]()
})

const dst = await framesOf('pair1-dst.mp4', 12)
const [src] = await framesOf('pair1-src.mp4', 1)
const known = (name: string, image = dst[0]!, index = 0): KnownFace => ({ image, landmarks: truthOf(name)[index]! })

describe('blazeFace is a detector', () => {
  for (const { name, run } of testDetector(detector, () => known('pair1-dst.json'))) it(name, run)
})

describe('blazeFace of full range is a detector', () => {
  for (const { name, run } of testDetector(fullRange, () => known('pair1-dst.json'))) it(name, run)
})

describe('attentionMesh is a landmarker', () => {
  for (const { name, run } of testLandmarker(landmarker, () => known('pair1-dst.json'))) it(name, run)
})

describe('faceLandmarker is a landmarker', () => {
  for (const { name, run } of testLandmarker(builtIn, () => known('pair1-dst.json'))) it(name, run)
})

describe('dlibEmbedder is an embedder', () => {
  const three = [known('pair1-dst.json'), known('pair1-dst.json', dst[11]!, 11), known('pair1-src.json', src!)] as const
  for (const { name, run } of testEmbedder(embedder, async () => three, SAME_PERSON_DISTANCE)) it(name, run)
})

describe('selfieSegmenter is a segmenter', () => {
  for (const { name, run } of testSegmenter(segmenter, () => known('pair1-dst.json'))) it(name, run)
})

describe('the conformance tests', () => {
  const results = async (tests: ReturnType<typeof testDetector>) => {
    const failed: string[] = []
    for (const { name, run } of tests) await run().catch(() => failed.push(name))
    return failed
  }

  it('find out a detector that counts in its own pixels, and one that always sees something', async ({ expect }) => {
    const own = { ...detector, detect: async () => [{ rect: box(20, 20, 60), keyPoints: [], score: 0.9 }] }
    const failed = await results(testDetector(own, () => known('pair1-dst.json')))
    expect(failed).toContain('finds the one face, with a box around its middle that is about as large')
    expect(failed).toContain('finds nothing in an empty picture')
  })

  it('find out a landmarker that takes no notice of the turn of the region', async ({ expect }) => {
    const own = {
      ...landmarker,
      landmarks: (
        image: Parameters<typeof landmarker.landmarks>[0],
        region: Parameters<typeof landmarker.landmarks>[1],
      ) => landmarker.landmarks(image, { ...region, rollRadians: 0 }),
    }
    const failed = await results(testLandmarker(own, () => known('pair1-dst.json')))
    expect(failed).toContain('keeps to the turn of the region: a picture on its side gives the same points')
  })

  it('find out a segmenter that takes everything for a person', async ({ expect }) => {
    const data = new Float32Array(64).fill(1)
    const all = { name: 'all', segment: async () => ({ data, width: 8, height: 8, channels: 1 as const }) }
    const failed = await results(testSegmenter(all, () => known('pair1-dst.json')))
    expect(failed).toEqual([
      'is sure of the face, and of nobody in the upper corners',
      'sees nobody in an empty picture',
    ])
  })
})

const box = (x: number, y: number, side: number) => ({ x, y, width: side, height: side })
