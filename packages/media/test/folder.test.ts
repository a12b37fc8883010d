import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { collect } from '@dfl/core'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { createFrames, createImageFolder, footageStamp, openFrames, readImage, writeImage } from '../src/index.js'
import { allPts, CLIP, makeClip, picture, scratchFolder } from './media.js'

const folder = await scratchFolder()
const at = (...names: string[]) => join(folder, ...names)

async function folderOf(name: string, files: readonly string[]): Promise<string> {
  for (const [i, file] of files.entries()) await writeImage(at(name, file), picture(20, 10, i))
  return at(name)
}

describe('openFrames on images', () => {
  test('walks a folder in the natural order of its names, gaps and other files ignored', async () => {
    const path = await folderOf('natural', [
      'shot_2.png',
      'shot_10.jpg',
      'shot_0003.webp',
      'shot_1.TIF',
      'shot_100000.png',
    ])
    await writeFile(join(path, 'notes.txt'), 'not a frame')
    await writeFile(join(path, '.shot_4.png'), 'hidden')
    const source = await openFrames(path)
    const frames = await collect(source.frames())
    expect(frames.map((frame) => frame.name)).toEqual([
      'shot_1.TIF',
      'shot_2.png',
      'shot_0003.webp',
      'shot_10.jpg',
      'shot_100000.png',
    ])
    expect(frames.map((frame) => frame.index)).toEqual([0, 1, 2, 3, 4])
    expect(frames.map((frame) => frame.timestampSeconds)).toEqual([0, 0.04, 0.08, 0.12, 0.16])
    expect(source.info).toMatchObject({ width: 20, height: 10, frameCount: 5, durationSeconds: 0.2, audio: [] })
    expect(frames[1]!.bitmap).toEqual(picture(20, 10, 0))
  })

  test('counts time at the given rate, and reads only the asked range', async () => {
    const path = await folderOf('range', ['1.png', '2.png', '3.png', '4.png', '5.png'])
    await writeFile(join(path, '3.png'), 'broken, but outside the range')
    const frames = await collect((await openFrames(path, { fps: 29.97, start: 1, everyNth: 2 })).frames())
    expect(frames.map((frame) => frame.name)).toEqual(['2.png', '4.png'])
    expect(frames[1]!.timestampSeconds).toBeCloseTo((3 * 1001) / 30000, 12)
    await expect(openFrames(path, { fps: 0 })).rejects.toThrow(
      'Expected a number above 0 for `fps`, but got 0. Give frames per second.',
    )
  })

  test('opens a single image as one frame', async () => {
    await writeImage(at('one.png'), picture(12, 8))
    const source = await openFrames(at('one.png'))
    const [frame, ...rest] = await collect(source.frames())
    expect(rest).toEqual([])
    expect(frame).toMatchObject({ index: 0, name: 'one.png', timestampSeconds: 0 })
    expect(frame!.bitmap).toEqual(picture(12, 8))
  })

  test('says what is wrong with an empty folder, a broken image and one of another size', async () => {
    await mkdir(at('nothing'))
    await expect(openFrames(at('nothing'))).rejects.toThrow(
      `Expected a folder of images for \`${at('nothing')}\`, but got one without any. Put .png, .tiff, .exr, .jpg or .webp files there.`,
    )
    const path = await folderOf('mixed', ['1.png'])
    await writeImage(join(path, '2.png'), picture(30, 10))
    await expect(collect((await openFrames(path)).frames())).rejects.toThrow(
      `Expected 20 x 10 pixels like the first frame for \`${join(path, '2.png')}\`, but got 30 x 10. Give each clip a folder of its own.`,
    )
    await writeFile(join(path, 'timestamps.json'), '{"timeBase": 3}')
    await expect(openFrames(path)).rejects.toMatchObject({
      code: 'CORRUPT_FILE',
      message: expect.stringContaining('Delete it to count frames at a fixed rate.'),
    })
  })
})

describe('an animated WebP', () => {
  test('is no single image', async () => {
    const path = await folderOf('webp', ['1.webp'])
    const still = join(path, '1.webp')
    await using clip = await openFrames(still)
    expect(clip.info.frameCount).toBe(1)
    const moving = join(path, '2.webp')
    const raw = { width: 16, height: 32, channels: 3, pageHeight: 16 } as const
    await writeFile(
      moving,
      await sharp(Buffer.alloc(16 * 32 * 3, 90).fill(200, 16 * 16 * 3), { raw })
        .webp()
        .toBuffer(),
    )
    await expect(openFrames(moving)).rejects.toThrow(
      `Expected a still picture or a video for \`${moving}\`, but got an animated WebP. Convert it to a video or to images first.`,
    )
  })
})

describe('images of one name with two endings', () => {
  test('are no sequence, whose results would have one name, but may be photos', async () => {
    const path = await folderOf('twice', ['1.jpg', '1.png', '2.png'])
    await using sequence = await openFrames(path)
    await expect(collect(sequence.frames())).rejects.toThrow(
      `Expected one image for each frame for \`${path}\`, but got '1.jpg' and '1.png'. Give each sequence a folder of its own.`,
    )
    await using photos = await openFrames(path, { photos: true })
    expect(await collect(photos.frames())).toHaveLength(3)
  })
})

describe('footageStamp', () => {
  test('tells a sequence that was rendered anew, one that grew and one that lost an image from what it was', async () => {
    const path = await folderOf('stamp', ['1.png', '2.png', '3.png'])
    await writeFile(join(path, 'notes.txt'), 'no frame')
    const before = await footageStamp(path)
    expect(before.bytes).toBe(
      (await Promise.all([1, 2, 3].map((i) => readFile(join(path, `${i}.png`))))).reduce(
        (n, { length }) => n + length,
        0,
      ),
    )
    await writeFile(join(path, 'notes.txt'), 'still none')
    expect(await footageStamp(path)).toEqual(before)
    await utimes(join(path, '2.png'), new Date(), new Date(before.modifiedMs + 5000))
    const rendered = await footageStamp(path)
    expect(rendered.bytes).toBe(before.bytes)
    expect(rendered.modifiedMs).toBeGreaterThan(before.modifiedMs + 4000)
    await writeImage(join(path, '4.png'), picture(20, 10))
    expect((await footageStamp(path)).bytes).toBeGreaterThan(before.bytes)
    await Promise.all([3, 4].map((i) => rm(join(path, `${i}.png`))))
    expect((await footageStamp(path)).bytes).toBeLessThan(before.bytes)
    expect(await footageStamp(join(path, '1.png'))).toMatchObject({
      bytes: (await readFile(join(path, '1.png'))).length,
    })
  })
})

describe('createImageFolder', () => {
  test('has its times file before its first image, so that what was left half-written can be told', async () => {
    await using source = await openFrames(await folderOf('begun-from', ['1.png', '2.png']))
    const sink = await createImageFolder(at('begun'), { like: source })
    expect(await readdir(at('begun'))).toEqual([])
    for await (const frame of source.frames()) {
      await sink.write(frame)
      break
    }
    expect((await readdir(at('begun'))).sort()).toEqual(['1.png', 'timestamps.json'])
    await sink.finish()
  })

  test('takes a video apart and puts it together again with exact times', async () => {
    const pts = [0, 512, 600, 2048, 2049]
    await makeClip(at('clip.mp4'), pts)
    const video = await openFrames(at('clip.mp4'))
    const sink = await createFrames(at('images'), { like: video })
    for await (const frame of video.frames()) await sink.write(frame)
    await sink.finish()
    const images = await openFrames(at('images'))
    expect((await collect(images.frames())).map((frame) => frame.name)).toEqual([
      '000000.png',
      '000001.png',
      '000002.png',
      '000003.png',
      '000004.png',
    ])
    expect(await allPts(images)).toEqual(pts)
    expect(images.info.timeBase).toEqual(video.info.timeBase)
    const back = await createFrames(at('back.mp4'), { like: images, preset: 'ultrafast' })
    for await (const frame of images.frames()) await back.write(frame)
    await back.finish()
    expect(await allPts(await openFrames(at('back.mp4')))).toEqual(pts)
  })

  test('keeps names, copies unchanged images of its format byte for byte, and writes changed ones', async () => {
    const path = await folderOf('named', ['a7.png', 'a8.jpg'])
    const source = await openFrames(path)
    const sink = await createImageFolder(at('out'), { like: source })
    for await (const frame of source.frames())
      await sink.write(
        frame,
        frame.index === 1 ? { bitmap: picture(20, 10, 9), rects: [{ x: 0, y: 0, width: 20, height: 10 }] } : undefined,
      )
    await sink.finish()
    expect((await readdir(at('out'))).sort()).toEqual(['a7.png', 'a8.png', 'timestamps.json'])
    expect(Buffer.compare(await readFile(at('out', 'a7.png')), await readFile(join(path, 'a7.png')))).toBe(0)
    expect(await readImage(at('out', 'a8.png'))).toEqual(picture(20, 10, 9))
  })

  test('keeps finished images and their times when aborted, and goes on from there', async () => {
    const write = async (start: number, end: number, done: boolean) => {
      const part = await openFrames(CLIP, { start, end })
      const sink = await createImageFolder(at('resumed'), { like: part, format: 'jpg', quality: 80 })
      for await (const frame of part.frames()) await sink.write(frame)
      await (done ? sink.finish() : sink.abort())
      await expect(sink.write((await collect(part.frames()))[0]!)).rejects.toThrow('Expected an open writer for')
    }
    await write(0, 3, false)
    await write(3, 5, true)
    const source = await openFrames(at('resumed'))
    expect(await allPts(source)).toEqual([0, 512, 1024, 1536, 2048])
    expect(source.info.frameRate).toEqual({ num: 24, den: 1 })
  })
})
