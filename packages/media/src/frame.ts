import type { Bitmap, Rect } from '@dfl/core'
import { bitmapPart, partKey, snapped } from './frame-part.js'
import { type FrameSamples, partSamples } from './frame-samples.js'
import { type ImageSamples, type OpenedImage, shownBox } from './image-samples.js'
import type { AvFrame } from './libav.js'
import { toBytes } from './planes-to-words.js'
import type { Rational } from './rational.js'
import type { VideoInfo } from './video-info.js'

/** A part of a frame as a picture of its own. */
export interface FramePart {
  /** [h, w, 3] bytes, or 16-bit words, RGB, upright. Do not change it in place. */
  readonly bitmap: Bitmap
  /** Column and row of the frame at which the upper left pixel begins; may lie before the frame by less than `reduce`. */
  readonly x: number
  readonly y: number
  /** Each pixel is the mean of `reduce` by `reduce` pixels of the frame. Past the frame's edge, its edge goes on. */
  readonly reduce: number
}

/** One frame of a clip. It holds memory outside JavaScript until it is closed (or collected). */
export interface Frame extends Disposable {
  /** Position in its clip, from 0. */
  readonly index: number
  /** Presentation time: `pts` ticks of `timeBase`, from the start of the clip. */
  readonly timestampSeconds: number
  readonly pts: number
  readonly timeBase: Rational
  /** File name of an image; name of a video, '#' and frame index. */
  readonly name: string
  /** Upright, in pixels. */
  readonly width: number
  readonly height: number
  /**
   * [H, W, 3] bytes, RGB, upright, at full size. Made on first use and kept: a frame that nobody looks at is never
   * converted. Do not change it in place: writers compare with it to find what changed. HDR and linear light come as the
   * display-referred picture that `toneOf` describes, an image with a colour profile as sRGB.
   */
  readonly bitmap: Bitmap
  /**
   * The part of the frame that holds `rect` (as much of it as lies inside the frame), at full size or smaller. Only this
   * part is converted; the last one is kept. Its bitmap is of no use any more once the frame is closed.
   *
   * @param rect In pixels of the frame.
   * @param reduce 1 (default), 2, 4, 8 …: how many times smaller. For what need not see every pixel.
   * @param samples `bytes` (default); or `own`: 16-bit words where the frame has more than 8 bits, to lose none of them.
   */
  part(rect: Rect, reduce?: number, samples?: 'bytes' | 'own'): FramePart
  /**
   * A copy of the samples that hold `rect` (as much of it as lies inside the frame), not converted: for another thread.
   *
   * @param rect In pixels of the frame.
   * @param reduce 1 (default), 2, 4, 8 …: how many times smaller, about, where the frame's size is no multiple of it.
   */
  samplesIn(rect: Rect, reduce?: number): FrameSamples
  /** What a video decoder gave, for writers that pass untouched samples through; nothing for images or once closed. */
  readonly samples?: AvFrame
  /** What its image file holds, for writers that keep untouched pixels; nothing for videos. */
  readonly image?: ImageSamples
  /** The image file it was read from, for writers that copy untouched files. */
  readonly file?: string
  /** Gives the decoder's memory back. A `bitmap` that was already made stays. */
  close(): void
}

/** A clip whose frames can be walked, more than once if need be. */
export interface FrameSource extends AsyncDisposable {
  readonly info: VideoInfo
  /** The frames in order of time. Leaving the loop early frees everything. */
  frames(): AsyncGenerator<Frame>
}

/** Which frames of a clip are read. */
export interface FrameRange {
  /** Index of the first frame, from 0. */
  start?: number
  /** Index after the last frame. */
  end?: number
  /** 1 for every frame, 2 for every other one, counted from `start`. */
  everyNth?: number
}

/** Whether a frame of that index belongs to the range. */
export function inRange(index: number, { start = 0, end = Number.POSITIVE_INFINITY, everyNth = 1 }: FrameRange) {
  return index >= start && index < end && (index - start) % everyNth === 0
}

/** Which frame of a clip a picture is. */
export interface FramePlace {
  index: number
  pts: number
  timeBase: Rational
  name: string
  file?: string
}

/**
 * A frame made of a bitmap, for clips that come from somewhere else than a file.
 *
 * @param bitmap [H, W, C] bytes or 16-bit words, RGB or gray.
 */
export function bitmapFrame(bitmap: Bitmap, place: FramePlace): Frame {
  return pictureFrame(bitmap, place, {
    bitmap: () => toBytes(bitmap),
    own: (rect) => bitmapPart(bitmap, rect, 1),
  })
}

/** A frame made of what an image file holds. */
export function imageFrame({ samples: image, shown }: OpenedImage, place: FramePlace): Frame {
  const own = (rect: Rect): FramePart => {
    const box = snapped(rect, image, 1)
    return { bitmap: shownBox(image, box), x: box.left, y: box.top, reduce: 1 }
  }
  const { width, height } = image
  const whole = { x: 0, y: 0, width, height }
  return Object.assign(pictureFrame(image, place, { bitmap: () => shown ?? toBytes(own(whole).bitmap), own }), {
    image,
  })
}

function pictureFrame(
  { width, height }: { width: number; height: number },
  place: FramePlace,
  look: { bitmap(): Bitmap; own(rect: Rect): FramePart },
): Frame {
  const close = () => {}
  const timestampSeconds = (place.pts * place.timeBase.num) / place.timeBase.den
  let bitmap: Bitmap | undefined
  let part: { key: string; made: FramePart } | undefined
  const bytes = () => (bitmap ??= look.bitmap())
  return {
    ...place,
    width,
    height,
    timestampSeconds,
    get bitmap() {
      return bytes()
    },
    part(rect, reduce = 1, samples = 'bytes') {
      const key = partKey(rect, reduce, samples)
      if (part?.key !== key) {
        const own = samples === 'own'
        const made = !own ? bitmapPart(bytes(), rect, reduce) : reduce === 1 ? look.own(rect) : reducedOwn(rect, reduce)
        part = { key, made }
      }
      return part.made
    },
    samplesIn(rect, reduce = 1) {
      return partSamples(this.part(rect, reduce))
    },
    close,
    [Symbol.dispose]: close,
  }

  function reducedOwn(rect: Rect, reduce: number): FramePart {
    return bitmapPart(look.own({ x: 0, y: 0, width, height }).bitmap, rect, reduce)
  }
}
