import { DflError, type Pixels, type Point } from '@dfl/core'
import { checkRaster } from './checks.js'
import { createPixels, paste } from './pixels.js'
import { resize } from './resize.js'

/** A colour: red, green, blue, 0..1. */
export type Rgb = readonly [r: number, g: number, b: number]

/**
 * Draws filled, smooth-edged discs, in place.
 *
 * @param pixels  [H, W, C], written to; one channel takes the luma of `rgb`, a fourth one (alpha) becomes opaque.
 * @param points  Centres, in pixels of `pixels`.
 */
export function drawPoints(pixels: Pixels, points: readonly Point[], rgb: Rgb, radiusPx = 2): void {
  checkRaster(pixels, 'pixels')
  for (const [x, y] of points) {
    const box = [x - radiusPx, y - radiusPx, x + radiusPx, y + radiusPx] as const
    blend(pixels, box, rgb, (px, py) => radiusPx - Math.hypot(px - x, py - y))
  }
}

/** Draws a smooth-edged line with round ends from one point to another, in place; parameters as for `drawPoints`. */
export function drawLine(pixels: Pixels, from: Point, to: Point, rgb: Rgb, widthPx = 1): void {
  checkRaster(pixels, 'pixels')
  const [x0, y0] = from
  const dx = to[0] - x0
  const dy = to[1] - y0
  const length2 = dx * dx + dy * dy
  const r = widthPx / 2
  const box = [
    Math.min(x0, to[0]) - r,
    Math.min(y0, to[1]) - r,
    Math.max(x0, to[0]) + r,
    Math.max(y0, to[1]) + r,
  ] as const
  blend(pixels, box, rgb, (px, py) => {
    const along = length2 > 0 ? Math.min(1, Math.max(0, ((px - x0) * dx + (py - y0) * dy) / length2)) : 0
    return r - Math.hypot(px - x0 - along * dx, py - y0 - along * dy)
  })
}

/** Draws lines through `points`, in place, back to the first one if `closed`; parameters as for `drawPoints`. */
export function drawPolyline(
  pixels: Pixels,
  points: readonly Point[],
  rgb: Rgb,
  { widthPx = 1, closed = false }: { widthPx?: number; closed?: boolean } = {},
): void {
  for (let i = 1; i < points.length; i++) drawLine(pixels, points[i - 1], points[i], rgb, widthPx)
  if (closed && points.length > 2) drawLine(pixels, points[points.length - 1], points[0], rgb, widthPx)
}

/** Mixes `rgb` into the pixels of a box by how deep inside a shape they lie: 0.5 px outside none, 0.5 px inside all. */
function blend(
  { data, width, height, channels: c }: Pixels,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
  rgb: Rgb,
  depthAt: (x: number, y: number) => number,
): void {
  const color = c === 1 ? [0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]] : [...rgb, 1]
  for (let y = Math.max(0, Math.floor(y0)); y <= Math.min(height - 1, Math.ceil(y1)); y++) {
    for (let x = Math.max(0, Math.floor(x0)); x <= Math.min(width - 1, Math.ceil(x1)); x++) {
      const share = Math.min(1, Math.max(0, depthAt(x, y) + 0.5))
      const i = (y * width + x) * c
      for (let k = 0; k < c; k++) data[i + k] += (color[k] - data[i + k]) * share
    }
  }
}

/**
 * Rows of pictures side by side in one: every cell gets the size and the channels of the first.
 *
 * @param rows  Each a list of [h, w, C]; shorter rows leave background at their end. Gray cells become RGB beside RGB.
 * @param background  Gray value of gaps and empty cells, 0..1.
 */
export function mosaic(
  rows: readonly (readonly Pixels[])[],
  { gapPx = 0, background = 0 }: { gapPx?: number; background?: number } = {},
): Pixels {
  const cells = rows.flat()
  if (cells.length === 0)
    throw new DflError('BAD_SHAPE', 'Expected at least one picture for `rows`, but got none. Give rows of pixels.')
  const { width, height } = cells[0]
  const channels = Math.max(...cells.map((cell) => cell.channels)) as Pixels['channels']
  const columns = Math.max(...rows.map((row) => row.length))
  const out = createPixels(columns * (width + gapPx) - gapPx, rows.length * (height + gapPx) - gapPx, channels)
  out.data.fill(background)
  rows.forEach((row, y) => {
    row.forEach((cell, x) => {
      const sized = cell.width === width && cell.height === height ? cell : resize(cell, { width, height })
      paste(out, withChannels(sized, channels), x * (width + gapPx), y * (height + gapPx))
    })
  })
  return out
}

/** The same picture with more channels: gray spread over RGB, alpha opaque. */
function withChannels(pixels: Pixels, channels: Pixels['channels']): Pixels {
  const c = pixels.channels
  if (c === channels) return pixels
  const out = createPixels(pixels.width, pixels.height, channels)
  for (let i = 0, p = 0; p < pixels.data.length; i += channels, p += c) {
    for (let k = 0; k < channels; k++) out.data[i + k] = k === 3 ? 1 : pixels.data[p + Math.min(k, c - 1)]
  }
  return out
}
