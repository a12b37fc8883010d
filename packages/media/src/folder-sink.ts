import { readFile } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import { type Bitmap, DflError } from '@dfl/core'
import { makeFolder, writeFileAtomic } from '@dfl/core/files'
import type { Frame } from './frame.js'
import type { FrameChange, FrameSink } from './frame-sink.js'
import { encodeSamples, type ImageSamples, paintSamples } from './image-samples.js'
import { type ImageFormat, type ImageOptions, imageFormatOf, isImagePath } from './images.js'
import type { Box } from './planes.js'
import { toWords } from './planes-to-words.js'
import type { Rational } from './rational.js'
import { readTimestamps, type Timestamps, writeTimestamps } from './timestamps.js'
import type { VideoInfo } from './video-info.js'

/** How a folder of images is written. */
export interface ImageFolderOptions extends Partial<Pick<ImageOptions, 'quality'>> {
  /** `same` (default): that of the image a frame comes from where it loses nothing, PNG for all others. */
  format?: ImageFormat | 'same'
  /** The clip the frames come from, for its frame rate; 25 without it. */
  like?: { info: VideoInfo } | VideoInfo
}

/**
 * A folder that takes each frame as an image, with all the bits that it has: 16 in PNG and TIFF, floats in TIFF and EXR.
 *
 * Pixels outside the `rects` of a change, and those that it left as they were, keep the samples of the image that they
 * come from, as alpha does; a PNG keeps what else it says, such as its colour profile.
 *
 * Each file appears whole or not at all, so unlike a video the folder keeps what was written before an `abort`. Frames
 * of a folder keep their names, frames of a video are named by their index: 000012.png. Exact times go into
 * `timestamps.json` beside them. An unchanged image of the same format is copied byte for byte.
 */
export async function createImageFolder(path: string, options: ImageFolderOptions = {}): Promise<FrameSink> {
  const { format: wanted = 'same', quality, like } = options
  const info = like && ('info' in like ? like.info : like)
  await makeFolder(path)
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
    encoder: wanted === 'same' ? sameFormat(info?.codec) : wanted,
    async write(frame, change) {
      if (!open) throw finished(path)
      if (!timeBase) {
        timeBase = { ...frame.timeBase }
        // From the first image on, so that a folder that was left half-written can be told from one with other images.
        await writeTimestamps(path, { timeBase, frameRate, pts })
      }
      const own = frame.file !== undefined && isImagePath(frame.file) ? imageFormatOf(frame.file) : undefined
      const format = wanted === 'same' ? sameFormat(own) : wanted
      const file = join(path, imageNameOf(frame, format))
      if (frame.file && !change && own === format) {
        if (resolve(frame.file) !== resolve(file)) await writeFileAtomic(file, await readFile(frame.file))
      } else {
        const like = frame.file && own === format ? await readFile(frame.file) : undefined
        await writeFileAtomic(file, await encodeSamples(painted(frame, change), format, { quality, like }))
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

/** The formats that lose nothing. */
const sameFormat = (own: string | undefined): ImageFormat =>
  own === 'tiff' || own === 'tif' ? 'tiff' : own === 'exr' ? 'exr' : 'png'

/** What the image of a frame holds with a change. */
function painted(frame: Frame, change: FrameChange | undefined): ImageSamples {
  const { image } = frame
  if (!image) return change ? whole(frame, change) : ownWhole(frame)
  if (!change) return image
  const { x = 0, y = 0 } = change
  return paintSamples(image, { bitmap: change.bitmap, ...beforeOf(frame, change), x, y, boxes: boxesOf(frame, change) })
}

const ownWhole = (frame: Frame) => frame.part({ x: 0, y: 0, width: frame.width, height: frame.height }, 1, 'own').bitmap

/** The whole frame with a change of a part of it, in the kind of samples that the change has. */
export function whole(frame: Frame, change: FrameChange): Bitmap {
  const { bitmap, x = 0, y = 0 } = change
  const base = bitmap.data instanceof Uint16Array ? toWords(ownWhole(frame)) : frame.bitmap
  // A picture of its own kind takes the frame's place.
  if (base.channels !== bitmap.channels) return bitmap
  const out = { ...base, data: base.data.slice() }
  for (const { left, top, right, bottom } of boxesOf(frame, change))
    for (let row = top; row < bottom; row++) {
      const from = ((row - y) * bitmap.width + left - x) * bitmap.channels
      const to = (row * frame.width + left) * out.channels
      out.data.set(bitmap.data.subarray(from, from + (right - left) * bitmap.channels), to)
    }
  return out
}

/** What the frame shows where the change lies. A bitmap changed in place leaves nothing to compare with. */
export function beforeOf(frame: Frame, { bitmap, x, y }: FrameChange): { before?: Bitmap } {
  const { width, height } = bitmap
  const part = (kind: 'bytes' | 'own') => frame.part({ x: x ?? 0, y: y ?? 0, width, height }, 1, kind).bitmap
  const bytes = bitmap.data instanceof Uint8Array
  const own = frame.image !== undefined && !(x === undefined && y === undefined)
  const candidates = bytes
    ? [own ? part('own') : undefined, x === undefined ? frame.bitmap : part('bytes')]
    : [part('own')]
  const before = candidates.find((found) => found && found.data.constructor === bitmap.data.constructor)
  // Asked last: it converts the whole frame.
  const isFrames = () => width === frame.width && height === frame.height && bitmap === frame.bitmap
  return before === undefined || bitmap === before || isFrames() ? {} : { before }
}

/** The rectangles of a change as whole pixels inside of it and of the frame. */
export function boxesOf(frame: Frame, { bitmap, x = 0, y = 0, rects }: FrameChange): Box[] {
  return rects
    .map((rect) => ({
      left: Math.max(0, x, Math.floor(rect.x)),
      top: Math.max(0, y, Math.floor(rect.y)),
      right: Math.min(frame.width, x + bitmap.width, Math.ceil(rect.x + rect.width)),
      bottom: Math.min(frame.height, y + bitmap.height, Math.ceil(rect.y + rect.height)),
    }))
    .filter(({ left, top, right, bottom }) => left < right && top < bottom)
}

/** File name of a frame in a folder of images: its own where it is an image's, else its index: '000012.png'. */
export function imageNameOf(frame: Pick<Frame, 'name' | 'index'>, wanted: ImageFormat | 'same'): string {
  const own = isImagePath(frame.name) ? imageFormatOf(frame.name) : undefined
  const format = wanted === 'same' ? sameFormat(own) : wanted
  if (own === undefined) return `${String(frame.index).padStart(6, '0')}.${format}`
  return own === format ? frame.name : `${frame.name.slice(0, -extname(frame.name).length)}.${format}`
}

function ticksIn(timeBase: Rational, frame: Frame): number {
  return Math.round((frame.pts * frame.timeBase.num * timeBase.den) / (frame.timeBase.den * timeBase.num))
}
