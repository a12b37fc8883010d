import { mkdir, readFile } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import { type Bitmap, DflError } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import type { Frame } from './frame.js'
import type { FrameChange, FrameSink } from './frame-sink.js'
import { encodeImage, type ImageFormat, type ImageOptions, imageFormatOf, isImagePath } from './images.js'
import type { Rational } from './rational.js'
import { readTimestamps, type Timestamps, writeTimestamps } from './timestamps.js'
import type { VideoInfo } from './video-info.js'

/** How a folder of images is written. */
export interface ImageFolderOptions extends Partial<Pick<ImageOptions, 'quality'>> {
  format?: ImageFormat
  /** The clip the frames come from, for its frame rate; 25 without it. */
  like?: { info: VideoInfo } | VideoInfo
}

/**
 * A folder that takes each frame as an image, PNG by default.
 *
 * Each file appears whole or not at all, so unlike a video the folder keeps what was written before an `abort`. Frames
 * of a folder keep their names, frames of a video are named by their index: 000012.png. Exact times go into
 * `timestamps.json` beside them. An unchanged image of the same format is copied byte for byte.
 */
export async function createImageFolder(path: string, options: ImageFolderOptions = {}): Promise<FrameSink> {
  const { format = 'png', quality, like } = options
  const info = like && ('info' in like ? like.info : like)
  await mkdir(path, { recursive: true })
  const known = await readTimestamps(path)
  const pts: Record<string, number> = { ...known?.pts }
  let timeBase: Rational | undefined = known?.timeBase
  const frameRate = known?.frameRate ?? info?.frameRate ?? { num: 25, den: 1 }
  let open = true
  const close = async () => {
    if (open && timeBase) await writeTimestamps(path, { timeBase, frameRate, pts } satisfies Timestamps)
    open = false
  }
  return {
    path,
    encoder: format,
    async write(frame, change) {
      if (!open) throw finished(path)
      timeBase ??= { ...frame.timeBase }
      const file = join(path, imageNameOf(frame, format))
      if (frame.file && !change && isImagePath(frame.file) && imageFormatOf(frame.file) === format) {
        if (resolve(frame.file) !== resolve(file)) await writeFileAtomic(file, await readFile(frame.file))
      } else {
        const bitmap = change ? whole(frame, change) : frame.bitmap
        await writeFileAtomic(file, await encodeImage(bitmap, format, quality === undefined ? {} : { quality }))
      }
      pts[basename(file)] = ticksIn(timeBase, frame)
    },
    finish: close,
    abort: close,
    [Symbol.asyncDispose]: close,
  }
}

/** The error of a write after the end. */
export const finished = (path: string) =>
  new DflError(
    'BAD_STATE',
    `Expected an open writer for \`${path}\`, but it was finished or aborted. Create a new one.`,
  )

/** The whole frame with a change of a part of it. */
export function whole(frame: Frame, { bitmap, x, y }: FrameChange): Bitmap {
  if (x === undefined && y === undefined) return bitmap
  if (bitmap.width === frame.width && bitmap.height === frame.height) return bitmap
  const out = { ...frame.bitmap, data: frame.bitmap.data.slice() }
  const row = bitmap.width * bitmap.channels
  for (let i = 0; i < bitmap.height; i++)
    out.data.set(bitmap.data.subarray(i * row, (i + 1) * row), (((y ?? 0) + i) * frame.width + (x ?? 0)) * out.channels)
  return out
}

/** File name of a frame in a folder of images: its own where it is an image's, else its index: '000012.png'. */
export function imageNameOf(frame: Pick<Frame, 'name' | 'index'>, format: ImageFormat): string {
  if (!isImagePath(frame.name)) return `${String(frame.index).padStart(6, '0')}.${format}`
  const own = extname(frame.name)
  const keeps = imageFormatOf(frame.name) === format
  return keeps ? frame.name : `${frame.name.slice(0, -own.length)}.${format}`
}

function ticksIn(timeBase: Rational, frame: Frame): number {
  return Math.round((frame.pts * frame.timeBase.num * timeBase.den) / (frame.timeBase.den * timeBase.num))
}
