import type { Bitmap, Rect } from '@dfl/core'
import { bitmapPart, partKey } from './frame-part.js'
import { type FrameSamples, partSamples } from './frame-samples.js'
import type { AvFrame } from './libav.js'
import type { Rational } from './rational.js'
import type { VideoInfo } from './video-info.js'

/** A part of a frame as a picture of its own. */
export interface FramePart {
  /** [h, w, 3] bytes, RGB, upright. Do not change it in place. */
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
   * converted. Do not change it in place: writers compare with it to find what changed.
   */
  readonly bitmap: Bitmap
  /**
   * The part of the frame that holds `rect` (as much of it as lies inside the frame), at full size or smaller. Only this
   * part is converted; the last one is kept.
   *
   * @param rect In pixels of the frame.
   * @param reduce 1 (default), 2, 4, 8 …: how many times smaller. For what need not see every pixel.
   */
  part(rect: Rect, reduce?: number): FramePart
  /**
   * A copy of the samples that hold `rect` (as much of it as lies inside the frame), not converted: for another thread.
   *
   * @param rect In pixels of the frame.
   * @param reduce 1 (default), 2, 4, 8 …: how many times smaller, about, where the frame's size is no multiple of it.
   */
  samplesIn(rect: Rect, reduce?: number): FrameSamples
  /** What a video decoder gave, for writers that pass untouched samples through; nothing for images or once closed. */
  readonly samples?: AvFrame
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

/**
 * A frame made of a bitmap, for clips that come from somewhere else than a file.
 *
 * @param bitmap [H, W, C] bytes, RGB or gray.
 */
export function bitmapFrame(
  bitmap: Bitmap,
  place: { index: number; pts: number; timeBase: Rational; name: string; file?: string },
): Frame {
  const close = () => {}
  const timestampSeconds = (place.pts * place.timeBase.num) / place.timeBase.den
  const { width, height } = bitmap
  let part: { key: string; made: FramePart } | undefined
  return {
    ...place,
    width,
    height,
    timestampSeconds,
    bitmap,
    part(rect, reduce = 1) {
      const key = partKey(rect, reduce)
      if (part?.key !== key) part = { key, made: bitmapPart(bitmap, rect, reduce) }
      return part.made
    },
    samplesIn: (rect, reduce = 1) => partSamples(bitmapPart(bitmap, rect, reduce)),
    close,
    [Symbol.dispose]: close,
  }
}
