import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collect, take } from '@dfl/core'
import { createFaceset } from '@dfl/faceset'
import { createFrames, type Frame, openFrames, probeVideo, readImage, writeImage } from '@dfl/media'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FacesOf, type MergeProgress, mergeVideo, type Swapper } from '../src/index.js'
import { clip, identity, meta, painted, truth } from './synthetic.js'

const FRAMES = 18
/** Frames of the demo's DST, with faces in all but a few. */
const landmarks = truth('pair1-dst')
const hasFace = (index: number) => index < 9 || index > 11
const faces: FacesOf = ({ index }) => (hasFace(index) ? [meta(landmarks[index]!, index)] : [])

let folder: string
let dst: string
let count = 0
const out = (ending = '.mp4') => join(folder, `out-${count++}${ending}`)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'merge-'))
  dst = join(folder, 'dst.mp4')
  await using source = await openFrames(clip('pair1-dst'), { end: FRAMES })
  const sink = await createFrames(dst, { like: source, audioFrom: clip('pair1-dst'), preset: 'ultrafast' })
  for await (const frame of source.frames()) await sink.write(frame)
  await sink.finish()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Quick and lossless, so that frames can be compared exactly. */
const options = { crf: 0, preset: 'ultrafast', smoothSeconds: 0.25 } as const
const job = (swapper: Swapper, path: string) => ({ frames: dst, faces, swapper, out: path, options, partSeconds: 0.25 })

async function allFrames(path: string): Promise<Frame[]> {
  await using source = await openFrames(path)
  const frames = await collect(source.frames())
  for (const frame of frames) void frame.bitmap
  return frames
}
const largestDifference = (a: Frame, b: Frame) => {
  let largest = 0
  for (let i = 0; i < a.bitmap.data.length; i++)
    largest = Math.max(largest, Math.abs(a.bitmap.data[i]! - b.bitmap.data[i]!))
  return largest
}

describe('mergeVideo', () => {
  it('keeps length, size, time stamps and sound, and frames without a face exactly', async () => {
    const path = out()
    const reports = await collect(mergeVideo(job(painted(64, [0, 0.6, 0]), path)))
    const [before, after] = [await allFrames(dst), await allFrames(path)]
    expect(after.map((frame) => frame.timestampSeconds)).toEqual(before.map((frame) => frame.timestampSeconds))
    for (const [i, frame] of after.entries()) {
      const difference = largestDifference(frame, before[i]!)
      if (hasFace(i)) expect(difference).toBeGreaterThan(20)
      else expect(difference).toBe(0)
    }
    const [was, is] = [await probeVideo(dst), await probeVideo(path)]
    expect(is).toMatchObject({ width: was.width, height: was.height, frameCount: FRAMES, audio: was.audio })
    expect(is.durationSeconds).toBeCloseTo(was.durationSeconds, 3)
    expect(reports).toHaveLength(FRAMES)
    expect(reports.at(-1)).toMatchObject({
      done: FRAMES,
      frames: FRAMES,
      framesWithFaces: FRAMES - 3,
      framesKept: 0,
      secondsLeft: 0,
    })
    expect(existsSync(`${path}.parts`)).toBe(false)
  })

  it('changes nothing to speak of where the model paints what it sees', async () => {
    const path = out()
    await collect(mergeVideo(job(identity(256), path)))
    const [before, after] = [await allFrames(dst), await allFrames(path)]
    for (const [i, frame] of after.entries()) {
      let sum = 0
      for (let k = 0; k < frame.bitmap.data.length; k++)
        sum += Math.abs(frame.bitmap.data[k]! - before[i]!.bitmap.data[k]!)
      expect(sum / frame.bitmap.data.length).toBeLessThan(0.3)
    }
  })

  it('goes on after an interruption and gives the same file as without one', async () => {
    // Each face gets a colour of its own and colours are averaged over time: forgotten notes would show.
    const colourful: Swapper = {
      ...identity(64),
      swap: async (crops) =>
        (await identity(64).swap(crops)).map((swap, i) => ({
          ...swap,
          face: { ...swap.face, data: swap.face.data.map((v) => v * 0.7 + 0.1 * ((crops[i]!.data[0]! * 37) % 1)) },
        })),
    }
    const [whole, broken] = [out(), out()]
    await collect(mergeVideo(job(colourful, whole)))
    const first = await collect(take(mergeVideo(job(colourful, broken)), 15))
    expect(first.at(-1)!.done).toBe(15)
    expect(existsSync(broken)).toBe(false)
    // As a killed process leaves it: a half-written part beside the finished ones.
    await writeFile(join(`${broken}.parts`, 'part-0123456789ab.mov.partial.mov'), 'half of it')
    const rest = await collect(mergeVideo(job(colourful, broken)))
    expect(rest).toHaveLength(FRAMES)
    expect(rest.at(-1)).toMatchObject({ done: FRAMES, framesKept: 12, framesWithFaces: FRAMES - 3 })
    const [a, b] = [await allFrames(whole), await allFrames(broken)]
    expect(b).toHaveLength(FRAMES)
    for (const [i, frame] of b.entries()) expect(largestDifference(frame, a[i]!)).toBe(0)
    expect(Buffer.compare(await readFile(whole), await readFile(broken))).toBe(0)
  })

  it('only joins the parts where it was stopped after the last of them', async () => {
    const path = out()
    // A folder that stands where the result should go stops it at the very end.
    await mkdir(join(path, 'in the way'), { recursive: true })
    await expect(collect(mergeVideo(job(identity(64), path)))).rejects.toThrow()
    await rm(path, { recursive: true })
    expect((await collect(mergeVideo(job(identity(64), path)))).at(-1)).toMatchObject({
      done: FRAMES,
      framesKept: FRAMES,
    })
    expect(await allFrames(path)).toHaveLength(FRAMES)
    expect(existsSync(`${path}.parts`)).toBe(false)
  })

  it('makes a part again that was damaged, and no other', async () => {
    const path = out()
    await collect(take(mergeVideo(job(identity(64), path)), 15))
    const videos = (await readdir(`${path}.parts`)).filter((name) => /^part-[0-9a-f]+\.mov$/.test(name))
    expect(videos).toHaveLength(2)
    await truncate(join(`${path}.parts`, videos[0]!), 100)
    expect((await collect(mergeVideo(job(identity(64), path)))).at(-1)!.framesKept).toBe(6)
  })

  it('starts from the beginning when the result would be another one', async () => {
    const path = out()
    const kept = async (change: object) =>
      (await collect(take(mergeVideo({ ...job(identity(64), path), fingerprint: 'iteration 2', ...change }), 8))).at(
        -1,
      )!.framesKept
    await collect(take(mergeVideo({ ...job(identity(64), path), fingerprint: 'iteration 1' }), 8))
    expect(await kept({})).toBe(0)
    expect(await kept({ options: { ...options, blur: 3 } })).toBe(0)
    expect(await kept({ options: { ...options, blur: 3 } })).toBe(6)
  })

  it('writes a folder of images where the path does not end like a video, and goes on there too', async () => {
    const path = out('')
    await collect(take(mergeVideo(job(painted(64, [0, 0.6, 0]), path)), 14))
    const reports = await collect(mergeVideo(job(painted(64, [0, 0.6, 0]), path)))
    expect(reports.at(-1)!.framesKept).toBe(12)
    expect((await readdir(path)).filter((name) => name.endsWith('.png'))).toHaveLength(FRAMES)
    const [before, after] = [await allFrames(dst), await allFrames(path)]
    expect(after.map((frame) => frame.timestampSeconds)).toEqual(before.map((frame) => frame.timestampSeconds))
    expect(largestDifference(after[10]!, before[10]!)).toBe(0)
    expect(largestDifference(after[5]!, before[5]!)).toBeGreaterThan(20)
  })

  it('makes everything anew where the images of the clip are others, under the same names', async () => {
    const [plates, path, keepIn] = [join(folder, 'plates'), out(''), join(folder, 'kept-plates')]
    await using source = await openFrames(dst, { end: 6 })
    const sink = await createFrames(plates, { like: source })
    for await (const frame of source.frames()) await sink.write(frame)
    await sink.finish()
    const merge = { ...job(identity(64), path), frames: plates, keepIn }
    await collect(mergeVideo(merge))
    expect((await collect(mergeVideo(merge))).at(-1)!.framesKept).toBe(6)
    const [first] = await allFrames(plates)
    const graded = { ...first!.bitmap, data: first!.bitmap.data.map((value) => 255 - value) }
    await writeImage(join(plates, '000000.png'), graded)
    expect((await collect(mergeVideo(merge))).at(-1)!.framesKept).toBe(0)
    expect((await readImage(join(path, '000000.png'))).data.slice(0, 3)).toEqual(graded.data.slice(0, 3))
  })

  it('makes images anew that a merge with other settings has written over since', async () => {
    const [path, keepIn] = [out(''), join(folder, 'kept-overwritten')]
    const merge = { ...job(identity(64), path), keepIn }
    const pixels = async () => (await allFrames(path)).map(({ bitmap }) => Buffer.from(bitmap.data))
    await collect(mergeVideo(merge))
    const before = await pixels()
    await collect(mergeVideo({ ...merge, only: [{ start: 0, end: 3 }], options: { mode: 'raw-rgb' } }))
    expect((await pixels())[1]!.equals(before[1]!)).toBe(false)
    await collect(mergeVideo(merge))
    expect((await pixels()).every((data, k) => data.equals(before[k]!))).toBe(true)
    expect((await collect(mergeVideo(merge))).at(-1)!.framesKept).toBe(before.length)
  })

  it('takes the faces from a faceset, found by the names of their frames', async () => {
    const [path, faceset] = [out(), join(folder, 'aligned')]
    await writeFaceset(faceset, 'dst.mp4')
    const reports: MergeProgress[] = await collect(mergeVideo({ ...job(identity(64), path), faces: faceset }))
    expect(reports.at(-1)!.framesWithFaces).toBe(3)
  })

  it('takes the faces by their index where the clip was renamed', async () => {
    const [path, faceset] = [out(), join(folder, 'renamed')]
    await writeFaceset(faceset, 'old name.mov')
    const reports = await collect(mergeVideo({ ...job(identity(64), path), faces: faceset }))
    expect(reports.at(-1)!.framesWithFaces).toBe(3)
  })

  it('takes the faces of images by their index where the clip is a video by now, or its images were renamed', async () => {
    const [path, faceset, images] = [out(), join(folder, 'of-images'), join(folder, 'renamed-images')]
    await writeFaceset(faceset, 'shot_v1.')
    const reports = await collect(mergeVideo({ ...job(identity(64), path), faces: faceset }))
    expect(reports.at(-1)!.framesWithFaces).toBe(3)
    await using source = await openFrames(dst, { end: 6 })
    const sink = await createFrames(images, { like: source })
    for await (const frame of source.frames()) await sink.write(frame)
    await sink.finish()
    const renamed = mergeVideo({ ...job(identity(64), out('')), frames: images, faces: faceset })
    expect((await collect(renamed)).at(-1)!.framesWithFaces).toBe(3)
  })

  it('refuses faces that were found in frames of another size, such as those of a proxy', async () => {
    const faceset = join(folder, 'of-proxy')
    await writeFaceset(faceset, { width: 80, height: 60 }, 'dst.mp4')
    const { width, height } = await probeVideo(dst)
    await expect(collect(mergeVideo({ ...job(identity(64), out()), faces: faceset }))).rejects.toThrow(
      `Expected faces found in frames of ${width} x ${height} pixels, as \`${dst}\` has, in \`${faceset}\`, but got faces found in 80 x 60. Extract the faces of this clip first.`,
    )
  })

  it('says where all faces are put aside', async () => {
    const faceset = join(folder, 'all-aside')
    await using writer = await createFaceset(faceset, { faceType: 'full_face', size: 64 })
    await writer.close()
    await writeFaceset(join(faceset, 'rejected'), 'dst.mp4')
    await expect(collect(mergeVideo({ ...job(identity(64), out()), faces: faceset }))).rejects.toThrow(
      `Expected faces of 'dst.mp4' in \`${faceset}\`, but all 3 are put aside. Bring some back: dfl faceset restore`,
    )
  })

  it('refuses a faceset of other clips', async () => {
    const faceset = join(folder, 'others')
    await writeFaceset(faceset, 'a.mp4', 'b.mp4')
    await expect(collect(mergeVideo({ ...job(identity(64), out()), faces: faceset }))).rejects.toThrow(
      `Expected faces of 'dst.mp4' in \`${faceset}\`, but got faces of 'a.mp4', 'b.mp4'. Extract the faces of this clip first.`,
    )
  })

  it('refuses wrong numbers before any work', async () => {
    const path = out()
    await expect(collect(mergeVideo({ ...job(identity(64), path), batchFrames: 0 }))).rejects.toThrow(
      'Expected a whole number of at least 1 for `batchFrames`, but got 0. Leave it out for the default.',
    )
    await expect(collect(mergeVideo({ ...job(identity(64), path), partSeconds: -1 }))).rejects.toThrow(
      'Expected a number of seconds above 0 for `partSeconds`, but got -1. Leave it out for the default.',
    )
    expect(existsSync(`${path}.parts`)).toBe(false)
  })
})

async function writeFaceset(path: string, ...given: (string | { width: number; height: number })[]): Promise<void> {
  const clips = given.filter((one) => typeof one === 'string')
  const frameSize = given.find((one) => typeof one !== 'string')
  await using writer = await createFaceset(path, { faceType: 'full_face', size: 64 })
  const image = { data: new Uint8Array(64 * 64 * 3), width: 64, height: 64, channels: 3 } as const
  for (const name of clips) {
    for (let index = 2; index < 5; index++) {
      // A name that ends in a dot is that of a sequence's images.
      const sourceFilename = name.endsWith('.') ? `${name}${index}.png` : `${name}#${index}`
      const face = { ...meta(landmarks[index]!, index), sourceFilename, size: 64, ...(frameSize ? { frameSize } : {}) }
      await writer.add({ ...face, filename: `${name.replace(/\W/g, '')}-${index}.png` }, image)
    }
  }
}
