import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bitmapFrame,
  createCutFinder,
  findShots,
  frameSignature,
  openFrames,
  shotOf,
  writeImage,
} from '../src/index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shots-'))
  // Three shots: light, dark, light again; within each the brightness drifts as a slow fade does.
  const light = (index: number) => (index < 4 ? 180 : index < 9 ? 40 : 200) + index
  for (let index = 0; index < 12; index++) {
    const data = new Uint8Array(96 * 54 * 3).fill(light(index))
    await writeImage(join(folder, `${index}.png`), { data, width: 96, height: 54, channels: 3 })
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('findShots', () => {
  it('begins a shot at every cut and counts the frames', async () => {
    expect(await findShots(folder)).toMatchObject({
      starts: [0, 4, 9],
      frames: 12,
      names: { length: 12, 10: '10.png' },
    })
  })
})

describe('shotOf', () => {
  it('counts shots from 1', () => {
    const shots = { starts: [0, 4, 9], frames: 12 }
    expect([0, 3, 4, 8, 9, 11].map((frame) => shotOf(shots, frame))).toEqual([1, 1, 2, 2, 3, 3])
  })
})

describe('createCutFinder', () => {
  const DST = fileURLToPath(new URL('../../../examples/footage/pair1-dst.mp4', import.meta.url))
  let head: Float32Array[] // of a rendered head that turns before a steady camera
  beforeAll(async () => {
    head = []
    await using clip = await openFrames(DST)
    for await (const frame of clip.frames()) {
      using _ = frame
      head.push(frameSignature(frame))
    }
  })

  const cutsIn = (signatures: readonly Float32Array[], pictures = {}) => {
    const finder = createCutFinder(pictures)
    for (const signature of signatures) finder.add(signature)
    return [...finder.cuts().keys()].filter((frame) => finder.cuts()[frame])
  }
  const change = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + Math.abs(v - b[i]!) / a.length, 0)

  it('finds no cut in a shot in which a head turns', () => {
    expect(cutsIn(head)).toEqual([0])
  })

  it('finds a cut between two pictures that are nearly alike: the same head, a few seconds later', () => {
    for (const [end, start] of [
      [60, 130],
      [100, 20],
      [30, 180],
    ] as const) {
      expect(change(head[end - 1]!, head[start]!)).toBeLessThan(0.07)
      expect(cutsIn([...head.slice(0, end), ...head.slice(start)])).toEqual([0, end])
    }
  })

  it('finds both cuts of a shot of five frames', () => {
    expect(cutsIn([...head.slice(0, 40), ...head.slice(150, 155), ...head.slice(40)])).toEqual([0, 40, 45])
  })

  it('takes a flash of one to three frames for none', () => {
    for (const length of [1, 2, 3]) {
      const lit = head.map((of, i) => (i >= 50 && i < 50 + length ? of.map((v) => Math.min(1, 0.5 + v)) : of))
      expect(cutsIn(lit)).toEqual([0])
    }
  })

  it('takes a fast pan that begins and ends at once for none', () => {
    // The camera rests for 12 frames, runs over a wall of tiles for 8, a tenth of the picture in each, and rests again.
    const columns = Array.from({ length: 26 }, (_, i) => Math.min(8, Math.max(0, i - 11)) * 16)
    const tile = (x: number, y: number) => 60 + ((Math.floor(x / 23) * 37 + Math.floor(y / 17) * 71) % 130)
    const frames = columns.map((left, index) => {
      const data = Uint8Array.from({ length: 160 * 90 }, (_, i) => tile(left + (i % 160), Math.floor(i / 160)))
      const place = { index, pts: index, timeBase: { num: 1, den: 24 }, name: `${index}` }
      return frameSignature(bitmapFrame({ data, width: 160, height: 90, channels: 1 }, place))
    })
    expect(change(frames[11]!, frames[12]!)).toBeGreaterThan(0.05)
    expect(cutsIn(frames)).toEqual([0])
  })

  it('takes each photo for a shot of its own where pictures need not be of one clip', () => {
    const photos = [0, 150, 60, 100, 20, 180, 75].map((frame) => head[frame]!)
    expect(cutsIn(photos).length).toBeLessThan(4)
    expect(cutsIn(photos, { still: true })).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  it('judges by the change alone where too few frames are known', () => {
    const grey = (level: number) => new Float32Array(576).fill(level)
    expect(cutsIn([grey(0.2), grey(0.25)])).toEqual([0])
    expect(cutsIn([grey(0.2), grey(0.5)])).toEqual([0, 1])
  })
})
