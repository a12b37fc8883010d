import { DflError, type Pixels, type Point } from '@dfl/core'
import { checkRaster } from './checks.js'

/** How polygons are filled. */
export interface FillOptions {
  /** Pixels on the edge are covered in part; without it a pixel counts whole if its centre is inside. Default true. */
  antialias?: boolean
}

/**
 * Fills a polygon in `mask`, in place: every channel moves to `value` by the share of the pixel that is covered.
 *
 * @param mask  [H, W, C], written to.
 * @param points  Corners in pixels of `mask`, in order round the polygon; closed by itself. May lie outside.
 */
export function fillPolygon(mask: Pixels, points: readonly Point[], value = 1, options: FillOptions = {}): void {
  fillPolygons(mask, [points], value, options)
}

/**
 * Fills the union of several polygons in `mask`, in place. Shared edges leave no seam, as filling one by one would.
 *
 * @param mask  [H, W, C], written to.
 * @param polygons  Each as for `fillPolygon`, turning either way.
 *
 * Source: signed-area coverage accumulation as in R. Levien's font-rs, https://github.com/raphlinus/font-rs
 */
export function fillPolygons(
  mask: Pixels,
  polygons: readonly (readonly Point[])[],
  value = 1,
  { antialias = true }: FillOptions = {},
): void {
  checkRaster(mask, 'mask')
  const { data, width, height, channels } = mask
  const coverage = new Float32Array((width + 1) * height)
  for (const points of polygons) {
    checkPolygon(points)
    const turn = polygonArea(points) < 0 ? -1 : 1
    for (let i = 0; i < points.length; i++) {
      const from = points[i]
      const to = points[(i + 1) % points.length]
      if (antialias) addEdge(coverage, width, height, from, to, turn)
      else addHardEdge(coverage, width, height, from, to, turn)
    }
  }
  for (let y = 0, i = 0; y < height; y++) {
    let winding = 0
    for (let x = 0; x < width; x++) {
      winding += coverage[y * (width + 1) + x]
      const share = Math.min(1, Math.abs(winding))
      if (share < 1e-5) i += channels
      else for (let channel = 0; channel < channels; channel++, i++) data[i] += (value - data[i]) * share
    }
  }
}

/** Twice-checked: at least three corners, all of them numbers. */
function checkPolygon(points: readonly Point[]): void {
  const bad = points.find(([x, y]) => !Number.isFinite(x) || !Number.isFinite(y))
  if (points.length >= 3 && !bad) return
  const got = bad ? `(${bad[0]}, ${bad[1]})` : `${points.length}`
  throw new DflError('BAD_SHAPE', `Expected at least 3 finite points for \`points\`, but got ${got}.`)
}

/**
 * Adds an edge's share of every pixel's covered area, as differences along the row: summed up from the left they give
 * the area to the right of the edge.
 */
function addEdge(coverage: Float32Array, width: number, height: number, from: Point, to: Point, turn: number): void {
  if (from[1] === to[1]) return
  const down = from[1] < to[1]
  // Pixel (x, y) is the square from x − 0.5 to x + 0.5: half a pixel on makes its corners whole numbers.
  const [x0, y0] = down ? [from[0] + 0.5, from[1] + 0.5] : [to[0] + 0.5, to[1] + 0.5]
  const [x1, y1] = down ? [to[0] + 0.5, to[1] + 0.5] : [from[0] + 0.5, from[1] + 0.5]
  const sign = down ? -turn : turn
  const slope = (x1 - x0) / (y1 - y0)
  const bottom = Math.min(height, y1)
  for (let y = Math.max(0, Math.floor(y0)); y < bottom; y++) {
    const top = Math.max(y, y0)
    const end = Math.min(y + 1, y1)
    const area = sign * (end - top)
    const row = y * (width + 1)
    let left = x0 + (top - y0) * slope
    let right = x0 + (end - y0) * slope
    if (left > right) [left, right] = [right, left]
    if (right <= 0) coverage[row] += area
    else if (left < width) spread(coverage, row, width, left, right, area)
  }
}

/** Shares `area` among the pixels that an edge crosses within one row, from `left` to `right`. */
function spread(coverage: Float32Array, row: number, width: number, left: number, right: number, area: number): void {
  const first = Math.floor(left)
  if (right <= first + 1) {
    const covered = area * (first + 1 - (left + right) / 2)
    add(coverage, row, width, first, covered)
    add(coverage, row, width, first + 1, area - covered)
    return
  }
  // Within the row the edge passes several pixels: what lies right of it grows as a parabola, a line, a parabola.
  const rate = area / (right - left)
  let before = 0
  for (let x = first; x < right + 1; x++) {
    const a = Math.max(left, x) - left
    const b = Math.min(right, x + 1) - left
    // Of the part of the edge within this pixel the mean share to its right, and all of what came before.
    const inside = Math.max(0, b - a)
    const total = rate * (a + (inside > 0 ? inside * (x + 1 - (left + (a + b) / 2)) : 0))
    add(coverage, row, width, x, total - before)
    before = total
    if (x + 1 >= right) {
      add(coverage, row, width, x + 1, area - before)
      return
    }
  }
}

function add(coverage: Float32Array, row: number, width: number, x: number, share: number): void {
  if (x <= width) coverage[row + Math.max(0, x)] += share
}

/** As `addEdge`, with whole pixels: those whose centre lies right of the edge. */
function addHardEdge(
  coverage: Float32Array,
  width: number,
  height: number,
  from: Point,
  to: Point,
  turn: number,
): void {
  const down = from[1] < to[1]
  const [low, high] = down ? [from, to] : [to, from]
  const slope = (high[0] - low[0]) / (high[1] - low[1])
  for (let y = Math.max(0, Math.ceil(low[1])); y < Math.min(height, high[1]); y++) {
    const x = Math.ceil(low[0] + (y - low[1]) * slope)
    if (x < width) coverage[y * (width + 1) + Math.max(0, x)] += down ? -turn : turn
  }
}

/**
 * Area of a polygon in square pixels: positive when its corners turn clockwise as seen in the image (y down).
 */
export function polygonArea(points: readonly Point[]): number {
  let twice = 0
  for (let i = 0; i < points.length; i++) {
    const [x0, y0] = points[i]
    const [x1, y1] = points[(i + 1) % points.length]
    twice += x0 * y1 - x1 * y0
  }
  return twice / 2
}

/**
 * Corners of the smallest convex polygon round `points`, clockwise as seen in the image, from the leftmost one.
 *
 * Source: Andrew 1979, https://doi.org/10.1016/0020-0190(79)90072-3
 */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((p, q) => p[0] - q[0] || p[1] - q[1])
  if (sorted.length < 3) return sorted
  const chain = (ordered: readonly Point[]) => {
    const hull: Point[] = []
    for (const point of ordered) {
      while (hull.length >= 2 && turnOf(hull[hull.length - 2], hull[hull.length - 1], point) <= 0) hull.pop()
      hull.push(point)
    }
    hull.pop()
    return hull
  }
  return [...chain(sorted), ...chain(sorted.reverse())]
}

/** Positive when a → b → c turns clockwise as seen in the image. */
function turnOf(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}
