import type { Pixels } from '@dfl/core'
import { checkChannels, checkRaster, checkSameShape } from './checks.js'

/** One grid of the hierarchy, with a rim of one cell on each side that mirrors the cells next to it. */
interface Level {
  width: number
  height: number
  /** 1 where the equation is solved. */
  inside: Uint8Array
  /** First and last column inside, per row; last < first where there is none. */
  spans: Int32Array
  /** The solution, or on coarser grids its correction. */
  u: Float32Array
  /** Right-hand side: 4 u − the four neighbours. */
  f: Float32Array
  residual: Float32Array
}

/** Steps of the smoother before and after each visit to the coarser grid. */
const SWEEPS = 2
const MAX_CYCLES = 20

/**
 * `values` with a region filled in by the smoothest surface that meets them at its border, like a soap film: [H, W, C].
 *
 * Inside the region every value is the mean of its four neighbours (Laplace's equation); outside `values` stay. Where
 * the region touches the picture's edge, the surface ends there level. Added to a pasted picture, the membrane of the
 * difference at its border is the solution of Poisson's equation with that picture's own gradients: seamless cloning.
 *
 * Solved by multigrid: time grows with the number of pixels only. A region without a border stays as it is.
 *
 * @param values  [H, W, C]
 * @param region  [H, W, 1], filled in where above 0.
 * @param options  `tolerance`: how far a value may be from the mean of its neighbours at the end.
 *
 * Source: Pérez, Gangnet, Blake 2003, https://doi.org/10.1145/882262.882269; as a membrane: Farbman et al. 2009,
 * https://doi.org/10.1145/1531326.1531373; multigrid: Brandt 1977, https://doi.org/10.2307/2006422
 */
export function membrane(values: Pixels, region: Pixels, { tolerance = 1e-4 }: { tolerance?: number } = {}): Pixels {
  checkRaster(values, 'values')
  checkRaster(region, 'region')
  checkSameShape(values, region, 'region', false)
  checkChannels(region, 1, 'region')
  const { width, height, channels } = values
  const out: Pixels = { ...values, data: values.data.slice() }
  const levels = hierarchy(region)
  const [fine] = levels
  const stride = width + 2
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++)
      for (let x = 0, i = y * width * channels + c; x < width; x++, i += channels)
        fine.u[(y + 1) * stride + x + 1] = values.data[i]
    if (!startFromBorder(fine)) return out
    for (let cycles = 0; cycles < MAX_CYCLES; cycles++) {
      cycle(levels, 0)
      if (residualOf(fine) < 4 * tolerance) break
    }
    for (let y = 0; y < height; y++)
      for (let x = fine.spans[2 * y]; x <= fine.spans[2 * y + 1]; x++)
        out.data[(y * width + x) * channels + c] = fine.u[(y + 1) * stride + x + 1]
  }
  return out
}

/** Grids from the region's own down to a few cells; each point of a coarser grid lies on every second of the finer. */
function hierarchy(region: Pixels): Level[] {
  const levels = [emptyLevel(region.width, region.height, (x, y) => region.data[y * region.width + x] > 0)]
  for (;;) {
    const { width, height, inside } = levels[levels.length - 1]
    if (Math.min(width, height) <= 4) return levels
    const half = (n: number) => (n + 1) >> 1
    const isInside = (x: number, y: number) =>
      x < 0 || y < 0 || x >= width || y >= height || inside[(y + 1) * (width + 2) + x + 1] === 1
    // A point counts where all around it is inside: a coarse grid that reaches beyond the fine one overshoots.
    const isSurrounded = (x: number, y: number) => {
      for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) if (!isInside(x + dx, y + dy)) return false
      return true
    }
    levels.push(emptyLevel(half(width), half(height), (x, y) => isSurrounded(2 * x, 2 * y)))
  }
}

function emptyLevel(width: number, height: number, isInside: (x: number, y: number) => boolean): Level {
  const cells = (width + 2) * (height + 2)
  const inside = new Uint8Array(cells)
  const spans = new Int32Array(2 * height)
  for (let y = 0; y < height; y++) {
    spans[2 * y] = width
    spans[2 * y + 1] = -1
    for (let x = 0; x < width; x++) {
      if (!isInside(x, y)) continue
      inside[(y + 1) * (width + 2) + x + 1] = 1
      spans[2 * y] = Math.min(spans[2 * y], x)
      spans[2 * y + 1] = x
    }
  }
  const field = () => new Float32Array(cells)
  return { width, height, inside, spans, u: field(), f: field(), residual: field() }
}

/** Fills the inside with the mean of the values around it; false where there are none. */
function startFromBorder({ width, height, inside, u }: Level): boolean {
  const stride = width + 2
  let sum = 0
  let count = 0
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = (y + 1) * stride + x + 1
      if (inside[i] || !(inside[i - 1] || inside[i + 1] || inside[i - stride] || inside[i + stride])) continue
      sum += u[i]
      count++
    }
  if (count === 0) return false
  const mean = sum / count
  for (let i = 0; i < u.length; i++) if (inside[i]) u[i] = mean
  return true
}

/** One V-cycle: smooth, correct from the coarser grid, smooth. */
function cycle(levels: readonly Level[], depth: number): void {
  const level = levels[depth]
  const coarse = levels[depth + 1]
  if (!coarse) {
    for (let k = 0; k < 30; k++) relax(level)
    return
  }
  for (let k = 0; k < SWEEPS; k++) relax(level)
  residualOf(level)
  restrict(level, coarse)
  coarse.u.fill(0)
  cycle(levels, depth + 1)
  prolong(coarse, level)
  for (let k = 0; k < SWEEPS; k++) relax(level)
}

/** Gauss–Seidel, first the one and then the other colour of a chessboard. */
function relax(level: Level): void {
  const { height, inside, spans, u, f } = level
  const stride = level.width + 2
  for (let colour = 0; colour < 2; colour++) {
    mirrorRim(level)
    for (let y = 0; y < height; y++) {
      const first = (y + 1) * stride + 1
      let i = first + spans[2 * y]
      if (((i - first + y) & 1) !== colour) i++
      for (const end = first + spans[2 * y + 1]; i <= end; i += 2)
        if (inside[i] === 1) u[i] = 0.25 * (f[i] + u[i - 1] + u[i + 1] + u[i - stride] + u[i + stride])
    }
  }
}

/** Notes the residual of each cell and gives back the largest. */
function residualOf(level: Level): number {
  const { height, inside, spans, u, f, residual } = level
  const stride = level.width + 2
  mirrorRim(level)
  let largest = 0
  for (let y = 0; y < height; y++) {
    const first = (y + 1) * stride + 1
    for (let i = first + spans[2 * y], end = first + spans[2 * y + 1]; i <= end; i++) {
      if (inside[i] === 0) continue
      const r = f[i] - 4 * u[i] + u[i - 1] + u[i + 1] + u[i - stride] + u[i + stride]
      residual[i] = r
      if (r > largest) largest = r
      else if (-r > largest) largest = -r
    }
  }
  return largest
}

/** The finer grid's residual as the coarser grid's right-hand side, by full weighting; twice the spacing makes it four times. */
function restrict({ width, residual: r }: Level, coarse: Level): void {
  const stride = width + 2
  const { spans, inside, f } = coarse
  for (let y = 0; y < coarse.height; y++)
    for (let x = spans[2 * y]; x <= spans[2 * y + 1]; x++) {
      const to = (y + 1) * (coarse.width + 2) + x + 1
      if (inside[to] === 0) continue
      const i = (2 * y + 1) * stride + 2 * x + 1
      const straight = r[i - 1] + r[i + 1] + r[i - stride] + r[i + stride]
      const diagonal = r[i - stride - 1] + r[i - stride + 1] + r[i + stride - 1] + r[i + stride + 1]
      f[to] = r[i] + 0.5 * straight + 0.25 * diagonal
    }
}

/** Adds the coarser grid's correction to the finer one, bilinearly. */
function prolong(coarse: Level, { width, height, inside, spans, u }: Level): void {
  mirrorRim(coarse)
  const stride = width + 2
  const wide = coarse.width + 2
  const e = coarse.u
  for (let y = 0; y < height; y++) {
    const above = ((y >> 1) + 1) * wide + 1
    const below = above + (y & 1) * wide
    for (let x = spans[2 * y]; x <= spans[2 * y + 1]; x++) {
      const i = (y + 1) * stride + x + 1
      if (inside[i] === 0) continue
      const left = x >> 1
      const right = left + (x & 1)
      u[i] += 0.25 * (e[above + left] + e[above + right] + e[below + left] + e[below + right])
    }
  }
}

/** Beyond the picture's edge lies what is next to it, so that nothing flows through the edge. */
function mirrorRim({ width, height, u }: Level): void {
  const stride = width + 2
  u.copyWithin(0, stride, 2 * stride)
  u.copyWithin((height + 1) * stride, height * stride, (height + 1) * stride)
  for (let i = stride; i < (height + 1) * stride; i += stride) {
    u[i] = u[i + 1]
    u[i + stride - 1] = u[i + stride - 2]
  }
}
