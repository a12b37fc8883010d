import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bitmap, collect, Random, take } from '@dfl/core'
import { encodeSamples, type ImageFormat, type ImageSamples, openFrames, readImage, writeImage } from '@dfl/media'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collectReport, type FacesOf, type MergeVideoOptions, mergeVideo, overOf, type Swapper } from '../src/index.js'
import { frameOf, identity, landmarks, meta, painted, same } from './synthetic.js'

const [WIDTH, HEIGHT] = [240, 176]
/** Two shots of six frames, the first light and the second dark; the last frame of each shows nobody. */
const FRAMES = 12
const hasFace = (index: number) => index % 6 !== 5
const faceAt = (index: number) => meta(landmarks({ x: 112 + index, y: 90, scale: 0.6 }), index)
const faces: FacesOf = ({ index }) => (hasFace(index) ? [faceAt(index)] : [])

let folder: string
let frames: string
let count = 0
const out = () => join(folder, `out-${count++}`)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'merge-shots-'))
  frames = join(folder, 'clip')
  for (let index = 0; index < FRAMES; index++) await writeImage(join(frames, `${index}.png`), pictureAt(index))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function pictureAt(index: number): Bitmap {
  const light = index < 6 ? 0.7 : 0.3
  return frameOf(WIDTH, HEIGHT, (x, y, c) => light + 0.2 * Math.sin(x / 8 + c + index / 9) * Math.cos(y / 11))
}

/** What an image file holds. */
async function samplesOf(path: string): Promise<ImageSamples> {
  await using source = await openFrames(path)
  const [frame] = await collect(source.frames())
  return frame!.image!
}

async function written(path: string, image: ImageSamples): Promise<string> {
  await writeFile(path, await encodeSamples(image, path.split('.').pop() as ImageFormat))
  return path
}

/** A swapper that counts the faces it was asked for. */
function counted(swapper: Swapper): { swapper: Swapper; asked: () => number } {
  let asked = 0
  return {
    swapper: {
      ...swapper,
      swap: async (crops) => {
        asked += crops.length
        return swapper.swap(crops)
      },
    },
    asked: () => asked,
  }
}

const job = (path: string, { options, ...change }: Partial<MergeVideoOptions> = {}): MergeVideoOptions => ({
  ...{ frames, faces, swapper: painted(64, [0.1, 0.7, 0.2]), out: path, partSeconds: 0.08, batchFrames: 2 },
  keepIn: `${path}.kept`,
  options: { format: 'png', ...options },
  ...change,
})
const pictures = async (path: string) =>
  Promise.all(
    (await readdir(path))
      .filter((name) => name.endsWith('.png'))
      .map(async (name) => [name, await readFile(join(path, name))]),
  )

describe('mergeVideo, shot by shot', () => {
  it('renders only the shot whose settings changed', async () => {
    const path = out()
    await collect(mergeVideo(job(path)))
    const before = await pictures(path)
    const { swapper, asked } = counted(painted(64, [0.1, 0.7, 0.2]))
    const reports = await collect(mergeVideo(job(path, { swapper, settings: [{ shot: 2, erode: 25 }] })))
    expect(asked()).toBe(5)
    // The second shot's last frame has no face, and no part of its own: parts are of two frames.
    expect(reports.at(-1)).toMatchObject({ done: FRAMES, framesKept: 6 })
    const after = await pictures(path)
    const changed = after
      .filter(([, bytes], i) => !(bytes as Buffer).equals(before[i]![1] as Buffer))
      .map(([name]) => name)
    expect(changed.sort()).toEqual(['10.png', '6.png', '7.png', '8.png', '9.png'])
  })

  it('renders only from the frame on whose face was changed by hand, and not beyond its shot', async () => {
    const path = out()
    await collect(mergeVideo(job(path)))
    const edited: FacesOf = ({ index }) =>
      index === 2 ? [meta(landmarks({ x: 118, y: 92, scale: 0.6 }), index)] : (faces({ index, name: '' }) as never)
    const kept = (await collect(mergeVideo(job(path, { faces: edited })))).filter(({ framesKept }, i, all) => {
      return framesKept > (all[i - 1]?.framesKept ?? 0)
    })
    expect(kept.map(({ frame }) => frame.frame)).toEqual(expect.arrayContaining([0, 1, 6, 7, 8, 9, 10, 11]))
    expect(kept.map(({ frame }) => frame.frame)).not.toContain(2)
  })

  it('keeps nothing of a shot for the next, so that colours do not bleed over the cut', async () => {
    const [whole, alone] = [out(), out()]
    await collect(mergeVideo(job(whole)))
    await collect(mergeVideo(job(alone, { only: [{ start: 6, end: 12 }] })))
    expect((await pictures(alone)).map(([name]) => name)).toHaveLength(6)
    for (const [name, bytes] of await pictures(alone))
      expect((bytes as Buffer).equals(await readFile(join(whole, name as string)))).toBe(true)
  })

  it('goes on after being killed at any frame, again and again, and ends with the same pictures', async () => {
    const [whole, broken] = [out(), out()]
    const settings = [
      { key: 0, blur: 4 },
      { key: 4, blur: 40 },
    ]
    await collect(mergeVideo(job(whole, { settings })))
    const random = new Random(7)
    let done = 0
    for (let starts = 0; done < FRAMES && starts < 60; starts++) {
      const most = 1 + random.integer(FRAMES)
      const seen = await collect(take(mergeVideo(job(broken, { settings })), most))
      done = seen.at(-1)!.done
    }
    await collect(mergeVideo(job(broken, { settings })))
    const expected = new Map((await pictures(whole)) as [string, Buffer][])
    const got = (await pictures(broken)) as [string, Buffer][]
    expect(got).toHaveLength(FRAMES)
    for (const [name, bytes] of got) expect(bytes.equals(expected.get(name)!)).toBe(true)
  })

  it('refuses frames that the clip does not have, and stretches out of order', async () => {
    await expect(collect(mergeVideo(job(out(), { only: [{ start: 40, end: 50 }] })))).rejects.toThrow(
      'Expected frames below 12 for `only`, but got 40. The clip ends there.',
    )
    const spans = [
      { start: 5, end: 8 },
      { start: 2, end: 3 },
    ]
    await expect(collect(mergeVideo(job(out(), { only: spans })))).rejects.toThrow(
      'Expected stretches in order and apart for `only`, but got others. Sort them first.',
    )
    const apart = [
      { start: 2, end: 3 },
      { start: 5, end: 8 },
    ]
    await expect(collect(mergeVideo(job(join(folder, 'a.mp4'), { only: apart })))).rejects.toThrow(
      'Expected one stretch of frames for a video, but got 2. Give one, or write a folder of images.',
    )
  })

  it('says what every frame is worth a look for', async () => {
    const odd: FacesOf = ({ index }) => {
      if (index === 1) return [{ ...faceAt(index), score: 0.4 }]
      if (index === 2) return [faceAt(index), { ...faceAt(index + 60), faceIndex: 1 }]
      return faces({ index, name: '' }) as never
    }
    const report = collectReport()
    for await (const { frame } of mergeVideo(job(out(), { faces: odd, swapper: identity(64) }))) report.add(frame)
    const { frames: all, framesWithFaces, counts, issues, shots } = report.report()
    expect([all, framesWithFaces]).toEqual([FRAMES, 10])
    expect(shots).toMatchObject([
      { shot: 1, from: 0, to: 5, framesWithFaces: 5 },
      { shot: 2, from: 6, to: 11, framesWithFaces: 5 },
    ])
    expect(shots[0]!.picture).toMatch(/^data:image\/jpeg;base64,/)
    expect(counts).toMatchObject({ 'no-face': 2, 'low-score': 1, 'several-faces': 1 })
    expect(issues.find(({ kind }) => kind === 'low-score')).toMatchObject({
      from: 1,
      to: 1,
      shot: 1,
      detail: 'score 0.40',
    })
    expect(issues.filter(({ kind }) => kind === 'no-face').map(({ from, to }) => [from, to])).toEqual([
      [5, 5],
      [11, 11],
    ])
  })
})

describe("mergeVideo with a compositor's package", () => {
  it.each(['overlay', 'seamless', 'raw-rgb'] as const)(
    'rebuilds every frame of %s exactly by face + (1 - mask) * frame',
    async (mode) => {
      const [path, folder] = [out(), out()]
      const only = [{ start: 3, end: 7 }]
      await collect(mergeVideo(job(path, { options: { mode, blur: 30 }, package: folder, only })))
      const described = JSON.parse(await readFile(join(folder, 'frames.json'), 'utf8'))
      expect(described.frames.map(({ frame }: { frame: number }) => frame)).toEqual([3, 4, 5, 6])
      expect(described.frames[0].settings).toMatchObject({ mode, blur: 30 })
      for (const { frame, face, mask } of described.frames) {
        const plate = await readImage(join(frames, `${frame}.png`))
        const merged = await readImage(join(path, `${frame}.png`))
        if (face === undefined) {
          expect(same(merged, plate)).toBe(true)
          continue
        }
        const rgba = await readImage(join(folder, face), { channels: 4, keep16: true })
        const alpha = await readImage(join(folder, mask), { channels: 1, keep16: true })
        const rebuilt = plate.data.map((value, i) => {
          const [p, c] = [Math.floor(i / 3), i % 3]
          return Math.round((255 * rgba.data[p * 4 + c]! + (65535 - rgba.data[p * 4 + 3]!) * value) / 65535)
        })
        expect(same({ data: rebuilt }, merged)).toBe(true)
        expect(same(merged, plate)).toBe(false)
        expect(alpha.data.every((value, p) => value === rgba.data[p * 4 + 3])).toBe(true)
      }
    },
  )

  /** Plates of 16 bits and of linear floats, far brighter than white here and there, and a little below black. */
  const light = (i: number) => (i % 97 === 0 ? 9.5 : 0.18 * (1 + Math.sin(i / 40)) - 0.01)
  const words = Uint16Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 7919) % 65536)
  const floats = (channels: number) => Float32Array.from({ length: WIDTH * HEIGHT * channels }, (_, i) => light(i))
  const PLATES: readonly (readonly [string, string, ImageSamples])[] = [
    ['a 16-bit TIFF', 'tiff', { data: words, width: WIDTH, height: HEIGHT, channels: 3 }],
    ['an EXR of 16-bit floats', 'exr', { data: floats(3), width: WIDTH, height: HEIGHT, channels: 3, half: true }],
    ['an EXR with alpha', 'exr', { data: floats(4), width: WIDTH, height: HEIGHT, channels: 4 }],
    ['a float TIFF', 'tiff', { data: floats(3), width: WIDTH, height: HEIGHT, channels: 3 }],
    ['a gray EXR', 'exr', { data: floats(1), width: WIDTH, height: HEIGHT, channels: 1 }],
  ]
  it.each(PLATES)('rebuilds %s exactly, in its own values', async (_, format, plate) => {
    const [path, folder, clip] = [out(), out(), out()]
    await mkdir(clip)
    await writeFile(join(clip, `0.${format}`), await encodeSamples(plate, format as ImageFormat))
    const given = await samplesOf(join(clip, `0.${format}`))
    const options = { format: 'same', mode: 'seamless' } as const
    await collect(mergeVideo(job(path, { frames: clip, options, package: folder })))
    const [{ face, mask, faces: packaged }] = JSON.parse(await readFile(join(folder, 'frames.json'), 'utf8')).frames
    const merged = await samplesOf(join(path, `0.${format}`))
    const rgba = await samplesOf(join(folder, face))
    const isFloat = given.data instanceof Float32Array
    const one = isFloat ? 1 : 65535
    const { channels } = given
    let changed = 0
    const rebuilt = given.data.map((value, i) => {
      const [p, c] = [Math.floor(i / channels), i % channels]
      if (c === 3) return value
      const alpha = rgba.data[p * 4 + 3]!
      if (alpha > 0) changed++
      const left = isFloat ? Math.fround(Math.fround(1 - alpha) * value) : ((one - alpha) * value) / one
      return isFloat ? rgba.data[p * 4 + c]! + left : Math.round(rgba.data[p * 4 + c]! + left)
    })
    expect(changed).toBeGreaterThan(1000)
    // Floats of 16 bits are rounded when they are written, here by writing them.
    const again = await samplesOf(await written(join(folder, `rebuilt.${format}`), { ...given, data: rebuilt }))
    expect(again.data.findIndex((value, i) => value !== merged.data[i])).toBe(-1)
    expect((await samplesOf(join(folder, mask))).data).toEqual(rgba.data.filter((_, i) => i % 4 === 3))
    expect(packaged[0].painted).toMatch(isFloat ? /\.exr$/ : /\.png$/)
  })

  it('tells where the painted square lies, as matrix, corners and ST map', async () => {
    const [path, folder] = [out(), out()]
    await collect(mergeVideo(job(path, { package: folder, only: [{ start: 0, end: 1 }] })))
    const [{ faces: packaged }] = JSON.parse(await readFile(join(folder, 'frames.json'), 'utf8')).frames
    const [{ frameToPaintedMat: mat, paintedToFrameMat: back, corners, stmap, paintedPx }] = packaged
    const st = await readImage(join(folder, stmap), { keep16: true })
    expect([st.width, st.height]).toEqual([WIDTH, HEIGHT])
    // The middle of the square: the map finds it in the middle, and the corners lie around it.
    const middle = (paintedPx - 1) / 2
    const x = Math.round(back[0] * middle + back[1] * middle + back[2])
    const y = Math.round(back[3] * middle + back[4] * middle + back[5])
    const [u, v, inside] = [0, 1, 2].map((c) => st.data[(y * WIDTH + x) * 3 + c]! / 65535)
    expect(u! * paintedPx - 0.5).toBeCloseTo(mat[0] * x + mat[1] * y + mat[2], 1)
    expect((1 - v!) * paintedPx - 0.5).toBeCloseTo(mat[3] * x + mat[4] * y + mat[5], 1)
    expect(inside).toBe(1)
    const centre = [0, 1].map((i) => corners.reduce((sum: number, corner: number[]) => sum + corner[i]! / 4, 0) - 0.5)
    expect(centre[0]).toBeCloseTo(back[0] * middle + back[1] * middle + back[2], 3)
    expect(centre[1]).toBeCloseTo(back[3] * middle + back[4] * middle + back[5], 3)
  })
})

describe('overOf', () => {
  it('gives back every sample of 16 bits, also where rounding took more than an over can', () => {
    const random = new Random(3)
    const [width, height] = [40, 30]
    const words = () => Uint16Array.from({ length: width * height * 3 }, () => random.integer(65536))
    const before: Bitmap = { data: words(), width, height, channels: 3 }
    const alpha = Float32Array.from({ length: width * height }, () => (random.chance(0.3) ? 0 : random.uniform()))
    const colours = words()
    const mixed = (i: number) => before.data[i]! + alpha[Math.floor(i / 3)]! * (colours[i]! * 0.01 - before.data[i]!)
    const after: Bitmap = { ...before, data: Uint16Array.from(before.data, (_, i) => Math.max(0, mixed(i) - 1)) }
    const patch = {
      rect: { x: 0, y: 0, width, height },
      bitmap: after,
      alpha: { data: alpha, width, height, channels: 1 } as const,
    }
    const { face } = overOf(before, after, [{ patch }])
    const rebuilt = after.data.map((_, i) => {
      const p = Math.floor(i / 3)
      return Math.round(face.data[p * 4 + (i % 3)]! + ((65535 - face.data[p * 4 + 3]!) * before.data[i]!) / 65535)
    })
    expect(same({ data: rebuilt }, after)).toBe(true)
  })
})
