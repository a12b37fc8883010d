import type { Affine, Raster } from '@dfl/core'
import { multiplyAffine } from './affine.js'

/** The part of a source that a warp needs, as doubles in the source's own unit, with a border round it. */
export interface Tile {
  /** [height, width, channels] */
  data: Float64Array
  width: number
  height: number
  channels: number
  /** Pixels of the output → pixels of the tile. */
  outputToTileMat: Affine
  /** Beyond these positions a kernel sees only the border; clamped to them, it never leaves the tile. */
  minX: number
  minY: number
  maxX: number
  maxY: number
}

/** One direction of a tile: tile pixel i is the mean of source pixels (first + i) · block to (first + i + 1) · block − 1. */
interface Axis {
  /** Source pixels per tile pixel. */
  block: number
  /** Weights of the filter that follows: of the pixel itself, of each direct neighbour, and of each one after that. */
  taps: readonly [centre: number, near: number, far: number]
  first: number
  count: number
  /** Positions, in pixels of the tile, between which the source has a say. */
  min: number
  max: number
}

/**
 * Copies the needed part of `source` into a tile with a border wide enough that sampling needs no checks.
 *
 * Where the map minifies, each row and column is filtered with five taps; before that, where it minifies by more than
 * 2.6, blocks of whole pixels are averaged, on a grid fixed to the source so that nothing swims when the map moves.
 *
 * @param outside  The value beyond the source, in its own unit; nothing for the nearest pixel of the source.
 * @param support  Half the width of the sampling kernel, in pixels of the tile.
 * @returns Nothing when the output sees only the outside.
 */
export function cutTile(
  source: Raster,
  outputToSourceMat: Affine,
  size: { width: number; height: number },
  { support, antialias, outside }: { support: number; antialias: boolean; outside: number | undefined },
): Tile | undefined {
  const [a, b, tx, c, d, ty] = outputToSourceMat
  const columns = planAxis(source.width, extent(a, b, tx, size), antialias ? Math.hypot(a, b) : 1, support)
  const rows = planAxis(source.height, extent(c, d, ty, size), antialias ? Math.hypot(c, d) : 1, support)
  if (outside !== undefined && (columns.missed || rows.missed)) return undefined

  const { channels } = source
  const data = gather(source, columns, rows, outside)
  const { block: kx } = columns
  const { block: ky } = rows
  const sourceToTileMat: Affine = [
    1 / kx,
    0,
    -(kx - 1) / 2 / kx - columns.first,
    0,
    1 / ky,
    -(ky - 1) / 2 / ky - rows.first,
  ]
  return {
    data,
    width: columns.count,
    height: rows.count,
    channels,
    outputToTileMat: multiplyAffine(sourceToTileMat, outputToSourceMat),
    minX: columns.min,
    minY: rows.min,
    maxX: columns.max,
    maxY: rows.max,
  }
}

/** The lowest and highest of a·x + b·y + t over the pixels of an image of this size. */
function extent(a: number, b: number, t: number, size: { width: number; height: number }): [number, number] {
  const x = a * (size.width - 1)
  const y = b * (size.height - 1)
  return [t + Math.min(0, x) + Math.min(0, y), t + Math.max(0, x) + Math.max(0, y)]
}

/**
 * Which blocks of one direction are needed, and how they are filtered.
 *
 * The whole filter before sampling has a variance of (footprint² − 1) / 6 source pixels²: 0 where nothing shrinks, twice
 * that of a box of one output pixel where much does. What averaging blocks of k pixels lacks of it, (k² − 1) / 12, the
 * taps add. They are two filters [w, 1 − 2w, w] in one, the first as strong as it can be: at half the size it takes out
 * the finest stripes altogether.
 *
 * @param footprint  Source pixels per output pixel.
 */
function planAxis(length: number, [low, high]: [number, number], footprint: number, support: number) {
  const block = Math.max(1, Math.floor(footprint / 1.3))
  const variance = Math.max(0, (footprint ** 2 - 1) / 6 - (block ** 2 - 1) / 12) / block ** 2
  const v = Math.min(0.25, variance / 2)
  const w = Math.min(0.25, variance / 2 - v)
  const taps = [(1 - 2 * v) * (1 - 2 * w) + 2 * v * w, v * (1 - 2 * w) + w * (1 - 2 * v), v * w] as const
  const filterReach = variance > 0 ? 2 : 0
  const toBlocks = (x: number) => (x - (block - 1) / 2) / block
  const min = -support - filterReach
  const max = Math.ceil(length / block) - 1 + support + filterReach
  const clamp = (x: number) => Math.min(max, Math.max(min, x))
  // One pixel more on both sides than needed, as positions are rounded.
  const first = Math.floor(clamp(toBlocks(low))) - support - filterReach
  const last = Math.floor(clamp(toBlocks(high))) + 1 + support + filterReach
  const missed = toBlocks(high) < min || toBlocks(low) > max
  return { block, taps, first, count: last - first + 1, min: min - first, max: max - first, missed }
}

/** Filtered block means of `source` as doubles (a tenth faster to sample than floats); outside of the source `outside`, or the nearest pixel. */
function gather(source: Raster, columns: Axis, rows: Axis, outside: number | undefined): Float64Array {
  const stride = columns.count * source.channels
  const data = new Float64Array(stride * rows.count)
  if (columns.block === 1 && rows.block === 1 && columns.taps[0] === 1 && rows.taps[0] === 1) {
    for (let j = 0; j < rows.count; j++)
      readLine(source, rows.first + j, columns.first, data, j * stride, stride, outside)
    return data
  }
  // Rows are averaged and filtered sideways one by one; five of them together make one filtered row of the tile.
  const length = stride * columns.block
  const scratch: Scratch = { line: new Float64Array(length), sum: new Float64Array(length) }
  const line = new Float64Array(stride)
  const ring = Array.from({ length: 5 }, () => new Float64Array(stride))
  const ringAt = (j: number) => ring[Math.min(rows.count - 1, Math.max(0, j)) % 5]
  for (let j = 0, ready = 0; j < rows.count; j++) {
    for (; ready <= j + 2 && ready < rows.count; ready++) {
      readBlocks(source, { columns, rows, outside }, ready, scratch, line)
      filterLine(line, source.channels, columns.taps, ringAt(ready))
    }
    filterRows(
      [-2, -1, 0, 1, 2].map((d) => ringAt(j + d)),
      rows.taps,
      data,
      j * stride,
    )
  }
  return data
}

/** Rows of a source as wide as a tile, written to again and again. */
interface Scratch {
  line: Float64Array
  sum: Float64Array
}

/**
 * Writes the block means of row `j` of the tile to `to`. Not a function that is made for each picture: those are never
 * compiled well.
 */
function readBlocks(
  source: Raster,
  { columns, rows, outside }: { columns: Axis; rows: Axis; outside: number | undefined },
  j: number,
  { line, sum }: Scratch,
  to: Float64Array,
): void {
  const { channels: c } = source
  const k = columns.block
  const firstX = columns.first * k
  const { length } = line
  const y = (rows.first + j) * rows.block
  const inside = firstX >= 0 && firstX + columns.count * k <= source.width && y >= 0 && y + rows.block <= source.height
  const blocks = { x: firstX, y, across: k, down: rows.block }
  if (k === 1 && rows.block === 1) readLine(source, y, firstX, to, 0, length, outside)
  else if (inside && c === 3) blockMeans3(source, blocks, to)
  else if (inside && c === 1) blockMeans1(source, blocks, to)
  else {
    readLine(source, y, firstX, sum, 0, length, outside)
    for (let dy = 1; dy < rows.block; dy++) {
      readLine(source, y + dy, firstX, line, 0, length, outside)
      for (let i = 0; i < length; i++) sum[i] += line[i]
    }
    const scale = 1 / (k * rows.block)
    for (let x = 0, o = 0; x < columns.count; x++)
      for (let channel = 0; channel < c; channel++, o++) {
        let total = 0
        for (let i = 0, from = x * k * c + channel; i < k; i++, from += c) total += sum[from]
        to[o] = total * scale
      }
  }
}

/** Blocks of a source that lie side by side, all of them inside it: the first begins at x, y. */
interface Blocks {
  x: number
  y: number
  across: number
  down: number
}

/** Writes means of blocks of a three-channel source. */
function blockMeans3({ data, width }: Raster, { x, y, across, down }: Blocks, to: Float64Array): void {
  const scale = 1 / (across * down)
  for (let o = 0, left = (y * width + x) * 3; o < to.length; o += 3, left += across * 3) {
    let r = 0
    let g = 0
    let b = 0
    for (let dy = 0, row = left; dy < down; dy++, row += width * 3)
      for (let p = row; p < row + across * 3; p += 3) {
        r += data[p]
        g += data[p + 1]
        b += data[p + 2]
      }
    to[o] = r * scale
    to[o + 1] = g * scale
    to[o + 2] = b * scale
  }
}

/** Writes means of blocks of a source with one channel. */
function blockMeans1({ data, width }: Raster, { x, y, across, down }: Blocks, to: Float64Array): void {
  const scale = 1 / (across * down)
  for (let o = 0, left = y * width + x; o < to.length; o++, left += across) {
    let sum = 0
    for (let dy = 0, row = left; dy < down; dy++, row += width) for (let p = row; p < row + across; p++) sum += data[p]
    to[o] = sum * scale
  }
}

/** Writes `length` samples of row `y`, from column `firstX` on, to `to[at…]`. Row and columns may lie outside. */
function readLine(
  source: Raster,
  y: number,
  firstX: number,
  to: Float64Array,
  at: number,
  length: number,
  outside: number | undefined,
): void {
  const { width, height, channels: c } = source
  if (outside !== undefined && (y < 0 || y >= height)) {
    to.fill(outside, at, at + length)
    return
  }
  const row = Math.min(height - 1, Math.max(0, y)) * width
  const columns = length / c
  const left = Math.min(columns, Math.max(0, -firstX))
  const right = Math.max(left, Math.min(columns, width - firstX))
  // A loop: `set` is several times slower between arrays of different kinds.
  const { data } = source
  const shift = (row + firstX) * c - at
  for (let o = at + left * c; o < at + right * c; o++) to[o] = data[shift + o]
  if (outside !== undefined) {
    to.fill(outside, at, at + left * c)
    to.fill(outside, at + right * c, at + length)
    return
  }
  for (let i = 0; i < left * c; i++) to[at + i] = source.data[row * c + (i % c)]
  for (let i = right * c; i < length; i++) to[at + i] = source.data[(row + width - 1) * c + (i % c)]
}

/** Writes `line`, `c` channels side by side, filtered to `to`; near the ends neighbours outside are the end pixels. */
function filterLine(line: Float64Array, c: number, [centre, near, far]: Axis['taps'], to: Float64Array): void {
  const end = line.length - 2 * c
  if (far === 0) for (let i = c; i < end + c; i++) to[i] = line[i] * centre + (line[i - c] + line[i + c]) * near
  else
    for (let i = 2 * c; i < end; i++)
      to[i] = line[i] * centre + (line[i - c] + line[i + c]) * near + (line[i - 2 * c] + line[i + 2 * c]) * far
  const pixels = line.length / c
  const at = (x: number, channel: number) => line[Math.min(pixels - 1, Math.max(0, x)) * c + channel]
  for (const x of [0, 1, pixels - 2, pixels - 1])
    for (let k = 0; k < c; k++)
      to[x * c + k] = at(x, k) * centre + (at(x - 1, k) + at(x + 1, k)) * near + (at(x - 2, k) + at(x + 2, k)) * far
}

/** Writes the middle one of five rows filtered with its neighbours to `to[at…]`. */
function filterRows(
  [a, b, here, d, e]: Float64Array[],
  [centre, near, far]: Axis['taps'],
  to: Float64Array,
  at: number,
): void {
  if (far === 0) for (let i = 0; i < here.length; i++) to[at + i] = here[i] * centre + (b[i] + d[i]) * near
  else for (let i = 0; i < here.length; i++) to[at + i] = here[i] * centre + (b[i] + d[i]) * near + (a[i] + e[i]) * far
}
