import { existsSync } from 'node:fs'
import { copyFile, open, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bitmap, collect, type Rect } from '@dfl/core'
import { describe, expect, test } from 'vitest'
import { bitmapFrame, createVideo, type Frame, openFrames, probeVideo } from '../src/index.js'
import { allPts, allSamples, CLIP, clipInfo, makeClip, picture, scratchFolder, soundPackets } from './media.js'

const folder = await scratchFolder()
const at = (name: string) => join(folder, name)

/** The frame's bitmap with its colours turned round inside a rectangle. */
function inverted(frame: Frame, { x, y, width, height }: Rect): Bitmap {
  const data = frame.bitmap.data.slice()
  for (let row = y; row < y + height; row++)
    for (let i = (row * frame.bitmap.width + x) * 3; i < (row * frame.bitmap.width + x + width) * 3; i++)
      data[i] = 255 - data[i]!
  return { ...frame.bitmap, data }
}

describe('probeVideo', () => {
  test('tells size, rate, count, clock, format and sound without decoding', async () => {
    const info = await probeVideo(CLIP)
    expect(info).toMatchObject({
      width: 640,
      height: 360,
      frameRate: { num: 24, den: 1 },
      frameCount: 192,
      frameCountIsEstimate: false,
      variableFrameRate: false,
      durationSeconds: 8,
      timeBase: { num: 1, den: 12288 },
      codec: 'h264',
      pixelFormat: 'yuv420p',
      bitDepth: 8,
      rotationDegrees: 0,
      audio: [{ codec: 'aac', sampleRate: 22050, channels: 1 }],
    })
  })

  test.skipIf(process.platform === 'win32')('takes a name with a colon for a file, also to write to', async () => {
    const here = process.cwd()
    process.chdir(folder)
    try {
      await copyFile(CLIP, 'Scene 12: take 2.mp4')
      await using source = await openFrames('Scene 12: take 2.mp4', { end: 2 })
      await using sink = await createVideo('take: 3.mp4', { like: source, audioFrom: 'Scene 12: take 2.mp4' })
      for await (const frame of source.frames()) await sink.write(frame)
      await sink.finish()
      expect((await probeVideo('take: 3.mp4')).frameCount).toBe(2)
    } finally {
      process.chdir(here)
    }
  })

  test('says in one sentence what is wrong with a path that is no video', async () => {
    await writeFile(at('empty.mp4'), '')
    await writeFile(at('text.mp4'), 'this is no video '.repeat(100))
    await expect(probeVideo(at('none.mp4'))).rejects.toMatchObject({
      code: 'NO_SUCH_FILE',
      message: `Expected a file or folder at \`${at('none.mp4')}\`, but there is none. Check the path.`,
    })
    await expect(probeVideo(at('empty.mp4'))).rejects.toMatchObject({
      code: 'UNSUPPORTED_MEDIA',
      message: `Expected a video for \`${at('empty.mp4')}\`, but got an empty file. Give a video such as .mp4, .mov or .mkv, or a folder of images.`,
    })
    await expect(probeVideo(at('text.mp4'))).rejects.toMatchObject({
      code: 'UNSUPPORTED_MEDIA',
      message: expect.stringContaining('but got something libav cannot open'),
    })
  })

  test('refuses a file that holds only sound', async () => {
    const sampleRate = 8000
    const wav = Buffer.alloc(44 + sampleRate * 2)
    wav.write('RIFF', 0)
    wav.writeUInt32LE(wav.length - 8, 4)
    wav.write('WAVEfmt ', 8)
    for (const [value, offset, bytes] of [
      [16, 16, 4],
      [1, 20, 2],
      [1, 22, 2],
      [sampleRate, 24, 4],
      [sampleRate * 2, 28, 4],
      [2, 32, 2],
      [16, 34, 2],
      [sampleRate * 2, 40, 4],
    ] as const)
      wav.writeUIntLE(value, offset, bytes)
    wav.write('data', 36)
    await writeFile(at('sound.wav'), wav)
    await expect(openFrames(at('sound.wav'))).rejects.toMatchObject({
      code: 'UNSUPPORTED_MEDIA',
      message: expect.stringContaining('but got a file without pictures.'),
    })
  })
})

describe('openFrames on a video', () => {
  test('gives every frame with its index, name, time and upright RGB bytes', async () => {
    await using source = await openFrames(CLIP)
    let count = 0
    for await (const frame of source.frames()) {
      expect(frame.index).toBe(count)
      expect(frame.timestampSeconds).toBeCloseTo(count / 24, 9)
      if (count === 5) {
        expect(frame.name).toBe('pair1-dst.mp4#5')
        expect(frame.bitmap).toMatchObject({ width: 640, height: 360, channels: 3 })
        expect(frame.bitmap.data.length).toBe(640 * 360 * 3)
      }
      frame.close()
      count++
    }
    expect(count).toBe(192)
  })

  test('starts at exactly the asked frame, ends before the end, and keeps every nth', async () => {
    const all = await openFrames(CLIP)
    let wanted: Uint8Array | Uint16Array | undefined
    for await (const frame of all.frames()) {
      if (frame.index === 37) {
        wanted = frame.bitmap.data
        break
      }
    }
    const part = await collect((await openFrames(CLIP, { start: 37, end: 60, everyNth: 10 })).frames())
    expect(part.map((frame) => frame.index)).toEqual([37, 47, 57])
    expect(part.map((frame) => frame.pts)).toEqual([37, 47, 57].map((index) => index * 512))
    expect(Buffer.compare(Buffer.from(part[0]!.bitmap.data), Buffer.from(wanted!))).toBe(0)
  })

  test('can be left early and walked again', async () => {
    await using source = await openFrames(CLIP)
    for (let round = 0; round < 3; round++)
      for await (const frame of source.frames()) {
        expect(frame.index).toBe(0)
        break
      }
  })

  test('ends a walk that is under way when the source is disposed', async () => {
    const source = await openFrames(CLIP)
    const walk = source.frames()
    await walk.next()
    await source[Symbol.asyncDispose]()
    expect((await walk.next()).done).toBe(true)
  })

  test('stops with the reason of an aborted signal', async () => {
    const controller = new AbortController()
    const source = await openFrames(CLIP, { signal: controller.signal })
    const walk = async () => {
      for await (const frame of source.frames()) if (frame.index === 3) controller.abort(new Error('enough'))
    }
    await expect(walk()).rejects.toThrow('enough')
  })

  test('refuses to convert a closed frame, but keeps a bitmap made before', async () => {
    const source = await openFrames(CLIP)
    for await (const frame of source.frames()) {
      if (frame.index === 0) {
        frame.close()
        expect(() => frame.bitmap).toThrow(
          'Expected an open frame for `pair1-dst.mp4#0`, but it was closed. Read its `bitmap` before `close()`.',
        )
        continue
      }
      const { bitmap } = frame
      frame.close()
      expect(frame.bitmap).toBe(bitmap)
      break
    }
  })

  test('refuses a range that makes no sense', async () => {
    await expect(openFrames(CLIP, { start: -1 })).rejects.toThrow(
      'Expected a whole number of at least 0 for `start`, but got -1. Count frames from 0.',
    )
    await expect(openFrames(CLIP, { everyNth: 0 })).rejects.toThrow('for `everyNth`, but got 0.')
    await expect(collect((await openFrames(CLIP, { start: 500 })).frames())).rejects.toThrow(
      'Expected a frame below 192 for `start`, but got 500. The clip ends there.',
    )
  })

  test('delivers the good frames of a video cut off in the middle, then says where it ends', async () => {
    await copyFile(CLIP, at('whole.mp4'))
    const sink = await createVideo(at('faststart.mp4'), { like: await openFrames(CLIP), preset: 'ultrafast' })
    for await (const frame of (await openFrames(CLIP, { end: 60 })).frames()) await sink.write(frame)
    await sink.finish()
    const bytes = await readFile(at('faststart.mp4'))
    await writeFile(at('cut.mp4'), bytes)
    await truncate(at('cut.mp4'), Math.floor(bytes.length * 0.6))
    let count = 0
    const walk = async () => {
      for await (const frame of (await openFrames(at('cut.mp4'))).frames()) {
        frame.close()
        count++
      }
    }
    await expect(walk()).rejects.toMatchObject({
      code: 'CORRUPT_FILE',
      message: expect.stringMatching(/^Expected a whole frame \d+ \(about [\d.]+ s\) in `.*cut\.mp4`, but got '.+'\./),
    })
    expect(count).toBeGreaterThan(10)
    expect(count).toBeLessThan(60)
  })

  test('reports damaged data in the middle, and goes on when asked to', async () => {
    await copyFile(CLIP, at('damaged.mp4'))
    const file = await open(at('damaged.mp4'), 'r+')
    await file.write(Buffer.alloc(20_000, 0x5a), 0, 20_000, 200_000)
    await file.close()
    await expect(collect((await openFrames(at('damaged.mp4'))).frames())).rejects.toMatchObject({
      code: 'CORRUPT_FILE',
      data: { frameIndex: expect.any(Number) },
    })
    const reported: string[] = []
    const onDamaged = (error: Error) => reported.push(error.message)
    const rest = await collect((await openFrames(at('damaged.mp4'), { onDamaged })).frames())
    expect(reported.length).toBeGreaterThan(0)
    expect(rest.length).toBeGreaterThan(150)
  })
})

describe('createVideo', () => {
  test('keeps the time of every frame and the sound bit for bit', async () => {
    const source = await openFrames(CLIP)
    const sink = await createVideo(at('copy.mp4'), {
      like: source,
      audioFrom: CLIP,
      preset: 'ultrafast',
      metadata: { title: 'A swap' },
    })
    for await (const frame of source.frames()) {
      await sink.write(frame)
      frame.close()
    }
    await sink.finish()
    const copy = await openFrames(at('copy.mp4'))
    expect(copy.info).toMatchObject({
      width: 640,
      height: 360,
      frameCount: 192,
      durationSeconds: 8,
      timeBase: { num: 1, den: 12288 },
      metadata: { title: 'A swap' },
    })
    expect(await allPts(copy)).toEqual(await allPts(source))
    const sound = await soundPackets(at('copy.mp4'))
    expect(sound).toEqual(await soundPackets(CLIP))
    expect(sound.length).toBeGreaterThan(150)
    expect((await readFile(at('copy.mp4'))).indexOf('moov')).toBeLessThan(1000) // the index comes first
    expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([])
  })

  test('keeps the samples of a video exactly in a lossless codec', async () => {
    const source = await openFrames(CLIP, { end: 12 })
    const sink = await createVideo(at('exact.mkv'), { like: source, codec: 'ffv1' })
    expect(sink.encoder).toBe('ffv1')
    for await (const frame of source.frames()) await sink.write(frame)
    await sink.finish()
    const [before, after] = [await allSamples(source), await allSamples(await openFrames(at('exact.mkv')))]
    expect(after.length).toBe(12)
    for (let i = 0; i < 12; i++) expect(Buffer.compare(after[i]!, before[i]!)).toBe(0)
  })

  test.each([
    ['ffv1', 'painted.mkv'],
    ['h264', 'painted.mp4'],
  ] as const)('paints rectangles and leaves every sample outside them alone (%s)', async (codec, name) => {
    const rect = { x: 201, y: 99, width: 121, height: 83 }
    const source = await openFrames(CLIP, { end: 4 })
    const sink = await createVideo(at(name), { like: source, codec, crf: 0, preset: 'ultrafast' })
    const wanted: Bitmap[] = []
    for await (const frame of source.frames()) {
      wanted.push(inverted(frame, rect))
      await sink.write(frame, { bitmap: wanted.at(-1)!, rects: [rect] })
    }
    await sink.finish()
    const [before, after] = [await allSamples(source), await allSamples(await openFrames(at(name)))]
    const inside = (x: number, y: number) =>
      x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height
    for (let i = 0; i < 4; i++) {
      let [changedOutside, changedInside] = [0, 0]
      for (let y = 0; y < 360; y++)
        for (let x = 0; x < 640; x++)
          if (before[i]![y * 640 + x] !== after[i]![y * 640 + x]) inside(x, y) ? changedInside++ : changedOutside++
      for (let plane = 0; plane < 2; plane++)
        for (let y = 0; y < 180; y++)
          for (let x = 0; x < 320; x++) {
            const o = 640 * 360 + plane * 320 * 180 + y * 320 + x
            const touches =
              inside(2 * x, 2 * y) ||
              inside(2 * x + 1, 2 * y) ||
              inside(2 * x, 2 * y + 1) ||
              inside(2 * x + 1, 2 * y + 1)
            if (!touches && before[i]![o] !== after[i]![o]) changedOutside++
          }
      expect(changedOutside).toBe(0)
      expect(changedInside).toBeGreaterThan(0.9 * rect.width * rect.height)
    }
    // The painted colours come back as they were meant, but for the rounding of luma and the sharing of chroma.
    const painted = await collect((await openFrames(at(name))).frames())
    let error = 0
    for (let y = rect.y + 2; y < rect.y + rect.height - 2; y++)
      for (let x = rect.x + 2; x < rect.x + rect.width - 2; x++)
        for (let k = 0; k < 3; k++)
          error += Math.abs(painted[0]!.bitmap.data[(y * 640 + x) * 3 + k]! - wanted[0]!.data[(y * 640 + x) * 3 + k]!)
    expect(error / ((rect.width - 4) * (rect.height - 4) * 3)).toBeLessThan(2)
  })

  test('keeps the samples of pixels inside a rectangle that were not changed', async () => {
    const source = await openFrames(CLIP, { end: 1 })
    const sink = await createVideo(at('same.mkv'), { like: source, codec: 'ffv1' })
    for await (const frame of source.frames())
      await sink.write(frame, {
        bitmap: { ...frame.bitmap, data: frame.bitmap.data.slice() },
        rects: [{ x: 0, y: 0, width: 640, height: 360 }],
      })
    await sink.finish()
    expect(
      Buffer.compare((await allSamples(await openFrames(at('same.mkv'))))[0]!, (await allSamples(source))[0]!),
    ).toBe(0)
  })

  test.each(['vfr.mp4', 'vfr.mov'])('keeps irregular times to the tick (%s)', async (name) => {
    const pts = [0, 512, 513, 2000, 2600, 9999, 10000, 10001, 30000, 30700]
    await makeClip(at(name), pts)
    const source = await openFrames(at(name))
    const seconds = (await collect(source.frames())).map((frame) => frame.timestampSeconds)
    expect(seconds).toEqual(pts.map((ticks) => ticks / 12800))
    expect(source.info.variableFrameRate).toBe(true)
    const sink = await createVideo(at(`again-${name}`), { like: source, preset: 'ultrafast' })
    for await (const frame of source.frames()) await sink.write(frame)
    await sink.finish()
    expect(await allPts(await openFrames(at(`again-${name}`)))).toEqual(await allPts(source))
  })

  test('carries colour tags, pixel shape and the rotation of phone footage over, and shows frames upright', async () => {
    const turned = {
      width: 64,
      height: 96,
      rotationDegrees: 90,
      displayMatrix: [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000],
      sampleAspectRatio: { num: 4, den: 3 },
      color: { primaries: 'bt470bg', transfer: 'smpte170m', matrix: 'bt470bg', range: 'limited' },
      pixelFormat: 'yuv444p',
    } as const
    await makeClip(at('phone.mp4'), [0, 512, 1024], turned)
    const source = await openFrames(at('phone.mp4'))
    expect(source.info).toMatchObject(turned)
    const [frame] = await collect(source.frames())
    const truth = picture(64, 96, 0)
    expect(frame!.samples).toMatchObject({ width: 96, height: 64 })
    let error = 0
    for (let i = 0; i < truth.data.length; i++) error += Math.abs(truth.data[i]! - frame!.bitmap.data[i]!)
    expect(error / truth.data.length).toBeLessThan(3)

    const sink = await createVideo(at('phone-again.mkv'), { like: source, codec: 'ffv1' })
    for await (const each of source.frames())
      await sink.write(each, {
        bitmap: inverted(each, { x: 3, y: 5, width: 10, height: 20 }),
        rects: [{ x: 3, y: 5, width: 10, height: 20 }],
      })
    await sink.finish()
    const again = await openFrames(at('phone-again.mkv'))
    expect(again.info).toMatchObject(turned)
    const [painted] = await collect(again.frames())
    const changed: [number, number][] = []
    for (let i = 0; i < truth.data.length; i += 3)
      if (Math.abs(painted!.bitmap.data[i]! - frame!.bitmap.data[i]!) > 2)
        changed.push([(i / 3) % 64, Math.floor(i / 3 / 64)])
    expect(Math.min(...changed.map(([x]) => x))).toBe(3)
    expect(Math.max(...changed.map(([x]) => x))).toBe(12)
    expect(Math.min(...changed.map(([, y]) => y))).toBe(5)
    expect(Math.max(...changed.map(([, y]) => y))).toBe(24)
  })

  test.each([
    ['yuv420p', 'limited'],
    ['yuv420p', 'full'],
    ['yuv422p', 'limited'],
    ['yuv444p', 'limited'],
    ['yuv420p10le', 'limited'],
  ] as const)('writes and reads %s in %s range', async (pixelFormat, range) => {
    const color = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range } as const
    await makeClip(at(`${pixelFormat}.mkv`), [0, 512], { pixelFormat, color, timeBase: { num: 1, den: 12800 } })
    const source = await openFrames(at(`${pixelFormat}.mkv`))
    expect(source.info.bitDepth).toBe(pixelFormat.endsWith('10le') ? 10 : 8)
    expect(source.info.pixelFormat).toBe(pixelFormat)
    expect(source.info.color.range).toBe(range)
    const frames = await collect(source.frames())
    const truth = picture(96, 64, 1)
    let error = 0
    for (let i = 0; i < truth.data.length; i++) error += Math.abs(truth.data[i]! - frames[1]!.bitmap.data[i]!)
    expect(error / truth.data.length).toBeLessThan(4)
    // Deep samples that pass through stay as they are.
    const sink = await createVideo(at(`${pixelFormat}-again.mkv`), { like: source, codec: 'ffv1' })
    for (const frame of frames) await sink.write(frame)
    await sink.finish()
    const [before, after] = [
      await allSamples(source),
      await allSamples(await openFrames(at(`${pixelFormat}-again.mkv`))),
    ]
    expect(Buffer.compare(after[1]!, before[1]!)).toBe(0)
  })

  test('makes ProRes of full range as bright as it was', async () => {
    const color = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'full' } as const
    await makeClip(at('bright.mp4'), [0, 512], { pixelFormat: 'yuv420p', color })
    const source = await openFrames(at('bright.mp4'))
    const frames = await collect(source.frames())
    const sink = await createVideo(at('bright.mov'), { like: source, codec: 'prores' })
    for (const frame of frames) await sink.write(frame)
    await sink.finish()
    const [written] = await collect((await openFrames(at('bright.mov'))).frames())
    const share = ({ data }: Bitmap, i: number) => data[i]! / (data instanceof Uint16Array ? 65535 : 255)
    const wanted = frames[0]!.bitmap
    let error = 0
    for (let i = 0; i < wanted.data.length; i++) error += Math.abs(share(wanted, i) - share(written!.bitmap, i))
    expect((255 * error) / wanted.data.length).toBeLessThan(1.5)
  })

  test('keeps a gray clip as bright as it was', async () => {
    const color = { primaries: 'unknown', transfer: 'unknown', matrix: 'unknown', range: 'full' } as const
    await makeClip(at('gray.mkv'), [0, 512], { pixelFormat: 'gray', color }, 'ffv1')
    const source = await openFrames(at('gray.mkv'))
    expect(source.info).toMatchObject({ pixelFormat: 'gray', color })
    const sink = await createVideo(at('gray.mp4'), { like: source, crf: 0, preset: 'ultrafast' })
    const wanted = []
    for await (const frame of source.frames()) {
      wanted.push(frame.bitmap)
      await sink.write(frame)
    }
    await sink.finish()
    const [, second] = await collect((await openFrames(at('gray.mp4'))).frames())
    expect(second!.bitmap).toEqual(wanted[1])
  })

  test('writes an odd size as it is', async () => {
    await makeClip(at('odd.mp4'), [0, 512], { width: 95, height: 63 })
    expect((await openFrames(at('odd.mp4'))).info).toMatchObject({ width: 95, height: 63, pixelFormat: 'yuv444p' })
  })

  test('writes a clip of odd size whose pixels share chroma in every codec', async () => {
    await makeClip(at('shared.mkv'), [0, 512], { width: 853, height: 479, pixelFormat: 'yuv420p' }, 'av1')
    const source = await openFrames(at('shared.mkv'))
    expect(source.info).toMatchObject({ width: 853, height: 479, pixelFormat: 'yuv420p' })
    const [, wanted] = await collect(source.frames())
    for (const [codec, pixelFormat] of [
      ['h264', 'yuv444p'],
      ['h265', 'yuv444p'],
      ['ffv1', 'yuv420p'],
    ] as const) {
      const sink = await createVideo(at('odd.mkv'), { like: source, codec, crf: 0, preset: 'ultrafast' })
      for await (const frame of source.frames()) await sink.write(frame)
      await sink.finish()
      const written = await openFrames(at('odd.mkv'))
      expect(written.info).toMatchObject({ width: 853, height: 479, pixelFormat })
      const [, second] = await collect(written.frames())
      const { data } = second!.bitmap
      let apart = 0
      for (let i = 0; i < data.length; i++) apart += Math.abs(data[i]! - wanted!.bitmap.data[i]!)
      expect(apart / data.length).toBeLessThan(2)
    }
  })

  test('makes a clip of its own from the middle of a source, with the sound from there on', async () => {
    const part = await openFrames(CLIP, { start: 48, end: 96 })
    const sink = await createVideo(at('part.mp4'), { like: part, audioFrom: CLIP, preset: 'ultrafast' })
    for await (const frame of part.frames()) await sink.write(frame)
    await sink.finish()
    const pts = await allPts(await openFrames(at('part.mp4')))
    expect(pts.length).toBe(48)
    const sums = (packets: string[]) => packets.map((packet) => packet.split(' ')[2])
    const sound = sums(await soundPackets(at('part.mp4')))
    const whole = sums(await soundPackets(CLIP))
    const seconds = (sound.length * 1024) / 22050
    expect(Math.abs(seconds - 2)).toBeLessThan(0.1)
    expect(Math.abs((whole.indexOf(sound[0]) * 1024) / 22050 - 2)).toBeLessThan(0.1)
  })

  test('leaves nothing behind and the old file as it was when aborted', async () => {
    await writeFile(at('old.mp4'), 'what stood there')
    const source = await openFrames(CLIP, { end: 5 })
    const sink = await createVideo(at('old.mp4'), { like: source, preset: 'ultrafast' })
    for await (const frame of source.frames()) await sink.write(frame)
    expect(existsSync(at('old.mp4.partial.mp4'))).toBe(true)
    await sink.abort()
    expect(await readFile(at('old.mp4'), 'utf8')).toBe('what stood there')
    expect(existsSync(at('old.mp4.partial.mp4'))).toBe(false)
    await expect(sink.finish()).rejects.toThrow(
      `Expected an open writer for \`${at('old.mp4')}\`, but it was finished or aborted. Create a new one.`,
    )
  })

  test('refuses what a container cannot hold, a name that is no video, and frames out of order', async () => {
    const like = clipInfo({ width: 64, height: 64 })
    await expect(createVideo(at('x.webm'), { like })).rejects.toMatchObject({
      code: 'UNSUPPORTED_MEDIA',
      message: expect.stringMatching(
        /^Expected a container that can hold h264 for .* Write \.mkv, which holds all of them\.$/,
      ),
    })
    const prores = createVideo(at('x.mp4'), { like, codec: 'prores' })
    await expect(prores).rejects.toThrow('Write .mov, which is made for it, or .mkv, which holds all of them.')
    await expect(createVideo(at('x.unknown'), { like })).rejects.toThrow(
      `Expected a video name ending in .mp4, .mov or .mkv for \`${at('x.unknown')}\`, but got '.unknown'. Rename it.`,
    )
    await expect(createVideo(at('x.mp4'), { like, crf: 99 })).rejects.toThrow('between 0 and 51')
    await using sink = await createVideo(at('x.mp4'), { like })
    const place = { timeBase: like.timeBase, name: 'twice' }
    await sink.write(bitmapFrame(picture(64, 64), { index: 0, pts: 512, ...place }))
    await expect(sink.write(bitmapFrame(picture(64, 64), { index: 1, pts: 512, ...place }))).rejects.toThrow(
      "Expected a frame later than 512 ticks for `frame`, but got 'twice' at 512. Write frames in order, each once.",
    )
    await expect(sink.write(bitmapFrame(picture(32, 64), { index: 1, pts: 1024, ...place }))).rejects.toThrow(
      "Expected 64 x 64 pixels like the clip for `bitmap`, but got 32 x 64 for 'twice'. Scale it first.",
    )
  })

  test.skipIf(!existsSync('/dev/full'))('says that the disk is full when it is', async () => {
    await symlink('/dev/full', at('full.mkv.partial.mkv'))
    const like = clipInfo({ width: 256, height: 256 })
    const fill = async () => {
      await using sink = await createVideo(at('full.mkv'), { like, codec: 'ffv1' })
      for (let index = 0; index < 20; index++)
        await sink.write(
          bitmapFrame(picture(256, 256, index), { index, pts: index * 512, timeBase: like.timeBase, name: '' }),
        )
      await sink.finish()
    }
    await expect(fill()).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: expect.stringContaining(`Expected room to write \`${at('full.mkv')}\`, but the disk is full.`),
    })
    expect(existsSync(at('full.mkv'))).toBe(false)
  })
})
