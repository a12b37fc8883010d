import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bitmap, collect, type FaceMeta, type Landmarks } from '@dfl/core'
import { openFaceset } from '@dfl/faceset'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ExtractFacesetOptions, extractFaceset, type Landmarker, regionOfLandmarks } from '../src/index.js'
import { sourceOf, truthOf } from './footage.js'

/*
 * Frames that say in their first pixels which frame they are, so that networks of formulas know what is there: the first
 * two bytes are the number, the third is 1 where the face cannot be seen.
 */
const truth = truthOf('pair1-dst.json')
const COUNT = 24
const OFFSET = 400

const frame = (index: number, hidden: boolean): Bitmap => {
  const data = new Uint8Array(1000 * 360 * 3).fill(90)
  data.set([index, 0, hidden ? 1 : 0])
  return { data, width: 1000, height: 360, channels: 3 }
}
const clip = (hidden: readonly number[]) =>
  Array.from({ length: COUNT }, (_, index) => frame(index, hidden.includes(index)))

/** The first person stands at the true place, the second to the right of it. */
const at = (index: number, second: boolean): Landmarks =>
  truth[index]!.map(([x, y]) => [x + (second ? OFFSET : 0), y] as const)

const detector = {
  name: 'formula',
  detect: async ({ data }: { data: ArrayLike<number> }) =>
    [false, true]
      .filter((second) => second || data[2] === 0)
      .map((second) => {
        const { centre, sizePx } = regionOfLandmarks(at(data[0]!, second))
        const [x, y, side] = [centre[0] - sizePx / 3, centre[1] - sizePx / 3, (2 * sizePx) / 3]
        return { rect: { x, y, width: side, height: side }, keyPoints: [], score: 0.95 }
      }),
}
const landmarker: Landmarker = {
  name: 'formula',
  async landmarks({ data }, region) {
    const second = region.centre[0] > 500
    const landmarks = at(data[0]!, second)
    return { landmarks, score: !second && data[2] === 1 ? 0.1 : 0.99, region: regionOfLandmarks(landmarks) }
  },
}
/** Who stands on the right is another one; every fourth frame shows nobody that could be told. */
const embedder = {
  name: 'formula',
  embed: async ({ data }: { data: ArrayLike<number> }, landmarks: Landmarks) =>
    Float32Array.of(data[0]! % 4 === 0 ? 5 : 0, landmarks[30]![0] > 500 ? 1 : 0),
}

let folder: string
let runs = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfl-tracks-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function extract(frames: Bitmap[], options: ExtractFacesetOptions = {}) {
  const own = join(folder, String(runs++))
  const networks = { detector, landmarker, embedder }
  const reports = await collect(
    extractFaceset(sourceOf('clip.mp4', frames), own, { ...networks, size: 64, ...options }),
  )
  const faces = await (await openFaceset(own)).all()
  return { last: reports.at(-1)!, faces: faces.sort((a, b) => a.frameIndex - b.frameIndex) }
}

const isFirst = (face: FaceMeta) => face.sourceLandmarks[30]![0] < 500
const framesOf = (faces: readonly FaceMeta[]) => faces.map(({ frameIndex }) => frameIndex)

describe('a face that is missing in a few frames', () => {
  const hidden = [6, 7, 8, 9]

  it('is put between where it was and where it is again, scored low and without an identity, in dst', async () => {
    const { faces, last } = await extract(clip(hidden), { side: 'dst', smooth: 'off', embedEvery: 1 })
    const first = faces.filter(isFirst)
    expect(framesOf(first)).toEqual(Array.from({ length: COUNT }, (_, i) => i))
    for (const face of first) {
      const filled = hidden.includes(face.frameIndex)
      expect(face.score).toBe(filled ? 0.25 : 0.99)
      expect(face.embedding === undefined).toBe(filled)
    }
    const share = 2 / 5
    const [x] = first[7]!.sourceLandmarks[30]!
    expect(x).toBeCloseTo(truth[5]![30]![0] * (1 - share) + truth[10]![30]![0] * share, 3)
    expect(last.facesFilled).toBe(4)
  })

  it('stays missing in src, where it is missing for longer, and across a cut', async () => {
    const src = await extract(clip(hidden), { side: 'src' })
    expect(framesOf(src.faces.filter(isFirst))).not.toContain(7)
    const long = await extract(clip([6, 7, 8, 9, 10, 11]), { side: 'dst' })
    expect(framesOf(long.faces.filter(isFirst))).not.toContain(7)
    const frames = clip(hidden).map((one, i) => ({
      ...one,
      data: one.data.map((value, k) => (i >= 8 && k > 2 ? 240 : value)),
    }))
    const cut = await extract(frames, { side: 'dst' })
    expect(framesOf(cut.faces.filter(isFirst))).not.toContain(7)
  })

  it('counts among the largest faces that are wanted, and keeps its place among them', async () => {
    const larger: Landmarker = {
      ...landmarker,
      async landmarks(image, region) {
        const found = await landmarker.landmarks(image, region)
        // The second person is a little smaller.
        const [x, y] = found.landmarks[30]!
        const shrunk = found.landmarks.map(([u, v]) => [x + 0.9 * (u - x), y + 0.9 * (v - y)] as const)
        return { ...found, landmarks: x > 500 ? shrunk : found.landmarks }
      },
    }
    const all = await extract(clip(hidden), { side: 'dst', smooth: 'off', landmarker: larger })
    expect(all.faces.filter(isFirst).map(({ faceIndex }) => faceIndex)).toEqual(Array(COUNT).fill(0))
    const one = await extract(clip(hidden), { side: 'dst', smooth: 'off', landmarker: larger, maxFaces: 1 })
    expect(one.faces).toHaveLength(COUNT)
    expect(one.faces.every(isFirst)).toBe(true)
  })

  it('is filled alike when a run is stopped within the gap and gone on with', async () => {
    const own = join(folder, 'resumed')
    const run = () =>
      extractFaceset(sourceOf('clip.mp4', clip(hidden)), own, { detector, landmarker, embedder, size: 64, side: 'dst' })
    for await (const { framesDone } of run()) if (framesDone === 8) break
    await collect(run())
    const whole = await extract(clip(hidden), { side: 'dst' })
    const resumed = await (await openFaceset(own)).all()
    const byName = (faces: readonly FaceMeta[]) => [...faces].sort((a, b) => (a.filename < b.filename ? -1 : 1))
    expect(byName(resumed)).toEqual(byName(whole.faces))
  })
})

describe('how much landmarks shake', () => {
  const shaking: Landmarker = {
    ...landmarker,
    async landmarks(image, region) {
      const found = await landmarker.landmarks(image, region)
      const shift = ((image.data[0]! ** 3 * 5) % 13) / 13 - 0.5
      return { ...found, landmarks: found.landmarks.map(([x, y]) => [x + shift, y - shift] as const) }
    },
  }

  it('is told in pixels before and after they are smoothed', async () => {
    const { last } = await extract(clip([]), { side: 'dst', landmarker: shaking })
    expect(last.jitterPx!.before).toBeGreaterThan(0.15)
    expect(last.jitterPx!.before).toBeLessThan(0.6)
    expect(last.jitterPx!.after).toBeLessThan(0.7 * last.jitterPx!.before)
  })

  it('is the same before and after where nothing is smoothed, and unknown of two frames', async () => {
    const { last } = await extract(clip([]), { side: 'src', landmarker: shaking })
    expect(last.jitterPx!.after).toBe(last.jitterPx!.before)
    expect((await extract(clip([]).slice(0, 2))).last.jitterPx).toBeUndefined()
  })
})

describe('the faces of one person', () => {
  it('are taken through blurred moments too, and other faces of the frames are left out', async () => {
    const { faces } = await extract(clip([]), { identity: Float32Array.of(0, 1) })
    expect(faces).toHaveLength(COUNT)
    expect(faces.some(isFirst)).toBe(false)
  })

  it('are the largest ones of that person, not of everybody', async () => {
    const { faces } = await extract(clip([]), { identity: Float32Array.of(0, 1), maxFaces: 1 })
    expect(faces).toHaveLength(COUNT)
  })

  it('are those of the most alike in a frame: nobody is there twice, and who is more like another one is left out', async () => {
    const identity = Float32Array.of(0, 0.45)
    const { faces } = await extract(clip([]), { identity })
    expect(faces).toHaveLength(COUNT)
    expect(faces.every(isFirst)).toBe(true)
    const alone = await extract(clip([...Array(COUNT).keys()]), { identity })
    expect(alone.faces).toHaveLength(COUNT)
    const others = [Float32Array.of(0, 1)]
    await expect(extract(clip([...Array(COUNT).keys()]), { identity, others })).rejects.toThrow(
      /^Expected faces of the wanted person in .* frames\. Try another picture of this person, upright and from the front\./,
    )
  })

  it('are refused where identities are of another network', async () => {
    await expect(extract(clip([]), { identity: Float32Array.of(0, 1, 2) })).rejects.toThrow(
      "Expected 3 numbers, as the person's identity has, from the embedder, but got 2. Use the same embedder for both.",
    )
  })
})

describe('the quick way', () => {
  it('looks at every second frame, and puts a face halfway in between', async () => {
    const looks: number[] = []
    const counting: Landmarker = {
      ...landmarker,
      landmarks: async (image, region) => {
        looks.push(image.data[0]!)
        return landmarker.landmarks(image, region)
      },
    }
    const found = await extract(clip([]), { fast: true, smooth: 'off', landmarker: counting })
    // The last frame has none after it.
    expect(looks.filter((index) => index % 2 === 1 && index !== COUNT - 1)).toEqual([])
    expect(found.faces).toHaveLength(2 * COUNT)
    const nose = (index: number) =>
      found.faces.find((face) => face.frameIndex === index && face.sourceLandmarks[30]![0] < 500)!.sourceLandmarks[30]!
    expect(nose(6)[0]).toBeCloseTo(truth[6]![30]![0], 2)
    expect(nose(7)[0]).toBeCloseTo((truth[6]![30]![0] + truth[8]![30]![0]) / 2, 2)
  })

  it('finds a face that is there in one of two neighbours, and does not tell how much it shakes', async () => {
    const found = await extract(clip([0, 1, 2, 3, 4, 5, 6, 7, 8]), { fast: true, side: 'src' })
    expect(framesOf(found.faces.filter(isFirst))).toEqual(Array.from({ length: 15 }, (_, i) => 9 + i))
    expect(found.last.jitterPx).toBeUndefined()
  })
})

describe('the quick way, where a face moves far', () => {
  it('follows it frame by frame, back to where it came in', async () => {
    // A fifth of its region a frame: too far for two frames at once.
    const placed = (index: number): Landmarks =>
      truth[0]!.map(([x, y]) => [x / 4 + 13 * index + 100, y / 4 + 100] as const)
    const found = await extract(clip([]), {
      fast: true,
      side: 'src',
      detector: {
        name: 'sees it late',
        detect: async ({ data }) => {
          const { centre, sizePx } = regionOfLandmarks(placed(data[0]!))
          const rect = {
            x: centre[0] - sizePx / 3,
            y: centre[1] - sizePx / 3,
            width: sizePx / 1.5,
            height: sizePx / 1.5,
          }
          return data[0]! < 16 ? [] : [{ rect, keyPoints: [], score: 0.95 }]
        },
      },
      landmarker: {
        name: 'sees no farther than its region',
        async landmarks({ data }, { centre }) {
          const landmarks = placed(data[0]!)
          const region = regionOfLandmarks(landmarks)
          const off = Math.hypot(centre[0] - region.centre[0], centre[1] - region.centre[1]) / region.sizePx
          return { landmarks, region, score: data[0]! >= 4 && off < 0.35 ? 0.99 : 0.1 }
        },
      },
    })
    expect(framesOf(found.faces)).toEqual(Array.from({ length: COUNT - 4 }, (_, i) => 4 + i))
  })
})

describe('what is written of a face', () => {
  it('has the size of its frame', async () => {
    const { faces } = await extract(clip([]).slice(0, 1))
    expect(faces[0]!.frameSize).toEqual({ width: 1000, height: 360 })
  })
})
