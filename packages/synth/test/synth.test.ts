import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { openFrames } from '@dfl/media'
import { afterAll, describe, expect, it } from 'vitest'
import {
  eyesForward,
  landmarksOf,
  loadHeadPack,
  lookOf,
  MATERIAL,
  pairSpec,
  proceduralHead,
  QUALITY_PAIRS,
  renderFrame,
  renderHead,
  type Scene,
  shapeOf,
  startHead,
  truthOf,
  truthSpec,
  USUAL_SCENE,
  writePair,
} from '../src/index.js'

const model = proceduralHead()
const scene = (change: Partial<Scene> = {}): Scene => ({ ...USUAL_SCENE, width: 96, height: 96, ...change })
const pose = (yawDegrees: number, pitchDegrees = 0, rollDegrees = 0) => ({ yawDegrees, pitchDegrees, rollDegrees })
const at = (change: Partial<Scene>) => landmarksOf(model, shapeOf(model, 0), scene(change))
const folder = await mkdtemp(join(tmpdir(), 'dfl-synth-test-'))
afterAll(() => rm(folder, { recursive: true }))

/** Mean brightness of the head's part of some columns. */
function brightness(picture: ReturnType<typeof renderHead>, from: number, to: number): number {
  const { image, mask } = picture
  let [sum, n] = [0, 0]
  for (let y = 0; y < image.height; y++)
    for (let x = from; x < to; x++) {
      const i = y * image.width + x
      if (mask.data[i] < 255) continue
      sum += image.data[3 * i]
      n++
    }
  return sum / n
}

describe('a rendered head', () => {
  const render = (change: Partial<Scene> = {}) =>
    renderHead(model, shapeOf(model, 0), { look: lookOf(0), scene: scene(change) })

  it('turns to its own left when yaw rises, looks up with pitch and leans clockwise with roll', () => {
    const [still, left, up, leant] = [
      at({}),
      at({ pose: pose(30) }),
      at({ pose: pose(0, 20) }),
      at({ pose: pose(0, 0, 20) }),
    ]
    expect(left[30][0]).toBeGreaterThan(still[30][0] + 5)
    expect(up[30][1]).toBeLessThan(still[30][1] - 2)
    // The eye on the right of the picture goes down.
    expect(leant[45][1]).toBeGreaterThan(leant[36][1] + 3)
  })

  it('says of landmarks what the picture shows', () => {
    const { landmarks, image } = render()
    expect(landmarks).toEqual(at({}).map(([x, y]) => [expect.closeTo(x, 3), expect.closeTo(y, 3)]))
    // The pupil is far darker than the cheek below it.
    const dark = (x: number, y: number) => image.data[3 * (Math.round(y) * image.width + Math.round(x))]
    const eye = [36, 39, 37, 41].reduce(([x, y], i) => [x + landmarks[i][0] / 4, y + landmarks[i][1] / 4], [0, 0])
    expect(dark(eye[0], eye[1])).toBeLessThan(0.6 * dark(eye[0], landmarks[33][1]))
  })

  it('has a mask that holds every landmark and leaves the corners free', () => {
    const { landmarks, mask } = render()
    for (const [x, y] of landmarks.slice(17)) expect(mask.data[Math.round(y) * 96 + Math.round(x)]).toBeGreaterThan(200)
    expect(mask.data[0]).toBe(0)
  })

  it('is brighter on the side that the lamp is on', () => {
    const light = (x: number) => ({ ...USUAL_SCENE.light, direction: [x, 0.3, 0.5] as const })
    const [fromLeft, fromRight] = [render({ light: light(-1) }), render({ light: light(1) })]
    expect(brightness(fromLeft, 0, 48)).toBeGreaterThan(1.2 * brightness(fromLeft, 48, 96))
    expect(brightness(fromRight, 48, 96)).toBeGreaterThan(1.2 * brightness(fromRight, 0, 48))
  })

  it('opens its mouth and shuts its eyes as the weights say', () => {
    const gap = (weights: Record<string, number>, [upper, lower]: readonly [number, number]) => {
      const points = landmarksOf(model, shapeOf(model, 0, weights), scene())
      return points[lower][1] - points[upper][1]
    }
    expect(gap({ jawOpen: 1 }, [62, 66])).toBeGreaterThan(gap({}, [62, 66]) + 4)
    expect(gap({ eyeBlink_L: 1 }, [43, 47])).toBeLessThan(0.4 * gap({}, [43, 47]))
  })

  it('mixes people', () => {
    const [a, b, half] = [shapeOf(model, 0), shapeOf(model, 1), shapeOf(model, { 0: 0.5, 1: 0.5 })]
    expect(half[30]).toBeCloseTo((a[30] + b[30]) / 2, 5)
    expect(Math.max(...a.map((v, i) => Math.abs(v - b[i])))).toBeGreaterThan(0.3)
  })
})

describe('clips and pairs', () => {
  const spec = pairSpec('tiny', 3, { src: 0, dst: 1, about: 'a test', srcFrames: 3, dstFrames: 3 })
  const small = <T extends { scene: { width: number; height: number } }>(clip: T): T => ({
    ...clip,
    scene: { ...clip.scene, width: 64, height: 48 },
  })
  const pair = { ...spec, src: small(spec.src), dst: small(spec.dst) }

  it('give the same frame for the same description and another for another seed', () => {
    const bytes = (seed: number) => Buffer.from(renderFrame(model, { ...pair.dst, seed }, 2).image.data)
    expect(bytes(5).equals(bytes(5))).toBe(true)
    expect(bytes(5).equals(bytes(6))).toBe(false)
  })

  it("show in the truth SRC's head doing exactly what DST's does", () => {
    const [dst, truth] = [truthOf(model, pair.dst, 1), truthOf(model, truthSpec(pair), 1)]
    expect(truth.pose).toEqual(dst.pose)
    expect(truth.lightDegrees).toBe(dst.lightDegrees)
    expect(truth.lm68).not.toEqual(dst.lm68)
  })

  it('are written with sound and their truth, once', async () => {
    const written: string[] = []
    for await (const { clip, done } of writePair(model, pair, folder)) if (done === 1) written.push(clip)
    expect(written).toEqual(['src', 'dst', 'truth'])
    await using clip = await openFrames(join(folder, 'tiny-dst.mp4'))
    expect(clip.info).toMatchObject({ width: 64, height: 48, frameCount: 3 })
    expect(clip.info.audio).toHaveLength(1)
    const { frames } = JSON.parse(await readFile(join(folder, 'tiny-dst.json'), 'utf8'))
    expect(frames).toHaveLength(3)
    expect(frames[1].lm68).toHaveLength(68)
    for await (const _ of writePair(model, pair, folder)) expect.fail('nothing is left to do')
  })

  it('keep within what was taken away', () => {
    const noLeft = QUALITY_PAIRS.find(({ name }) => name === 'no-left')!
    const yaws = Array.from({ length: 120 }, (_, i) => truthOf(model, noLeft.src, i).pose.yawDegrees)
    expect(Math.max(...yaws)).toBeLessThanOrEqual(2)
    expect(Math.min(...yaws)).toBeLessThan(-20)
  })
})

it('starting heads are repeatable and differ from one another', () => {
  expect(startHead(5)).toEqual(startHead(5))
  expect(startHead(5).scene.pose).not.toEqual(startHead(6).scene.pose)
})

it('eyes stand further out, and nothing else moves', () => {
  const head = shapeOf(model, 0)
  const moved = eyesForward(model, head, 0.1)
  const eyes = new Set<number>()
  model.materials.forEach((material, t) => {
    const isEye = material >= MATERIAL.leftSclera && material <= MATERIAL.rightIris
    if (isEye) for (const vertex of model.triangles.subarray(3 * t, 3 * t + 3)) eyes.add(vertex)
  })
  expect(eyes.size).toBeGreaterThan(0)
  moved.forEach((value, i) => {
    expect(value - head[i]).toBeCloseTo(i % 3 === 2 && eyes.has((i - 2) / 3) ? 0.1 : 0, 5)
  })
})

describe('a pack of heads', () => {
  /** One triangle, two people, one expression. */
  function pack(): Buffer {
    const header = Buffer.from(
      JSON.stringify({
        Q: 0.5,
        nv: 3,
        nt: 1,
        ids: 2,
        expr: [['jawOpen', 1]],
        lmk: Array.from({ length: 68 }, (_, i) => i % 3),
      }),
    )
    const length = Buffer.alloc(4)
    length.writeUInt32LE(header.length)
    const words = (...values: number[]) => Buffer.from(Int16Array.from(values).buffer)
    const rest = words(0, 0, 0, 2, 0, 0, 0, 2, 0)
    const people = [words(...Array(9).fill(0)), words(2, ...Array(8).fill(0))]
    const expression = [words(2), words(0, -4, 0)]
    return Buffer.concat([length, header, rest, ...people, words(0, 1, 2), Buffer.from([0]), ...expression])
  }

  it('is read, compressed or not', async () => {
    await writeFile(join(folder, 'a.bin'), pack())
    await writeFile(join(folder, 'a.bin.br'), brotliCompressSync(pack()))
    for (const name of ['a.bin', 'a.bin.br']) {
      const heads = await loadHeadPack(join(folder, name))
      expect([...shapeOf(heads, 1, { jawOpen: 0.5 })]).toEqual([1, 0, 0, 1, 0, 0, 0, 0, 0])
    }
  })

  it('that is not there or is something else is told', async () => {
    await expect(loadHeadPack(join(folder, 'none.bin'))).rejects.toThrow(
      /Expected a pack of heads for `path`, but got `.*none\.bin`\. Set DFL_ICT_PACK/,
    )
    await writeFile(join(folder, 'broken.bin'), pack().subarray(0, 100))
    await expect(loadHeadPack(join(folder, 'broken.bin'))).rejects.toThrow(
      /Expected a pack of heads in `.*broken\.bin`, but got something else/,
    )
  })
})
