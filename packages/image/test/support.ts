import type { Affine, Pixels } from '@dfl/core'
import { createPixels } from '../src/index.js'

/** Pixels whose samples are f(x, y, channel). */
export function paint(
  width: number,
  height: number,
  channels: Pixels['channels'],
  f: (x: number, y: number, channel: number) => number,
): Pixels {
  const out = createPixels(width, height, channels)
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) out.data[i++] = f(x, y, c)
  return out
}

export const at = (p: Pixels, x: number, y: number, c = 0) => p.data[(y * p.width + x) * p.channels + c]

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = a.length === b.length ? 0 : Number.POSITIVE_INFINITY
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]))
  return worst
}

/** Scales and turns about `from` and puts it at `to`. */
export function turned(scale: number, degrees: number, from: [number, number], to: [number, number]): Affine {
  const a = scale * Math.cos((degrees * Math.PI) / 180)
  const b = scale * Math.sin((degrees * Math.PI) / 180)
  return [a, -b, to[0] - a * from[0] + b * from[1], b, a, to[1] - b * from[0] - a * from[1]]
}
