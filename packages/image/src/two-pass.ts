import type { Affine } from '@dfl/core'
import type { Tile } from './warp-tile.js'

/** The steepest way, in columns a row, along which pixels are taken for one above the other: 14 degrees. */
const SLANT = 0.25

/** Whether a map turns so little that its output can be sampled across first, then down. */
export const isUpright = ([, b, , , d]: Affine): boolean => Math.abs(b) <= SLANT * Math.abs(d)

/** The rows of a tile at the columns of an output. */
interface Lines {
  rows: number
  /** Of the output. */
  width: number
  channels: number
}

/** Numbers are made four at a time. */
const planeBytes = ({ width }: Lines): number => 16 * Math.ceil(width / 4)

const lineBytes = (lines: Lines): number => planeBytes(lines) * lines.channels

export const linesBytes = (lines: Lines): number => lineBytes(lines) * lines.rows

/**
 * Samples all rows of a tile across, at the columns of the output; gives what samples rows of the output from these lines.
 *
 * @param lines `at`: memory for `linesBytes`.
 *
 * Source: Catmull and Smith 1980, 3-D transformations of images in scanline order, https://doi.org/10.1145/965105.807505
 */
export function betweenLines(
  { memory: { call }, outputToTileMat }: Pick<Tile, 'memory' | 'outputToTileMat'>,
  lines: Lines & { isCubic: boolean; at: number },
): Tile['sampleRow'] {
  const [a, b, x, c, d, y] = outputToTileMat
  const { rows, width, isCubic, at: first } = lines
  const [line, plane] = [lineBytes(lines), planeBytes(lines)]
  // Along a row of the tile the columns of the output are as far apart as this.
  const step = a - (b * c) / d
  for (let row = 0; row < rows; row++)
    call.acrossRow(row, x + (b / d) * (row - y), step, width, isCubic, first + row * line, plane)
  return (row, from, to, at) => call.downRow(d * row + y, c, from, to, isCubic, first, line, plane, at)
}
