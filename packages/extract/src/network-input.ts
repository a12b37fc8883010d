import type { Affine, Raster } from '@dfl/core'
import { warpAffine } from '@dfl/image'
import type { FrameSamples } from '@dfl/media'
import { warpSamples } from './warp-samples.js'

/**
 * Part of an image as a network takes it: [side, side, 3] float32, RGB, 0..1. The array is new.
 *
 * @param image  An image, or samples of a frame.
 * @param imageToInputMat  Pixels of the image or the frame → pixels of the network's input.
 * @param borderValue  What lies outside the image.
 */
export function networkInput(
  image: Raster | FrameSamples,
  imageToInputMat: Affine,
  side: number,
  borderValue = 0,
): Float32Array {
  const size = { width: side, height: side }
  if ('planes' in image) return warpSamples(image, imageToInputMat, size, { border: borderValue }).data
  const { data, channels } = warpAffine(image, imageToInputMat, size, { borderValue })
  if (channels === 3) return data
  const out = new Float32Array(side * side * 3)
  for (let i = 0; i < side * side; i++)
    for (let c = 0; c < 3; c++) out[i * 3 + c] = data[i * channels + (channels === 1 ? 0 : c)]!
  return out
}

/** Pixels of the image → pixels of a square of `side` pixels that shows all of it in its middle. */
export function letterboxMat({ width, height }: { width: number; height: number }, side: number): Affine {
  const scale = side / Math.max(width, height)
  const shift = (size: number) => (side - 1) / 2 - (scale * (size - 1)) / 2
  return [scale, 0, shift(width), 0, scale, shift(height)]
}
