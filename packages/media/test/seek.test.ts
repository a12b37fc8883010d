import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { collect } from '@dfl/core'
import { beforeAll, describe, expect, test } from 'vitest'
import { concatVideos, createVideo, openFrames, probeVideo } from '../src/index.js'
import { CLIP, makeClip, scratchFolder } from './media.js'

const folder = await scratchFolder()
const at = (name: string) => join(folder, name)
const STARTS = [0, 20, 33]
const UNEVEN = Array.from({ length: 45 }, (_, i) => 512 * i + ((i * 37) % 11) * 40)

/** A clip of the first 45 frames of another one, with key frames at STARTS and B-frames between them. */
async function withKeyFrames(clip: string, path: string): Promise<void> {
  const parts = []
  for (const [i, start] of STARTS.entries()) {
    const part = at(`part-${i}.mov`)
    const end = STARTS[i + 1] ?? 45
    await using source = await openFrames(clip, { start, end })
    const sink = await createVideo(part, { like: source, crf: 12, preset: 'veryfast' })
    let startPts = 0
    for await (const frame of source.frames()) {
      using _ = frame
      if (frame.index === start && start > 0) startPts = frame.pts
      await sink.write(frame)
    }
    await sink.finish()
    parts.push({ path: part, startPts, frames: end - start })
  }
  await concatVideos(parts, path, { like: await probeVideo(clip) })
}

const sampled = async (path: string, options: { start?: number; end?: number; seek?: number | true } = {}) => {
  await using source = await openFrames(path, options)
  const out = []
  for await (const frame of source.frames()) {
    out.push({ index: frame.index, pts: frame.pts, samples: frame.samples!.toBuffer() })
    frame.close()
  }
  return out
}

beforeAll(async () => {
  await makeClip(at('uneven-source.mp4'), UNEVEN)
  await withKeyFrames(CLIP, at('even.mp4'))
  await withKeyFrames(at('uneven-source.mp4'), at('uneven.mp4'))
  await withKeyFrames(CLIP, at('even.mkv'))
})

describe('walks that begin at a key frame', () => {
  test.each(['even.mp4', 'uneven.mp4', 'even.mkv'])(
    'give the frames of %s that a whole walk gives: index, time and every sample',
    async (name) => {
      const whole = await sampled(at(name))
      expect(whole).toHaveLength(45)
      for (const start of [1, 19, 20, 21, 32, 33, 44]) {
        const found = await sampled(at(name), { start, end: start + 2, seek: 45 })
        expect(found.map(({ index, pts }) => [index, pts])).toEqual(
          whole.slice(start, start + 2).map(({ index, pts }) => [index, pts]),
        )
        expect(found.every(({ samples }, i) => samples.equals(whole[start + i]!.samples))).toBe(true)
      }
    },
  )

  test('decode nothing of what lies before, and only where they were told the right number of frames', async () => {
    const bytes = await readFile(at('even.mp4'))
    const pictures = bytes.indexOf('mdat')
    bytes.fill(0, pictures + 2000, pictures + 4000)
    await writeFile(at('damaged.mp4'), bytes)
    await expect(sampled(at('damaged.mp4'), { start: 35 })).rejects.toThrow('Expected a whole frame')
    await expect(sampled(at('damaged.mp4'), { start: 35, seek: 44 })).rejects.toThrow('Expected a whole frame')
    expect((await sampled(at('damaged.mp4'), { start: 35, seek: 45 })).map(({ index }) => index)[0]).toBe(35)
    expect((await sampled(at('damaged.mp4'), { start: 44, seek: true })).map(({ index }) => index)).toEqual([44])
  })

  test('refuse a start past the end as other walks do', async () => {
    const source = await openFrames(at('even.mp4'), { start: 60, seek: true })
    await expect(collect(source.frames())).rejects.toThrow(
      'Expected a frame below 45 for `start`, but got 60. The clip ends there.',
    )
  })
})
