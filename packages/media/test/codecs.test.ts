import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bitmap, collect } from '@dfl/core'
import { describe, expect, test } from 'vitest'
import {
  bitmapFrame,
  concatVideos,
  createVideo,
  openFrames,
  probeVideo,
  type VideoInfo,
  type VideoOptions,
} from '../src/index.js'
import { shiftTimecode } from '../src/timecode.js'
import { allSamples, clipInfo, noise, picture, scratchFolder } from './media.js'

const folder = await scratchFolder()
const at = (name: string) => join(folder, name)
const SIZE = { width: 256, height: 144 }

const HDR = {
  masteringDisplay: {
    red: [0.708, 0.292],
    green: [0.17, 0.797],
    blue: [0.131, 0.046],
    white: [0.3127, 0.329],
    darkest: 0.005,
    brightest: 1000,
  },
  contentLight: { maxCll: 900, maxFall: 300 },
} as const
const PQ = { primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc', range: 'limited' } as const
const SDR = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'limited' } as const
const RGB = { primaries: 'bt709', transfer: 'iec61966-2-1', matrix: 'gbr', range: 'full' } as const
const TEN = { pixelFormat: 'yuv420p10le', bitDepth: 10 }

const hasFfprobe = (() => {
  try {
    execFileSync('ffprobe', ['-version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

async function write(
  path: string,
  given: Partial<VideoInfo>,
  options: Partial<VideoOptions>,
  pictures?: readonly Bitmap[],
) {
  const info = clipInfo({ ...SIZE, frameRate: { num: 24, den: 1 }, timeBase: { num: 1, den: 12288 }, ...given })
  const sink = await createVideo(path, { like: info, preset: 'ultrafast', ...options })
  const all = pictures ?? [0, 1].map((index) => picture(info.width, info.height, index))
  for (const [index, bitmap] of all.entries())
    await sink.write(bitmapFrame(bitmap, { index, pts: index * 512, timeBase: info.timeBase, name: `${index}` }))
  await sink.finish()
  return sink
}

const METADATA = { title: 'A take' }

describe('interlaced clips', () => {
  test.each([
    ['h264', 'mp4', true],
    ['h264', 'mkv', false],
    ['prores', 'mov', true],
    ['prores', 'mov', false],
  ] as const)(
    'stay so in %s in .%s, upper field first: %s, also joined of parts',
    async (codec, ending, topFieldFirst) => {
      const name = `fields-${topFieldFirst}.${ending}`
      await write(at(name), { interlaced: true, topFieldFirst }, { codec })
      expect(await probeVideo(at(name))).toMatchObject({ interlaced: true, topFieldFirst })
      const like = await probeVideo(at(name))
      await concatVideos([{ path: at(name), startPts: 0, frames: 2 }], at(`joined-${name}`), { like })
      expect(await probeVideo(at(`joined-${name}`))).toMatchObject({ interlaced: true, topFieldFirst })
    },
  )
})

describe('codecs', () => {
  test.each([
    ['h264', 'mp4', { pixelFormat: 'yuv420p', color: SDR }, 'h264', 'yuv420p', 'High|Baseline', 'avc1'],
    ['h264', 'mp4', { ...TEN, color: SDR }, 'h264', 'yuv420p10le', 'High 10', 'avc1'],
    ['h265', 'mp4', { ...TEN, color: PQ, hdr: HDR }, 'hevc', 'yuv420p10le', 'Main 10', 'hvc1'],
    ['h265', 'mov', { ...TEN, color: PQ, hdr: HDR }, 'hevc', 'yuv420p10le', 'Main 10', 'hvc1'],
    ['av1', 'mp4', { ...TEN, color: PQ, hdr: HDR }, 'av1', 'yuv420p10le', 'Main', 'av01'],
    ['prores', 'mov', { pixelFormat: 'yuv420p', color: SDR }, 'prores', 'yuv422p10le', 'HQ', 'apch'],
    ['prores-4444', 'mov', { pixelFormat: 'yuv420p', color: SDR }, 'prores', 'yuv444p12le', '4444', 'ap4h'],
    ['prores-4444', 'mov', { ...TEN, color: PQ, hdr: HDR }, 'prores', 'yuv444p12le', '4444', 'ap4h'],
    ['dnxhr', 'mov', { ...TEN, color: SDR }, 'dnxhd', 'yuv422p10le', 'DNXHR HQX', 'AVdh'],
    [
      'dnxhr-444',
      'mov',
      { pixelFormat: 'yuv444p10le', bitDepth: 10, color: SDR },
      'dnxhd',
      'yuv444p10le',
      'DNXHR 444',
      'AVdh',
    ],
    ['ffv1', 'mkv', { ...TEN, color: PQ, hdr: HDR }, 'ffv1', 'yuv420p10le', 'unknown|3|undefined', ''],
  ] as const)(
    '%s in %s keeps colour tags, start timecode and metadata (%o)',
    async (codec, ending, given, name, pixelFormat, profile, tag) => {
      const path = at(`${codec}-${given.pixelFormat}-${given.color.transfer}.${ending}`)
      await write(path, { ...given, timecode: '01:02:03:04', metadata: METADATA }, { codec })
      const info = await probeVideo(path)
      expect(info).toMatchObject({
        codec: name,
        pixelFormat,
        color: given.color,
        timecode: '01:02:03:04',
        interlaced: false,
      })
      expect(info.metadata).toMatchObject(METADATA)
      if ('hdr' in given) expect(info.hdr).toEqual(HDR)
      else expect(info.hdr).toBeUndefined()
      // The name by which players and editing programs know the codec.
      if (tag) expect((await readFile(path)).includes(tag)).toBe(true)
      if (!hasFfprobe) return
      const entries = 'stream=profile,codec_tag_string,pix_fmt,color_range,color_space,color_transfer,color_primaries'
      const told = execFileSync('ffprobe', [
        '-v',
        'error',
        '-select_streams',
        'v:0',
        '-show_entries',
        entries,
        '-of',
        'json',
        path,
      ])
      const [stream] = JSON.parse(told.toString()).streams
      expect(stream).toMatchObject({
        pix_fmt: pixelFormat,
        ...(tag ? { codec_tag_string: tag } : {}),
        color_primaries: given.color.primaries,
        color_transfer: given.color.transfer,
        color_space: given.color.matrix,
        color_range: 'tv',
      })
      expect(String(stream.profile)).toMatch(new RegExp(profile))
    },
  )

  test('lossless modes are: R’G’B’ of images, and luma and chroma as they came', async () => {
    const images = [noise(96, 64, 1), noise(96, 64, 2)]
    for (const [file, options] of [
      ['a.mkv', { codec: 'ffv1' }],
      ['b.mp4', { codec: 'h264', crf: 0 }],
      ['c.mp4', { codec: 'h265', crf: 0 }],
    ] as const) {
      await write(at(file), { width: 96, height: 64, pixelFormat: 'rgb24', color: RGB }, options, images)
      const source = await openFrames(at(file))
      expect(source.info.color.matrix).toBe('gbr')
      for await (const frame of source.frames())
        expect(Buffer.compare(frame.bitmap.data as Uint8Array, images[frame.index]!.data as Uint8Array)).toBe(0)
    }
    for (const pixelFormat of ['yuv420p10le', 'yuv422p12le', 'yuv444p16le']) {
      await write(
        at(`${pixelFormat}.mkv`),
        { width: 96, height: 64, pixelFormat, bitDepth: 16, color: SDR },
        { codec: 'ffv1' },
        images,
      )
      const source = await openFrames(at(`${pixelFormat}.mkv`))
      expect(source.info.pixelFormat).toBe(pixelFormat)
      const sink = await createVideo(at(`${pixelFormat}-again.mkv`), { like: source, codec: 'ffv1' })
      for await (const frame of source.frames()) await sink.write(frame)
      await sink.finish()
      const again = await allSamples(await openFrames(at(`${pixelFormat}-again.mkv`)))
      const before = await allSamples(source)
      expect(again.map((samples, i) => Buffer.compare(samples, before[i]!))).toEqual([0, 0])
    }
  })

  test('alpha of images goes into ProRes 4444', async () => {
    const { data } = picture(256, 144)
    const rgba = new Uint8Array(256 * 144 * 4).map((_, i) =>
      i % 4 === 3 ? (i >> 2) % 256 : data[(i >> 2) * 3 + (i % 4)]!,
    )
    const { writeImage } = await import('../src/index.js')
    await writeImage(at('alpha/0.png'), { data: rgba, width: 256, height: 144, channels: 4 })
    const source = await openFrames(at('alpha'))
    const sink = await createVideo(at('alpha.mov'), { like: source, codec: 'prores-4444' })
    for await (const frame of source.frames()) await sink.write(frame)
    await sink.finish()
    const again = await openFrames(at('alpha.mov'))
    expect(again.info.pixelFormat).toMatch(/^yuva444p1/)
    const [frame] = await collect(again.frames())
    const { data: planes, linesize } = frame!.samples!
    const peak = again.info.bitDepth === 12 ? 4095 : 1023
    for (const [x, y] of [
      [3, 0],
      [200, 77],
      [255, 143],
    ] as const) {
      const alpha = planes![3]!.readUInt16LE(y * linesize[3]! + 2 * x) / peak
      expect(Math.abs(alpha - ((y * 256 + x) % 256) / 255)).toBeLessThan(0.02)
    }
  })

  test('a joined stretch begins with the timecode of its first frame', async () => {
    const source = clipInfo({
      ...SIZE,
      frameRate: { num: 24, den: 1 },
      timeBase: { num: 1, den: 12288 },
      timecode: '10:00:00:20',
    })
    await write(at('part.mov'), {}, { codec: 'prores-4444' })
    const part = { path: at('part.mov'), startPts: 10 * 512, frames: 2 }
    await concatVideos([part], at('joined.mov'), { like: source, stretch: { startPts: 10 * 512, endPts: 12 * 512 } })
    expect(await probeVideo(at('joined.mov'))).toMatchObject({ timecode: '10:00:01:06', pixelFormat: 'yuv444p12le' })
  })

  test('joined H.265 has the tag that QuickTime plays', async () => {
    await write(at('h265-part.mov'), TEN, { codec: 'h265' })
    const like = clipInfo({ ...SIZE, ...TEN })
    const part = { path: at('h265-part.mov'), startPts: 0, frames: 2 }
    for (const [ending, tag] of [
      ['mp4', true],
      ['mov', true],
      ['mkv', false],
    ] as const) {
      await concatVideos([part], at(`h265.${ending}`), { like })
      expect((await readFile(at(`h265.${ending}`))).includes('hvc1')).toBe(tag)
    }
  })

  test('timecodes count as editing programs do, also where numbers are dropped', () => {
    const ntsc = { num: 30000, den: 1001 }
    expect(shiftTimecode('00:00:59;28', 2, ntsc)).toBe('00:01:00;02')
    expect(shiftTimecode('00:09:59;29', 1, ntsc)).toBe('00:10:00;00')
    expect(shiftTimecode('01:00:00;00', 17982 * 6, ntsc)).toBe('02:00:00;00')
    expect(shiftTimecode('23:59:59:24', 1, { num: 25, den: 1 })).toBe('00:00:00:00')
    expect(shiftTimecode('no timecode', 5, ntsc)).toBe('no timecode')
  })

  test('says what a codec cannot do', async () => {
    await expect(write(at('small.mov'), { width: 64, height: 64 }, { codec: 'dnxhr' })).rejects.toThrow(
      `Expected pictures of at least 256 x 120 pixels for DNxHR for \`${at('small.mov')}\`, but got 64 x 64. Choose another \`codec\`.`,
    )
    await expect(write(at('chip.mkv'), {}, { codec: 'ffv1', hardware: true })).rejects.toThrow(
      "Expected a graphics chip that encodes 'ffv1' for `hardware`, but got none that works (tried: none, there is no such encoder). Leave it out to encode on the processor.",
    )
  })
})
