import { expand, expandSingle } from './lines'

/**
 * Writes a line at another width: [outWidth, channels] floats, and up to 12 bytes behind them.
 *
 * Pixel i is the sum of `taps` samples from the one at place i of `first` on, times its weights: 32-bit numbers, `taps` for
 * each pixel; of one channel a multiple of four.
 *
 * @param from [width, channels] samples of `kind` bytes each.
 * @param line Room for width + 4 pixels of one float or, of more channels, four.
 */
export function resizeLine(
  from: usize,
  kind: i32,
  channels: i32,
  width: i32,
  outWidth: i32,
  taps: i32,
  first: usize,
  weights: usize,
  line: usize,
  out: usize,
): void {
  // What lies behind the line is read with a weight of 0, and must be a number.
  if (channels === 1) {
    expandSingle(from, line, width, kind)
    memory.fill(line + width * 4, 0, 16)
    acrossSingle(line, out, outWidth, taps, first, weights)
  } else {
    expand(from, line, width, kind, channels)
    across(line, out, outWidth, taps, first, weights, channels * 4)
  }
}

/**
 * Writes the sum of weighted lines of floats.
 *
 * @param lines A ring of `taps` lines, `stride` bytes apart, in which the line of number n lies at place n % taps.
 * @param first, last The lines' numbers: from the first to the one before the last.
 * @param weights A float for each.
 */
export function sumLines(
  lines: usize,
  stride: i32,
  taps: i32,
  first: i32,
  last: i32,
  weights: usize,
  bytes: i32,
  out: usize,
): void {
  memory.fill(out, 0, bytes)
  for (let n = first; n < last; n++, weights += 4) {
    const weight = load<f32>(weights)
    if (weight !== 0) addScaled(out, lines + (n % taps) * stride, bytes, weight)
  }
}

/** Pixels of one number. */
function acrossSingle(line: usize, to: usize, count: i32, taps: i32, first: usize, weights: usize): void {
  for (let x = 0; x < count; x++, to += 4, first += 4) {
    const at = line + load<i32>(first) * 4
    let sum = f32x4.mul(v128.load(at), v128.load(weights))
    weights += 16
    for (let k = 4; k < taps; k += 4, weights += 16)
      sum = f32x4.add(sum, f32x4.mul(v128.load(at + k * 4), v128.load(weights)))
    const pairs = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1))
    store<f32>(to, f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1))
  }
}

/** Pixels of four numbers, of which `size` bytes are kept. */
function across(line: usize, to: usize, count: i32, taps: i32, first: usize, weights: usize, size: i32): void {
  for (let x = 0; x < count; x++, to += size, first += 4) {
    let at = line + load<i32>(first) * 16
    let sum = f32x4.splat(0)
    for (let k = 0; k < taps; k++, weights += 4, at += 16)
      sum = f32x4.add(sum, f32x4.mul(v128.load(at), v128.load32_splat(weights)))
    v128.store(to, sum)
  }
}

/** Adds scaled floats to others. */
function addScaled(to: usize, from: usize, bytes: i32, scale: f32): void {
  const scales = f32x4.splat(scale)
  let i = 0
  for (; i + 16 <= bytes; i += 16)
    v128.store(to + i, f32x4.add(v128.load(to + i), f32x4.mul(v128.load(from + i), scales)))
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(to + i) + load<f32>(from + i) * scale)
}
