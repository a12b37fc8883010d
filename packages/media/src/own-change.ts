import type { Bitmap } from '@dfl/core'
import { inOwnLight, litBack } from './encoder-picture.js'
import { beforeOf, boxesOf } from './folder-sink.js'
import type { Frame } from './frame.js'
import type { FrameChange } from './frame-sink.js'
import { type ImageSamples, paintSamples, toLinear } from './image-samples.js'
import { loadLibav } from './libav.js'
import { toWords } from './planes-to-words.js'
import { toneOf } from './tone.js'
import type { VideoInfo } from './video-info.js'

/** A part of a frame before and after it was painted on, in the values that the clip itself holds. */
export interface OwnChange {
  /** [h, w, C], as the image has them; of a video [h, w, 3] its own R'G'B', of HDR not what is shown but the signal. */
  before: ImageSamples
  /** The same part as it is written into an image of the clip's kind. */
  after: ImageSamples
  /** A picture of any size that shows what `change` does, in the same values. */
  ownValues(shown: Bitmap): ImageSamples
}

/**
 * What a change of a part of a frame is in the clip's own values, for whoever lays it over the clip himself.
 *
 * @param info The clip that the frame is of.
 */
export async function ownChange(
  frame: Frame,
  change: FrameChange & { x: number; y: number },
  info: VideoInfo,
): Promise<OwnChange> {
  const { bitmap, x, y, rects } = change
  const { image } = frame
  if (image) {
    const before = cropped(image, { ...bitmap, x, y })
    const boxes = boxesOf(frame, change).map(({ left, top, right, bottom }) => ({
      ...{ left: left - x, top: top - y, right: right - x, bottom: bottom - y },
    }))
    const after = paintSamples(before, { bitmap, ...beforeOf(frame, change), x: 0, y: 0, boxes })
    const floats = image.data instanceof Float32Array
    return { before, after, ownValues: (shown) => (floats ? toLinear(shown) : shown) }
  }
  const shownBefore = frame.part({ x, y, width: bitmap.width, height: bitmap.height }, 1, 'own').bitmap
  const tone = toneOf(info.color)
  if (!tone || !frame.samples) return { before: shownBefore, after: bitmap, ownValues: (shown) => shown }
  const libav = await loadLibav()
  const own = inOwnLight(libav, frame, { info, tone }, { bitmap, before: shownBefore, x, y, rects })
  return { before: own.before!, after: own.bitmap, ownValues: (shown) => litBack(toWords(shown), tone) }
}

/** A box of an image. */
function cropped(
  image: ImageSamples,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): ImageSamples {
  const { channels } = image
  const row = width * channels
  const data = image.data.slice(0, row * height)
  for (let i = 0; i < height; i++) {
    const from = ((y + i) * image.width + x) * channels
    data.set(image.data.subarray(from, from + row), i * row)
  }
  return { ...image, data, width, height }
}
