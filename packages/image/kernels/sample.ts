/*
 * Samples rows of an output from a tile of `gatherTile`. Positions are doubles, so that they are right in large pictures;
 * weights and sums are floats, four at once. Constant vectors lie in memory: written into the code they would be built anew
 * for each pixel.
 */

import { Four } from './four'

export let tile: usize = 0
/** Floats of a pixel: 1 or 4; and bytes of a row. */
export let lanes: i32 = 0
export let stride: i32 = 0
/** Limits of positions. */
export let least: v128 = f64x2.splat(0)
export let most: v128 = f64x2.splat(0)
let step: v128 = f64x2.splat(0)
/** Multiplied into every sample. */
export let scale: f32 = 1
/** Channels of the output. */
let channels: i32 = 0

/** Names the tile of the rows to come, and how far its positions move with each column; they are clamped to the limits. */
export function useTile(
  at: usize,
  width: i32,
  outChannels: i32,
  minX: f64,
  minY: f64,
  maxX: f64,
  maxY: f64,
  dx: f64,
  dy: f64,
  sampleScale: f32,
): void {
  tile = at
  channels = outChannels
  lanes = outChannels === 1 ? 1 : 4
  stride = width * lanes * 4
  least = f64x2(minX, minY)
  most = f64x2(maxX, maxY)
  step = f64x2(dx, dy)
  scale = sampleScale
}

/** Twice a double that has no digits behind the point: what is added to it stands in its low bits. */
const WHOLE = memory.data<f64>([4503599627370496, 4503599627370496], 16)

/** What is written into the loops that use it. */
class Inline {
  /** Position of column `i` of a row, within the limits. */
  @inline
  static place(start: v128, i: i32): v128 {
    const place = f64x2.add(start, f64x2.mul(f64x2.splat(<f64>i), step))
    return f64x2.pmin(most, f64x2.pmax(least, place))
  }

  /** Address of the tile's pixel at a position without its digits, `before` pixels up and to the left. */
  @inline
  static address(floor: v128, before: i32): usize {
    const whole = f64x2.add(floor, v128.load(WHOLE))
    const x = i32x4.extract_lane(whole, 0) - before
    const y = i32x4.extract_lane(whole, 2) - before
    return tile + <usize>(y * stride + x * lanes * 4)
  }

  /** Four pixels side by side, each a vector, weighed. */
  @inline
  static across(p: usize, w0: v128, w1: v128, w2: v128, w3: v128): v128 {
    return Four.sum(v128.load(p), v128.load(p, 16), v128.load(p, 32), v128.load(p, 48), w0, w1, w2, w3)
  }

  @inline
  static between(a: v128, b: v128, share: v128): v128 {
    return f32x4.add(a, f32x4.mul(f32x4.sub(b, a), share))
  }
}

/** Two by two samples of columns [from, to) of a row that begins at x, y; `out` is where the column `from` goes. */
export function linearRow(x: f64, y: f64, from: i32, to: i32, out: usize): void {
  const start = f64x2(x, y)
  const size = channels * 4
  const below = stride
  for (let i = from; i < to; i++, out += size) {
    const place = Inline.place(start, i)
    const floor = f64x2.floor(place)
    const share = f32x4.demote_f64x2_zero(f64x2.sub(place, floor))
    const across = v128.shuffle<f32>(share, share, 0, 0, 0, 0)
    const down = v128.shuffle<f32>(share, share, 1, 1, 1, 1)
    const p = Inline.address(floor, 0)
    const q = p + below
    if (lanes === 1) {
      const both = Inline.between(v128.load64_zero(p), v128.load64_zero(q), down)
      const left = f32x4.extract_lane(both, 0)
      store<f32>(out, (left + (f32x4.extract_lane(both, 1) - left) * f32x4.extract_lane(share, 0)) * scale)
    } else {
      const upper = Inline.between(v128.load(p), v128.load(p, 16), across)
      const lower = Inline.between(v128.load(q), v128.load(q, 16), across)
      v128.store(out, f32x4.mul(Inline.between(upper, lower, down), f32x4.splat(scale)))
    }
  }
}

/** Four by four samples of columns [from, to) of a row that begins at x, y. */
export function cubicRow(x: f64, y: f64, from: i32, to: i32, out: usize): void {
  const start = f64x2(x, y)
  const size = channels * 4
  const below = stride
  const scales = f32x4.splat(scale)
  for (let i = from; i < to; i++, out += size) {
    const place = Inline.place(start, i)
    const floor = f64x2.floor(place)
    const share = f32x4.demote_f64x2_zero(f64x2.sub(place, floor))
    const wx = Four.cubic(v128.shuffle<f32>(share, share, 0, 0, 0, 0))
    const wy = f32x4.mul(Four.cubic(v128.shuffle<f32>(share, share, 1, 1, 1, 1)), scales)
    const y0 = v128.shuffle<f32>(wy, wy, 0, 0, 0, 0)
    const y1 = v128.shuffle<f32>(wy, wy, 1, 1, 1, 1)
    const y2 = v128.shuffle<f32>(wy, wy, 2, 2, 2, 2)
    const y3 = v128.shuffle<f32>(wy, wy, 3, 3, 3, 3)
    const p = Inline.address(floor, 1)
    const q = p + below
    const r = q + below
    const s = r + below
    if (lanes === 1) {
      const upper = f32x4.add(f32x4.mul(v128.load(p), y0), f32x4.mul(v128.load(q), y1))
      const lower = f32x4.add(f32x4.mul(v128.load(r), y2), f32x4.mul(v128.load(s), y3))
      store<f32>(out, Four.total(f32x4.mul(f32x4.add(upper, lower), wx)))
      continue
    }
    const x0 = v128.shuffle<f32>(wx, wx, 0, 0, 0, 0)
    const x1 = v128.shuffle<f32>(wx, wx, 1, 1, 1, 1)
    const x2 = v128.shuffle<f32>(wx, wx, 2, 2, 2, 2)
    const x3 = v128.shuffle<f32>(wx, wx, 3, 3, 3, 3)
    const upper = f32x4.add(
      f32x4.mul(Inline.across(p, x0, x1, x2, x3), y0),
      f32x4.mul(Inline.across(q, x0, x1, x2, x3), y1),
    )
    const lower = f32x4.add(
      f32x4.mul(Inline.across(r, x0, x1, x2, x3), y2),
      f32x4.mul(Inline.across(s, x0, x1, x2, x3), y3),
    )
    v128.store(out, f32x4.add(upper, lower))
  }
}

/** Positions between two pixels whose weights are in the table: linear in between, they are right to 5e-7. */
const PHASES: i32 = 1024
/** Six weights, and two zeros, for each position; made when first used. */
const TABLE = memory.data(1025 * 32, 16)
let hasTable: bool = false

function lanczos(x: f64): f64 {
  if (x === 0) return 1
  const turn = Math.PI * x
  return (3 * Math.sin(turn) * Math.sin(turn / 3)) / (turn * turn)
}

function makeTable(): void {
  for (let phase = 0; phase <= PHASES; phase++) {
    const t = <f64>phase / <f64>PHASES
    // At the pixels themselves sines leave 1e-17 where nothing belongs.
    const exact = phase % PHASES === 0
    let sum: f64 = 0
    for (let k = 0; k < 6; k++) sum += exact ? Math.round(lanczos(t + 2 - k)) : lanczos(t + 2 - k)
    for (let k = 0; k < 6; k++) {
      const weight = exact ? Math.round(lanczos(t + 2 - k)) : lanczos(t + 2 - k)
      store<f32>(TABLE + phase * 32 + k * 4, <f32>(weight / sum))
    }
  }
  hasTable = true
}

/** Six by six samples of columns [from, to) of a row that begins at x, y. */
export function lanczosRow(x: f64, y: f64, from: i32, to: i32, out: usize): void {
  if (!hasTable) makeTable()
  const start = f64x2(x, y)
  const size = channels * 4
  const below = stride
  for (let i = from; i < to; i++, out += size) {
    const place = Inline.place(start, i)
    const floor = f64x2.floor(place)
    const share = f64x2.mul(f64x2.sub(place, floor), f64x2.splat(<f64>PHASES))
    const phase = f64x2.floor(share)
    const onward = f32x4.demote_f64x2_zero(f64x2.sub(share, phase))
    const phases = f64x2.add(phase, v128.load(WHOLE))
    const atX = TABLE + <usize>i32x4.extract_lane(phases, 0) * 32
    const atY = TABLE + <usize>i32x4.extract_lane(phases, 2) * 32
    const onX = v128.shuffle<f32>(onward, onward, 0, 0, 0, 0)
    const onY = f32x4.extract_lane(onward, 1)
    const wx = Inline.between(v128.load(atX), v128.load(atX, 32), onX)
    const wxEnd = Inline.between(v128.load(atX, 16), v128.load(atX, 48), onX)
    const x0 = v128.shuffle<f32>(wx, wx, 0, 0, 0, 0)
    const x1 = v128.shuffle<f32>(wx, wx, 1, 1, 1, 1)
    const x2 = v128.shuffle<f32>(wx, wx, 2, 2, 2, 2)
    const x3 = v128.shuffle<f32>(wx, wx, 3, 3, 3, 3)
    const x4 = v128.shuffle<f32>(wxEnd, wxEnd, 0, 0, 0, 0)
    const x5 = v128.shuffle<f32>(wxEnd, wxEnd, 1, 1, 1, 1)
    let row = Inline.address(floor, 2)
    let sum = f32x4.splat(0)
    for (let k: usize = 0; k < 24; k += 4, row += below) {
      const here = load<f32>(atY + k)
      const weight = f32x4.splat((here + (load<f32>(atY + k, 32) - here) * onY) * scale)
      const all =
        lanes === 1
          ? f32x4.add(f32x4.mul(v128.load(row), wx), f32x4.mul(v128.load64_zero(row, 16), wxEnd))
          : f32x4.add(
              Inline.across(row, x0, x1, x2, x3),
              f32x4.add(f32x4.mul(v128.load(row, 64), x4), f32x4.mul(v128.load(row, 80), x5)),
            )
      sum = f32x4.add(sum, f32x4.mul(all, weight))
    }
    if (lanes === 1) store<f32>(out, Four.total(sum))
    else v128.store(out, sum)
  }
}
