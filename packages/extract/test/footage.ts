import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Bitmap, Landmarks } from '@dfl/core'
import { bitmapFrame, type FrameSource, openFrames } from '@dfl/media'

/** The path of a demo clip: 640 x 360, 24 frames per second, one rendered face. */
export const clip = (name: string) => fileURLToPath(new URL(`../../../examples/footage/${name}`, import.meta.url))

/** The first frames of a clip. */
export async function framesOf(name: string, count: number): Promise<Bitmap[]> {
  await using source = await openFrames(clip(name), { end: count })
  const out: Bitmap[] = []
  for await (const frame of source.frames()) {
    out.push(frame.bitmap)
    frame.close()
  }
  return out
}

/** The exact landmarks of a demo clip, frame by frame. */
export function truthOf(name: string): Landmarks[] {
  const { frames } = JSON.parse(readFileSync(clip(name), 'utf8')) as { frames: { lm68: Landmarks }[] }
  return frames.map(({ lm68 }) => lm68)
}

/** Bitmaps as a clip of 24 frames per second. */
export function sourceOf(name: string, bitmaps: readonly Bitmap[]): FrameSource {
  const timeBase = { num: 1, den: 24 }
  const { width, height } = bitmaps[0]!
  return {
    info: { path: name, width, height, frameCount: bitmaps.length, timeBase } as FrameSource['info'],
    async *frames() {
      for (const [index, bitmap] of bitmaps.entries())
        yield bitmapFrame(bitmap, { index, pts: index, timeBase, name: `${name}#${index}` })
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** A plain gray image. */
export function grayImage(width: number, height: number): Bitmap {
  return { data: new Uint8Array(width * height * 3).fill(110), width, height, channels: 3 }
}

/** Mean distance of landmarks 17..67 from the truth, as a part of the distance between the outer eye corners. */
export function landmarkError(found: Landmarks, truth: Landmarks): number {
  const eyes = Math.hypot(truth[36]![0] - truth[45]![0], truth[36]![1] - truth[45]![1])
  let sum = 0
  for (let i = 17; i < 68; i++) sum += Math.hypot(found[i]![0] - truth[i]![0], found[i]![1] - truth[i]![1])
  return sum / 51 / eyes
}
