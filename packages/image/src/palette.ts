import { DflError, type Pixels } from '@dfl/core'
import { checkChannels, checkRaster } from './checks.js'

/** Colours are told apart in 32 steps per channel. */
const STEPS = 32

/** Some cells of the cube of colours, `pixels` of the picture in all. */
interface Box {
  cells: number[]
  pixels: number
  axis: number
  extent: number
}

/**
 * `pixels` painted with at most `count` colours, chosen to fit the picture: a new [H, W, 3].
 *
 * Source: median cut: Heckbert 1982, https://doi.org/10.1145/800064.801294
 */
export function reduceColors(pixels: Pixels, count: number): Pixels {
  checkRaster(pixels, 'pixels')
  checkChannels(pixels, 3, 'pixels')
  if (!(Number.isInteger(count) && count >= 1))
    throw new DflError(
      'BAD_OPTION',
      `Expected a whole number of at least 1 for \`count\`, but got ${count}. Say how many colours there may be.`,
    )
  const { data } = pixels
  const size = STEPS ** 3
  const population = new Uint32Array(size)
  const sums = new Float64Array(3 * size)
  const cellOf = new Uint16Array(data.length / 3)
  const step = (v: number) => Math.min(STEPS - 1, Math.max(0, Math.floor(v * STEPS)))
  for (let p = 0, i = 0; p < cellOf.length; p++, i += 3) {
    const cell = (step(data[i]) * STEPS + step(data[i + 1])) * STEPS + step(data[i + 2])
    cellOf[p] = cell
    population[cell]++
    for (let c = 0; c < 3; c++) sums[3 * cell + c] += data[i + c]
  }
  const used = Array.from({ length: size }, (_, cell) => cell).filter((cell) => population[cell] > 0)
  const boxes = [boxOf(used, population)]
  while (boxes.length < count) {
    boxes.sort((a, b) => a.extent * a.pixels - b.extent * b.pixels)
    if (boxes[boxes.length - 1].extent === 0) break
    boxes.push(...halves(boxes.pop()!, population))
  }
  const palette = new Float32Array(3 * size)
  for (const { cells, pixels } of boxes)
    for (let c = 0; c < 3; c++) {
      const mean = cells.reduce((sum, cell) => sum + sums[3 * cell + c], 0) / pixels
      for (const cell of cells) palette[3 * cell + c] = mean
    }
  const out = new Float32Array(data.length)
  for (let p = 0; p < cellOf.length; p++) out.set(palette.subarray(3 * cellOf[p], 3 * cellOf[p] + 3), 3 * p)
  return { ...pixels, data: out }
}

const coordinate = (cell: number, axis: number) => Math.floor(cell / STEPS ** (2 - axis)) % STEPS

function boxOf(cells: number[], population: Uint32Array): Box {
  const extents = [0, 1, 2].map((axis) => {
    let low = STEPS
    let high = 0
    for (const cell of cells) {
      const at = coordinate(cell, axis)
      low = Math.min(low, at)
      high = Math.max(high, at)
    }
    return high - low
  })
  const extent = Math.max(...extents)
  const pixels = cells.reduce((sum, cell) => sum + population[cell], 0)
  return { cells, pixels, axis: extents.indexOf(extent), extent }
}

/** A box cut across its longest axis, so that each part has about half of its pixels. */
function halves({ cells, pixels, axis }: Box, population: Uint32Array): Box[] {
  const sorted = [...cells].sort((a, b) => coordinate(a, axis) - coordinate(b, axis))
  let sum = 0
  let cut = 0
  while (cut < sorted.length - 1 && (cut === 0 || sum < pixels / 2)) sum += population[sorted[cut++]]
  return [boxOf(sorted.slice(0, cut), population), boxOf(sorted.slice(cut), population)]
}
