import type { Bitmap, Rect } from '@dfl/core'
import type { Frame } from './frame.js'

/** What was painted on a frame. */
export interface FrameChange {
  /**
   * [h, w, 3] bytes, or 16-bit words, RGB: the frame's `bitmap`, or a `part` of it, with the change. A new bitmap, not the
   * frame's own changed in place.
   */
  bitmap: Bitmap
  /** Column and row of the frame at which the upper left pixel of a part begins; without them `bitmap` is the whole frame. */
  x?: number
  y?: number
  /** In pixels of the frame; what lies outside all of them, or outside `bitmap`, stays as the frame had it. */
  rects: readonly Rect[]
}

/** Where frames go. `finish` makes the result appear; leaving without it, by `abort` or an error, makes none. */
export interface FrameSink extends AsyncDisposable {
  readonly path: string
  /** What does the writing: the name of libav's encoder, or the image format. */
  readonly encoder: string
  /** Writes a frame; it may be closed after that. Wait for one before the next. */
  write(frame: Frame, change?: FrameChange): Promise<void>
  finish(): Promise<void>
  /** Gives up and frees everything. Does nothing after `finish`. */
  abort(): Promise<void>
}
