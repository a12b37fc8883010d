import type { Affine, Raster } from '@dfl/core'
import { multiplyAffine } from './affine.js'
import { type ImageKernels, kernels } from './kernels.js'
import { sampleScale } from './pixels.js'
import { betweenLines, isUpright, linesBytes } from './two-pass.js'

/** How rows are sampled from a tile. */
export type Interpolation = 'linear' | 'cubic' | 'lanczos3'

/** The part of a source that a warp needs, in the kernels' memory, which are set to sample it. */
export interface Tile {
  memory: ImageKernels
  /** Where the blocks of memory lie that were asked for besides. */
  spare: number[]
  /** Samples columns [from, to) of a row of the output to an address, and may write up to three pixels more. */
  sampleRow(row: number, from: number, to: number, at: number): void
  /** Pixels of the output → pixels of the tile. */
  outputToTileMat: Affine
  /** Beyond these positions a kernel sees only the border; clamped to them, it never leaves the tile. */
  minX: number
  minY: number
  maxX: number
  maxY: number
}

/** What a tile is cut for. */
export interface TileFor {
  outputToSourceMat: Affine
  /** Of the output. */
  size: { width: number; height: number }
  interpolation: Interpolation
  antialias: boolean
  /** Whether rows may be sampled in two passes: see `WarpOptions`. */
  twoPass: boolean
  /** The value beyond the source, 0..1; nothing for the nearest pixel of the source. */
  outside?: number | undefined
  /** Bytes of blocks of memory that the sampling needs. */
  spare: readonly number[]
}

/** Half the width of each kernel, in pixels. */
const SUPPORT = { linear: 1, cubic: 2, lanczos3: 3 }

/** The loop that fills a row. */
const ROWS = { linear: 'linearRow', cubic: 'cubicRow', lanczos3: 'lanczosRow' } as const

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
 * @returns Nothing when the output sees only the outside.
 */
export function cutTile(source: Raster, wanted: TileFor): Tile | undefined {
  const { outputToSourceMat, size, interpolation, antialias, outside, spare } = wanted
  const [a, b, tx, c, d, ty] = outputToSourceMat
  const twoPass =
    wanted.twoPass && interpolation !== 'lanczos3' && source.channels !== 4 && isUpright(outputToSourceMat)
  // In two passes all weights are of four samples.
  const support = SUPPORT[twoPass ? 'cubic' : interpolation]
  const columns = planAxis(source.width, extent(a, b, tx, size), antialias ? Math.hypot(a, b) : 1, support)
  const rows = planAxis(source.height, extent(c, d, ty, size), antialias ? Math.hypot(c, d) : 1, support)
  if (outside !== undefined && (columns.missed || rows.missed)) return undefined

  const memory = kernels()
  const pixelBytes = source.channels === 1 ? 4 : 16
  const lineBytes = columns.count * pixelBytes
  const part = partOf(source, columns, rows)
  const lines = { rows: rows.count, width: size.width, channels: source.channels }
  const [from, at, scratch, between, ...places] = memory.room(
    part.width * part.height * source.channels * source.data.BYTES_PER_ELEMENT,
    lineBytes * rows.count,
    lineBytes * (2 * columns.block + 5),
    twoPass ? linesBytes(lines) : 0,
    ...spare,
  ) as [number, number, number, number, ...number[]]
  copyPart(source, part, memory, from)
  const scale = sampleScale(source)
  memory.call.gatherTile(
    ...[from, source.data.BYTES_PER_ELEMENT, source.channels, part.width, part.height],
    ...[columns.first * columns.block - part.x, rows.first * rows.block - part.y, columns.block, rows.block],
    ...[columns.count, rows.count, outside !== undefined, (outside ?? 0) / scale, ...columns.taps, ...rows.taps],
    ...[at, scratch],
  )
  const sourceToTileMat: Affine = [
    1 / columns.block,
    0,
    -(columns.block - 1) / 2 / columns.block - columns.first,
    0,
    1 / rows.block,
    -(rows.block - 1) / 2 / rows.block - rows.first,
  ]
  const outputToTileMat = multiplyAffine(sourceToTileMat, outputToSourceMat)
  const limits = [columns.min, rows.min, columns.max, rows.max] as const
  const [minX, minY, maxX, maxY] = limits
  memory.call.useTile(at, columns.count, source.channels, ...limits, outputToTileMat[0], outputToTileMat[3], scale)
  const tile = { memory, spare: places, outputToTileMat, minX, minY, maxX, maxY }
  if (twoPass)
    return { ...tile, sampleRow: betweenLines(tile, { ...lines, isCubic: interpolation === 'cubic', at: between }) }
  const sample = memory.call[ROWS[interpolation]]
  const [, right, x, , down, y] = outputToTileMat
  return { ...tile, sampleRow: (row, from, to, at) => sample(right * row + x, down * row + y, from, to, at) }
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

/** The pixels of a source that a tile is made of: at least one. */
function partOf(source: Raster, columns: Axis, rows: Axis) {
  const side = ({ first, count, block }: Axis, length: number): [number, number] => {
    const low = Math.min(length - 1, Math.max(0, first * block))
    return [low, Math.min(length, Math.max(low + 1, (first + count) * block))]
  }
  const [x, right] = side(columns, source.width)
  const [y, bottom] = side(rows, source.height)
  return { x, y, width: right - x, height: bottom - y }
}

/** Copies a part of a source to an address. */
function copyPart(
  { data, width, channels }: Raster,
  part: { x: number; y: number; width: number; height: number },
  memory: ImageKernels,
  at: number,
): void {
  const row = part.width * channels
  const to = memory.viewLike(data, at, row * part.height)
  if (part.width === width) {
    to.set(data.subarray(part.y * row, (part.y + part.height) * row))
    return
  }
  for (let y = 0; y < part.height; y++) {
    const from = ((part.y + y) * width + part.x) * channels
    to.set(data.subarray(from, from + row), y * row)
  }
}
