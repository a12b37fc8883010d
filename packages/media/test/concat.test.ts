import { existsSync, readdirSync } from 'node:fs'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { concatVideos, createVideo, openFrames, probeVideo, type VideoPart } from '../src/index.js'
import { allPts, allSamples, CLIP, makeClip, scratchFolder, soundPackets } from './media.js'

const folder = await scratchFolder()
const at = (name: string) => join(folder, name)

/** Encodes the frames of a clip in parts that start at the given indices. */
async function encodeParts(
  clip: string,
  name: string,
  starts: readonly number[],
  options: { codec?: 'h264' | 'h265' | 'ffv1' | 'prores'; crf?: number } = {},
): Promise<VideoPart[]> {
  const parts: VideoPart[] = []
  for (const [i, start] of starts.entries()) {
    await using source = await openFrames(clip, { start, ...(starts[i + 1] ? { end: starts[i + 1]! } : {}) })
    const path = at(`${name}-${i}.mov`)
    // The preset uses B-frames, whose order of decoding is not that of time.
    const sink = await createVideo(path, { like: source, crf: 0, preset: 'veryfast', ...options })
    let frames = 0
    let startPts = 0
    for await (const frame of source.frames()) {
      if (frames++ === 0 && start > 0) startPts = frame.pts
      await sink.write(frame)
      frame.close()
    }
    await sink.finish()
    parts.push({ path, startPts, frames })
  }
  return parts
}

const info = async (path: string) => ({ like: await probeVideo(path) })

describe('concatVideos', () => {
  test('gives the clip that the parts were cut from: every sample, every time, and the sound bit for bit', async () => {
    const parts = await encodeParts(CLIP, 'whole', [0, 70, 131])
    await concatVideos(parts, at('whole.mp4'), {
      ...(await info(CLIP)),
      audioFrom: CLIP,
      metadata: { title: 'Joined' },
    })
    const [source, joined] = [await openFrames(CLIP), await openFrames(at('whole.mp4'))]
    expect(joined.info).toMatchObject({
      width: 640,
      height: 360,
      frameCount: 192,
      durationSeconds: 8,
      timeBase: source.info.timeBase,
      frameRate: source.info.frameRate,
      color: source.info.color,
      audio: source.info.audio,
      metadata: { title: 'Joined' },
    })
    expect(await allPts(joined)).toEqual(await allPts(source))
    const [before, after] = [await allSamples(source), await allSamples(joined)]
    expect(after.every((samples, i) => samples.equals(before[i]!))).toBe(true)
    expect(await soundPackets(at('whole.mp4'))).toEqual(await soundPackets(CLIP))
    expect(existsSync(at('whole.mp4.partial.mp4'))).toBe(false)
  })

  const uneven = [0, 700, 900, 1000, 3000, 3100, 3150, 9000, 9040, 9100, 12000, 12040]

  test('keeps uneven times to the tick', async () => {
    await makeClip(at('uneven.mp4'), uneven)
    const parts = await encodeParts(at('uneven.mp4'), 'uneven', [0, 4, 7, 8])
    await concatVideos(parts, at('uneven-joined.mp4'), await info(at('uneven.mp4')))
    expect(await allPts(await openFrames(at('uneven-joined.mp4')))).toEqual(uneven)
  })

  test('lets the whole file be sealed before it has its name, and leaves none where that fails', async () => {
    await makeClip(at('short.mp4'), uneven)
    const parts = await encodeParts(at('short.mp4'), 'sealed', [0, 7])
    const like = await info(at('short.mp4'))
    const seal = async (path: string) => {
      expect(existsSync(at('sealed.mp4'))).toBe(false)
      await appendFile(path, Buffer.from('0000000866726565', 'hex'))
    }
    await concatVideos(parts, at('sealed.mp4'), { ...like, seal })
    expect((await readFile(at('sealed.mp4'))).subarray(-8).toString('latin1')).toContain('free')
    const refuse = () => Promise.reject(new Error('no certificate'))
    await expect(concatVideos(parts, at('unsealed.mp4'), { ...like, seal: refuse })).rejects.toThrow('no certificate')
    expect(readdirSync(at('.')).filter((name) => name.startsWith('unsealed'))).toEqual([])
  })

  test("rounds times once where the container's clock is coarser", async () => {
    const parts = await encodeParts(at('uneven.mp4'), 'coarse', [0, 5, 9])
    await concatVideos(parts, at('coarse.mkv'), await info(at('uneven.mp4')))
    const expected = uneven.map((ticks) => Math.round((ticks * 1000) / 12800))
    expect(await allPts(await openFrames(at('coarse.mkv')))).toEqual(expected)
  })

  test.each([
    ['h265', '.mp4'],
    ['ffv1', '.mkv'],
    ['prores', '.mov'],
  ] as const)('joins %s in %s', async (codec, ending) => {
    const parts = await encodeParts(at('uneven.mp4'), codec, [0, 6], { codec })
    await concatVideos(parts, at(codec + ending), await info(at('uneven.mp4')))
    const joined = await openFrames(at(codec + ending))
    expect(joined.info).toMatchObject({ width: 96, height: 64 })
    expect(await allPts(joined)).toHaveLength(uneven.length)
  })

  test.each(['full', 'limited'] as const)('says in MKV that lossless pictures are of %s range', async (range) => {
    const color = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range } as const
    await makeClip(at(`${range}.mp4`), [0, 512, 1024], { pixelFormat: 'yuv420p', color })
    const parts = await encodeParts(at(`${range}.mp4`), range, [0, 2], { codec: 'ffv1' })
    await concatVideos(parts, at(`${range}-joined.mkv`), await info(at(`${range}.mp4`)))
    expect((await probeVideo(at(`${range}-joined.mkv`))).color).toEqual(color)
  })

  test('keeps the turn of sideways footage', async () => {
    const turned = { rotationDegrees: 90, displayMatrix: [0, 65536, 0, -65536, 0, 0, 0, 0, 1073741824], width: 64, height: 96 } as const // biome-ignore format: one thing
    await makeClip(at('turned.mp4'), [0, 512, 1024], turned)
    const parts = await encodeParts(at('turned.mp4'), 'turned', [0, 2])
    await concatVideos(parts, at('turned-joined.mp4'), await info(at('turned.mp4')))
    expect(await probeVideo(at('turned-joined.mp4'))).toMatchObject({ rotationDegrees: 90, width: 64, height: 96 })
  })

  test('refuses parts that are not what they should be, and leaves nothing behind', async () => {
    const clip = await info(at('uneven.mp4'))
    const [first, second] = await encodeParts(at('uneven.mp4'), 'bad', [0, 6])
    await expect(concatVideos([first!, { ...second!, frames: 7 }], at('bad.mp4'), clip)).rejects.toThrow(
      `Expected 7 frames in \`${second!.path}\`, but got 6. Delete this part and make it again.`,
    )
    const [, other] = await encodeParts(at('uneven.mp4'), 'other', [0, 6], { crf: 20 })
    await expect(concatVideos([first!, other!], at('bad.mp4'), clip)).rejects.toThrow(
      `Expected parts encoded with the same settings for \`parts\`, but got others in \`${other!.path}\`. Encode all parts again on one machine.`,
    )
    await expect(concatVideos([], at('bad.mp4'), clip)).rejects.toThrow(
      'Expected at least one part for `parts`, but got none. Write some frames first.',
    )
    expect(existsSync(at('bad.mp4'))).toBe(false)
    expect(existsSync(at('bad.mp4.partial.mp4'))).toBe(false)
  })
})
