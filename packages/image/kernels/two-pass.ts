/*
 * Samples a tile of `gatherTile` in two passes: its rows across, at the columns of the output, then down between these. What
 * lies side by side in the output lies side by side in the lines between, plane by plane, so that a vector holds four pixels.
 */

import { Four } from './four'
import { lanes, least, most, scale, stride, tile } from './sample'

/** What is written into the loops that use it. */
class Inline {
  /** Weights of four samples for a position between the second and the third. */
  @inline
  static weights(t: f32, cubic: bool): v128 {
    return f32x4.mul(cubic ? Four.cubic(f32x4.splat(t)) : f32x4(0, 1 - t, t, 0), f32x4.splat(scale))
  }

  /** A position of a row, within its limits. */
  @inline
  static place(x: f64): f64 {
    return Math.min(f64x2.extract_lane(most, 0), Math.max(f64x2.extract_lane(least, 0), x))
  }

  /** A pixel of four numbers. */
  @inline
  static pixel(row: usize, x: f64, cubic: bool): v128 {
    const place = Inline.place(x)
    const floor = Math.floor(place)
    const w = Inline.weights(<f32>(place - floor), cubic)
    const p = row + <usize>((<i32>floor - 1) * 16)
    return Four.sum(
      v128.load(p),
      v128.load(p, 16),
      v128.load(p, 32),
      v128.load(p, 48),
      v128.shuffle<f32>(w, w, 0, 0, 0, 0),
      v128.shuffle<f32>(w, w, 1, 1, 1, 1),
      v128.shuffle<f32>(w, w, 2, 2, 2, 2),
      v128.shuffle<f32>(w, w, 3, 3, 3, 3),
    )
  }

  /** A pixel of one number. */
  @inline
  static single(row: usize, x: f64, cubic: bool): f32 {
    const place = Inline.place(x)
    const floor = Math.floor(place)
    const near = v128.load(row + <usize>((<i32>floor - 1) * 4))
    return Four.total(f32x4.mul(near, Inline.weights(<f32>(place - floor), cubic)))
  }

  /** Four numbers of a plane, from four lines. */
  @inline
  static down(p: usize, line: usize, w0: v128, w1: v128, w2: v128, w3: v128): v128 {
    const q = p + line
    const r = q + line
    return Four.sum(v128.load(p), v128.load(q), v128.load(r), v128.load(r + line), w0, w1, w2, w3)
  }
}

/**
 * Row `y` of the tile at the positions x, x + step, …: `count` numbers and up to three more, of three planes where pixels have
 * more than one number, each `plane` bytes after the one before.
 */
export function acrossRow(y: i32, x: f64, step: f64, count: i32, cubic: bool, out: usize, plane: usize): void {
  const row = tile + <usize>(y * stride)
  for (let i = 0; i < count; i += 4, out += 16) {
    const x0 = x + step * <f64>i
    const x1 = x0 + step
    const x2 = x1 + step
    const x3 = x2 + step
    if (lanes === 1) {
      store<f32>(out, Inline.single(row, x0, cubic))
      store<f32>(out, Inline.single(row, x1, cubic), 4)
      store<f32>(out, Inline.single(row, x2, cubic), 8)
      store<f32>(out, Inline.single(row, x3, cubic), 12)
      continue
    }
    const a = Inline.pixel(row, x0, cubic)
    const b = Inline.pixel(row, x1, cubic)
    const c = Inline.pixel(row, x2, cubic)
    const d = Inline.pixel(row, x3, cubic)
    const left = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
    const right = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
    v128.store(out, v128.shuffle<f32>(left, right, 0, 1, 4, 5))
    v128.store(out + plane, v128.shuffle<f32>(left, right, 2, 3, 6, 7))
    const blue = v128.shuffle<f32>(v128.shuffle<f32>(a, b, 2, 6, 2, 6), v128.shuffle<f32>(c, d, 2, 6, 2, 6), 0, 1, 4, 5)
    v128.store(out + 2 * plane, blue)
  }
}

/**
 * Columns [from, to) of a row of the output, which lies at y + step · column between lines of `acrossRow`.
 *
 * @param lines From the tile's first row on, each `line` bytes after the one before.
 * @param out Where column `from` goes; up to three pixels more are written.
 */
export function downRow(
  y: f64,
  step: f64,
  from: i32,
  to: i32,
  cubic: bool,
  lines: usize,
  line: usize,
  plane: usize,
  out: usize,
): void {
  const low = f64x2.extract_lane(least, 1)
  const high = f64x2.extract_lane(most, 1)
  const steps = f32x4.splat(<f32>step)
  const size: usize = lanes === 1 ? 4 : 12
  let i = from
  while (i < to) {
    const floor = Math.floor(Math.min(high, Math.max(low, y + step * <f64>i)))
    // As far as the same four lines are needed.
    let end = <f64>to
    if (step > 0) end = Math.min(end, Math.ceil((floor + 1 - y) / step))
    else if (step < 0) end = Math.min(end, Math.floor((floor - y) / step) + 1)
    const last = max(i + 1, <i32>end)
    const first = lines + <usize>((<i32>floor - 1) * <i32>line)
    const behind = f32x4.splat(<f32>(y - floor))
    const lowest = f32x4.splat(<f32>(low - floor))
    const highest = f32x4.splat(<f32>(high - floor))
    for (let j = i; j < last; j += 4) {
      const columns = f32x4.add(f32x4.splat(<f32>j), f32x4(0, 1, 2, 3))
      const t = f32x4.pmin(highest, f32x4.pmax(lowest, f32x4.add(behind, f32x4.mul(columns, steps))))
      const w0 = cubic ? Four.cubicOf(0, t) : f32x4.splat(0)
      const w1 = cubic ? Four.cubicOf(1, t) : f32x4.sub(f32x4.splat(1), t)
      const w2 = cubic ? Four.cubicOf(2, t) : t
      const w3 = cubic ? Four.cubicOf(3, t) : f32x4.splat(0)
      const p = first + j * 4
      const place = out + <usize>(j - from) * size
      const red = Inline.down(p, line, w0, w1, w2, w3)
      if (lanes === 1) {
        v128.store(place, red)
        continue
      }
      const green = Inline.down(p + plane, line, w0, w1, w2, w3)
      const blue = Inline.down(p + 2 * plane, line, w0, w1, w2, w3)
      const lower = v128.shuffle<f32>(red, green, 0, 4, 1, 5)
      const upper = v128.shuffle<f32>(red, green, 2, 6, 3, 7)
      v128.store(place, v128.shuffle<f32>(lower, blue, 0, 1, 4, 2))
      v128.store(place, v128.shuffle<f32>(v128.shuffle<f32>(green, blue, 1, 5, 1, 5), upper, 0, 1, 4, 5), 16)
      v128.store(place, v128.shuffle<f32>(blue, upper, 2, 6, 7, 3), 32)
    }
    i = last
  }
}
