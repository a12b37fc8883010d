import type { Tile } from './warp-tile.js'

/** Where the pixels of one output row lie, in pixels of the tile: column i at (x + i · dx, y + i · dy). */
export interface Walk {
  x: number
  y: number
  dx: number
  dy: number
}

/** The samples [from, to) of one output row; `at` is where the row begins in `out`. */
interface Run {
  from: number
  to: number
  out: Float32Array
  at: number
  /** Multiplied into every sample. */
  scale: number
}

/** Fills columns [from, to) of row `y` of `out` from the tile. */
export function sampleRow(interpolation: 'linear' | 'cubic' | 'lanczos3', tile: Tile, walk: Walk, run: Run): void {
  if (interpolation === 'lanczos3') lanczosRow(tile, walk, run)
  else if (interpolation === 'cubic') cubicRow(tile, walk, run)
  else if (tile.channels === 3) linearRow3(tile, walk, run)
  else if (tile.channels === 1) linearRow1(tile, walk, run)
  else linearRow(tile, walk, run)
}

/*
 * The loops below are written out per kernel: this is where warps spend their time. For two by two samples of one or three
 * channels a loop of their own takes a sixth less; for four by four samples it would gain too little to be kept. Positions
 * are at least 1 inside the tile, so `| 0` is a floor.
 */

/** Two by two samples, three channels. */
function linearRow3({ data, width, minX, maxX, minY, maxY }: Tile, { x, y, dx, dy }: Walk, run: Run): void {
  const { from, to, out, scale } = run
  const stride = width * 3
  let o = run.at + from * 3
  for (let i = from; i < to; i++) {
    const ax = x + i * dx
    const px = ax > minX ? (ax < maxX ? ax : maxX) : minX
    const ay = y + i * dy
    const py = ay > minY ? (ay < maxY ? ay : maxY) : minY
    const ix = px | 0
    const iy = py | 0
    const fx = px - ix
    const lower = (py - iy) * scale
    const upper = scale - lower
    const w01 = upper * fx
    const w00 = upper - w01
    const w11 = lower * fx
    const w10 = lower - w11
    const p = Math.imul(iy, stride) + ix * 3
    const q = p + stride
    out[o] = data[p] * w00 + data[p + 3] * w01 + data[q] * w10 + data[q + 3] * w11
    out[o + 1] = data[p + 1] * w00 + data[p + 4] * w01 + data[q + 1] * w10 + data[q + 4] * w11
    out[o + 2] = data[p + 2] * w00 + data[p + 5] * w01 + data[q + 2] * w10 + data[q + 5] * w11
    o += 3
  }
}

/** Two by two samples, one channel. */
function linearRow1({ data, width, minX, maxX, minY, maxY }: Tile, { x, y, dx, dy }: Walk, run: Run): void {
  const { from, to, out, scale } = run
  let o = run.at + from
  for (let i = from; i < to; i++) {
    const ax = x + i * dx
    const px = ax > minX ? (ax < maxX ? ax : maxX) : minX
    const ay = y + i * dy
    const py = ay > minY ? (ay < maxY ? ay : maxY) : minY
    const ix = px | 0
    const iy = py | 0
    const fx = px - ix
    const p = Math.imul(iy, width) + ix
    const q = p + width
    const upper = data[p] + (data[p + 1] - data[p]) * fx
    const lower = data[q] + (data[q + 1] - data[q]) * fx
    out[o++] = (upper + (lower - upper) * (py - iy)) * scale
  }
}

/** Two by two samples, any number of channels. */
function linearRow({ data, width, channels: c, minX, maxX, minY, maxY }: Tile, { x, y, dx, dy }: Walk, run: Run): void {
  const { from, to, out, scale } = run
  const stride = width * c
  let o = run.at + from * c
  for (let i = from; i < to; i++) {
    const ax = x + i * dx
    const px = ax > minX ? (ax < maxX ? ax : maxX) : minX
    const ay = y + i * dy
    const py = ay > minY ? (ay < maxY ? ay : maxY) : minY
    const ix = px | 0
    const iy = py | 0
    const fx = px - ix
    const lower = (py - iy) * scale
    const upper = scale - lower
    let p = Math.imul(iy, stride) + ix * c
    for (const end = o + c; o < end; o++, p++) {
      const q = p + stride
      out[o] = (data[p] + (data[p + c] - data[p]) * fx) * upper + (data[q] + (data[q + c] - data[q]) * fx) * lower
    }
  }
}

/** Four by four samples, any number of channels. */
function cubicRow({ data, width, channels: c, minX, maxX, minY, maxY }: Tile, { x, y, dx, dy }: Walk, run: Run): void {
  const { from, to, out, scale } = run
  const stride = width * c
  const c2 = 2 * c
  const c3 = 3 * c
  let o = run.at + from * c
  for (let i = from; i < to; i++) {
    const ax = x + i * dx
    const px = ax > minX ? (ax < maxX ? ax : maxX) : minX
    const ay = y + i * dy
    const py = ay > minY ? (ay < maxY ? ay : maxY) : minY
    const ix = px | 0
    const iy = py | 0
    const t = px - ix
    const u = py - iy
    const x0 = ((1 - 0.5 * t) * t - 0.5) * t
    const x1 = (1.5 * t - 2.5) * t * t + 1
    const x3 = (0.5 * t - 0.5) * t * t
    const x2 = 1 - x0 - x1 - x3
    const y0 = ((1 - 0.5 * u) * u - 0.5) * u * scale
    const y1 = ((1.5 * u - 2.5) * u * u + 1) * scale
    const y3 = (0.5 * u - 0.5) * u * u * scale
    const y2 = scale - y0 - y1 - y3
    let p = Math.imul(iy - 1, stride) + (ix - 1) * c
    for (const end = o + c; o < end; o++, p++) {
      const q = p + stride
      const r = q + stride
      const s = r + stride
      out[o] =
        (data[p] * x0 + data[p + c] * x1 + data[p + c2] * x2 + data[p + c3] * x3) * y0 +
        (data[q] * x0 + data[q + c] * x1 + data[q + c2] * x2 + data[q + c3] * x3) * y1 +
        (data[r] * x0 + data[r + c] * x1 + data[r + c2] * x2 + data[r + c3] * x3) * y2 +
        (data[s] * x0 + data[s + c] * x1 + data[s + c2] * x2 + data[s + c3] * x3) * y3
    }
  }
}

/** Six by six samples, any number of channels. */
function lanczosRow(
  { data, width, channels: c, minX, maxX, minY, maxY }: Tile,
  { x, y, dx, dy }: Walk,
  run: Run,
): void {
  const { from, to, out, scale } = run
  const stride = width * c
  const wx = new Float64Array(6)
  const wy = new Float64Array(6)
  let o = run.at + from * c
  for (let i = from; i < to; i++) {
    const ax = x + i * dx
    const px = ax > minX ? (ax < maxX ? ax : maxX) : minX
    const ay = y + i * dy
    const py = ay > minY ? (ay < maxY ? ay : maxY) : minY
    const ix = px | 0
    const iy = py | 0
    lanczosWeights(px - ix, wx, 1)
    lanczosWeights(py - iy, wy, scale)
    const corner = Math.imul(iy - 2, stride) + (ix - 2) * c
    for (let channel = 0; channel < c; channel++) {
      let sum = 0
      for (let row = 0, p = corner + channel; row < 6; row++, p += stride) {
        sum +=
          wy[row] *
          (data[p] * wx[0] +
            data[p + c] * wx[1] +
            data[p + 2 * c] * wx[2] +
            data[p + 3 * c] * wx[3] +
            data[p + 4 * c] * wx[4] +
            data[p + 5 * c] * wx[5])
      }
      out[o++] = sum
    }
  }
}

/** Weights of the samples at −2 … 3 for position `t` from 0 to below 1, summing to `total`. */
function lanczosWeights(t: number, weights: Float64Array, total: number): void {
  const at = t * LANCZOS_PHASES
  const phase = at | 0
  const onward = (at - phase) * total
  const here = total - onward
  for (let k = 0, p = phase * 6; k < 6; k++, p++) weights[k] = here * LANCZOS[p] + onward * LANCZOS[p + 6]
}

/** Positions between two pixels whose weights are kept: linear in between, they are right to 5e-7. */
const LANCZOS_PHASES = 1024
const LANCZOS = lanczosTable()

/** Six weights for each position, summing to 1. */
function lanczosTable(): Float64Array {
  const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))
  const table = new Float64Array((LANCZOS_PHASES + 1) * 6)
  for (let phase = 0; phase <= LANCZOS_PHASES; phase++) {
    const raw = [0, 1, 2, 3, 4, 5].map((k) => phase / LANCZOS_PHASES + 2 - k).map((x) => sinc(x) * sinc(x / 3))
    // At the pixels themselves sines leave 1e-17 where nothing belongs.
    const exact = phase % LANCZOS_PHASES === 0 ? raw.map(Math.round) : raw
    const sum = exact.reduce((total, weight) => total + weight)
    table.set(
      exact.map((weight) => weight / sum),
      phase * 6,
    )
  }
  return table
}
