import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bitmap, Random } from '@dfl/core'
import { afterAll } from 'vitest'
import { bitmapFrame, createVideo, type FrameSource, type VideoInfo, type VideoOptions } from '../src/index.js'
import { loadLibav } from '../src/libav.js'

/** A rendered head, 640 x 360, 24 frames a second, 192 frames, with sound. */
export const CLIP = fileURLToPath(new URL('../../../examples/footage/pair1-dst.mp4', import.meta.url))

/** A folder that is removed after the tests of the file. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dfl-media-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A smooth coloured picture that differs from index to index. */
export function picture(width: number, height: number, index = 0, channels: 1 | 3 = 3): Bitmap {
  const data = new Uint8Array(width * height * channels)
  for (let y = 0, o = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let k = 0; k < channels; k++, o++)
        data[o] = 128 + 90 * Math.sin((x * (k + 1)) / 23 + y / 31 + index / 3 + 2 * k)
  return { data, width, height, channels }
}

/** Bytes without any order. */
export function noise(width: number, height: number, seed: number): Bitmap {
  const random = new Random(seed)
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(256))
  return { data, width, height, channels: 3 }
}

/** What `createVideo` needs to know of a clip that comes from no file. */
export const clipInfo = (given: Partial<VideoInfo> & { width: number; height: number }): VideoInfo => ({
  path: '',
  rotationDegrees: 0,
  sampleAspectRatio: { num: 1, den: 1 },
  frameRate: { num: 25, den: 1 },
  variableFrameRate: false,
  frameCount: 0,
  frameCountIsEstimate: true,
  durationSeconds: 0,
  timeBase: { num: 1, den: 12800 },
  codec: '',
  pixelFormat: 'rgb24',
  bitDepth: 8,
  color: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'limited' },
  chromaSite: 'left',
  audio: [],
  metadata: {},
  ...given,
})

/** Writes a small clip of smooth pictures at the given ticks. */
export async function makeClip(
  path: string,
  pts: readonly number[],
  given: Partial<VideoInfo> = {},
  codec: VideoOptions['codec'] = 'h264',
): Promise<void> {
  const info = clipInfo({ width: 96, height: 64, frameCount: pts.length, frameCountIsEstimate: false, ...given })
  const sideways = info.rotationDegrees % 180 !== 0
  const sink = await createVideo(path, { like: info, codec, preset: 'ultrafast', crf: 12 })
  for (const [index, ticks] of pts.entries()) {
    const bitmap = picture(info.width, info.height, index)
    await sink.write(bitmapFrame(bitmap, { index, pts: ticks, timeBase: info.timeBase, name: `${index}` }))
  }
  if (sideways && info.displayMatrix === undefined) throw new Error('a turned clip needs its matrix')
  await sink.finish()
}

/** Every packet of the sound of a file: its time, and a checksum of its bytes. */
export async function soundPackets(path: string): Promise<string[]> {
  const libav = await loadLibav()
  const input = new libav.FormatContext()
  await input.openInput(path)
  await input.findStreamInfo()
  const sound = input.streams.filter((s) => s.codecpar.codecType === libav.constants.AVMEDIA_TYPE_AUDIO)
  const packet = new libav.Packet()
  packet.alloc()
  const out: string[] = []
  while ((await input.readFrame(packet)) >= 0) {
    const track = sound.findIndex((s) => s.index === packet.streamIndex)
    if (track >= 0) out.push(`${track} ${packet.pts} ${createHash('sha1').update(packet.data!).digest('hex')}`)
    packet.unref()
  }
  packet.free()
  await input.closeInput()
  return out
}

/** Copies of the planes of each frame, tightly packed one after the other. */
export async function allSamples(source: FrameSource): Promise<Buffer[]> {
  const out: Buffer[] = []
  for await (const frame of source.frames()) {
    out.push(frame.samples!.toBuffer())
    frame.close()
  }
  return out
}

/** Times of all frames in ticks. */
export async function allPts(source: FrameSource): Promise<number[]> {
  const out: number[] = []
  for await (const frame of source.frames()) {
    out.push(frame.pts)
    frame.close()
  }
  return out
}
