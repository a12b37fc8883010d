import type { Point, Raster, Rect } from '@dfl/core'
import type { FrameSamples } from '@dfl/media'
import type { FaceRegion } from './types.js'

/** An image that is looked at part by part; a `Frame` is one. What nobody looks at need never be made. */
export interface Picture {
  readonly width: number
  readonly height: number
  /** As `part` of a `Frame`. */
  part(rect: Rect, reduce?: number): PicturePart
  /** As `samplesIn` of a `Frame`, if the picture has samples of its own. */
  samplesIn?(rect: Rect, reduce?: number): FrameSamples
}

/** A part of a picture: each pixel the mean of `reduce` by `reduce` pixels, from column `x` and row `y` on. */
export interface PicturePart {
  readonly bitmap: Raster
  readonly x: number
  readonly y: number
  readonly reduce: number
}

/** A raster as a picture that always gives all of itself; a picture as it is. */
export function pictureOf(image: Raster | Picture): Picture {
  if ('part' in image) return image
  const whole = { bitmap: image, x: 0, y: 0, reduce: 1 }
  return { width: image.width, height: image.height, part: () => whole }
}

/** The rectangle of all of a picture. */
export const wholeOf = ({ width, height }: Picture): Rect => ({ x: 0, y: 0, width, height })

/** How many times smaller something of `lengthPx` pixels may be to still show `neededPx` pixels: a power of two. */
export function reductionTo(lengthPx: number, neededPx: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(lengthPx / neededPx)))
}

/** The rectangle around a turned square, and a few pixels more for filters. */
export function rectOfRegion({ centre, sizePx, rollRadians }: FaceRegion, reduce: number): Rect {
  const half = (sizePx / 2) * (Math.abs(Math.cos(rollRadians)) + Math.abs(Math.sin(rollRadians))) + 6 * reduce
  return { x: centre[0] - half, y: centre[1] - half, width: 2 * half, height: 2 * half }
}

/** A position in pixels of the picture as one in pixels of its part, and back. */
export function partPoint({ x, y, reduce }: PicturePart, [px, py]: Point): Point {
  const shift = (reduce - 1) / 2
  return [(px - x - shift) / reduce, (py - y - shift) / reduce]
}

/** A position in pixels of a part as one in pixels of its picture. */
export function picturePoint({ x, y, reduce }: PicturePart, [px, py]: Point): Point {
  const shift = (reduce - 1) / 2
  return [px * reduce + x + shift, py * reduce + y + shift]
}
