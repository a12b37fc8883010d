/*
 * Cuts the part of a source that a warp needs. Pixels of one channel stay single numbers; those of three or four become
 * four, so that one vector holds a pixel. The fourth of three is whatever comes next.
 */

import { expand, expandSingle } from './lines'

let source: usize = 0
/** Bytes of a sample. */
let kind: i32 = 0
let channels: i32 = 0
let width: i32 = 0
let height: i32 = 0
/** Column of the source at which lines begin; may lie outside. */
let firstX: i32 = 0
/** Whether `outside` lies beyond the source, or its nearest pixel. */
let bordered: bool = false
let outside: f32 = 0

/**
 * Writes block means, filtered with five taps across and down, to `out`: [rows, columns] pixels.
 *
 * @param from [sourceHeight, sourceWidth, sourceChannels] samples, with 16 bytes of any kind behind them.
 * @param x, y Where the first block begins in the source; may lie outside of it.
 * @param scratch Room for lines of floats: 2 of columns · blockX pixels, then 5 of columns pixels.
 */
export function gatherTile(
  from: usize,
  sampleKind: i32,
  sourceChannels: i32,
  sourceWidth: i32,
  sourceHeight: i32,
  x: i32,
  y: i32,
  blockX: i32,
  blockY: i32,
  columns: i32,
  rows: i32,
  hasOutside: bool,
  outsideValue: f32,
  centreX: f32,
  nearX: f32,
  farX: f32,
  centreY: f32,
  nearY: f32,
  farY: f32,
  out: usize,
  scratch: usize,
): void {
  source = from
  kind = sampleKind
  channels = sourceChannels
  width = sourceWidth
  height = sourceHeight
  firstX = x
  bordered = hasOutside
  outside = outsideValue
  const lane: i32 = channels === 1 ? 4 : 16
  const stride = columns * lane
  if (blockX === 1 && blockY === 1 && centreX === 1 && centreY === 1) {
    for (let j = 0; j < rows; j++) readLine(y + j, columns, out + j * stride)
    return
  }
  const length = columns * blockX
  const line = scratch
  const sum = line + length * lane
  const ring = sum + length * lane
  let ready = 0
  for (let j = 0; j < rows; j++) {
    for (; ready <= j + 2 && ready < rows; ready++) {
      readLine(y + ready * blockY, length, sum)
      for (let k = 1; k < blockY; k++) {
        readLine(y + ready * blockY + k, length, line)
        addTo(sum, line, length * lane)
      }
      if (blockX > 1 || blockY > 1) means(sum, columns, blockX, <f32>1 / <f32>(blockX * blockY), lane)
      filterAcross(sum, ring + (ready % 5) * stride, columns, lane, centreX, nearX, farX)
    }
    filterDown(ring, stride, rows, j, out + j * stride, centreY, nearY, farY)
  }
}

/** Writes `count` pixels of a row, which may lie outside, as floats. */
function readLine(y: i32, count: i32, to: usize): void {
  const lane: i32 = channels === 1 ? 4 : 16
  if (bordered && (y < 0 || y >= height)) {
    fill(to, count, lane)
    return
  }
  const row = source + <usize>(max(0, min(height - 1, y)) * width * channels * kind)
  const left = max(0, min(count, -firstX))
  const right = max(left, min(count, width - firstX))
  const first = row + (firstX + left) * channels * kind
  if (channels === 1) expandSingle(first, to + left * lane, right - left, kind)
  else expand(first, to + left * lane, right - left, kind, channels)
  if (bordered) {
    fill(to, left, lane)
    fill(to + right * lane, count - right, lane)
    return
  }
  repeat(row, to, left)
  repeat(row + (width - 1) * channels * kind, to + right * lane, count - right)
}

/** Writes the pixel at `from` as floats, `count` times. */
function repeat(from: usize, to: usize, count: i32): void {
  if (count === 0) return
  if (channels === 1) {
    expandSingle(from, to, 1, kind)
    for (let i = 1; i < count; i++) store<f32>(to + i * 4, load<f32>(to))
  } else {
    expand(from, to, 1, kind, channels)
    for (let i = 1; i < count; i++) v128.store(to + i * 16, v128.load(to))
  }
}

function fill(to: usize, count: i32, lane: i32): void {
  const end = to + count * lane
  for (; to < end; to += 4) store<f32>(to, outside)
}

/** Adds floats to others. */
function addTo(to: usize, from: usize, bytes: i32): void {
  let i = 0
  for (; i + 16 <= bytes; i += 16) v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)))
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(to + i) + load<f32>(from + i))
}

/** Means of `block` pixels side by side, in place. */
function means(line: usize, count: i32, block: i32, scale: f32, lane: i32): void {
  let from = line
  if (lane === 4) {
    for (let x = 0; x < count; x++) {
      let sum: f32 = 0
      for (let i = 0; i < block; i++, from += 4) sum += load<f32>(from)
      store<f32>(line + x * 4, sum * scale)
    }
    return
  }
  const scales = f32x4.splat(scale)
  for (let x = 0; x < count; x++) {
    let sum = v128.load(from)
    from += 16
    for (let i = 1; i < block; i++, from += 16) sum = f32x4.add(sum, v128.load(from))
    v128.store(line + x * 16, f32x4.mul(sum, scales))
  }
}

/** One line filtered with its neighbours; beyond the ends lie the end pixels. */
function filterAcross(line: usize, to: usize, count: i32, lane: i32, centre: f32, near: f32, far: f32): void {
  const centres = f32x4.splat(centre)
  const nears = f32x4.splat(near)
  const fars = f32x4.splat(far)
  const last = (count - 1) * lane
  const end = last - lane
  let i = 2 * lane
  for (; i + 16 <= end; i += 16) {
    const at = line + i
    const sides = f32x4.add(v128.load(at - lane), v128.load(at + lane))
    const beyond = f32x4.add(v128.load(at - 2 * lane), v128.load(at + 2 * lane))
    const inner = f32x4.add(f32x4.mul(v128.load(at), centres), f32x4.mul(sides, nears))
    v128.store(to + i, f32x4.add(inner, f32x4.mul(beyond, fars)))
  }
  // The ends, and what is left of single numbers.
  for (let k = 0; k < last + lane; k += 4) {
    if (k === 2 * lane && i > k) k = i
    const low = k % lane
    const high = last + low
    const sides = load<f32>(line + max(low, k - lane)) + load<f32>(line + min(high, k + lane))
    const beyond = load<f32>(line + max(low, k - 2 * lane)) + load<f32>(line + min(high, k + 2 * lane))
    store<f32>(to + k, load<f32>(line + k) * centre + sides * near + beyond * far)
  }
}

/** One of the rows in a ring of five, filtered with those above and below. */
function filterDown(ring: usize, stride: i32, rows: i32, j: i32, to: usize, centre: f32, near: f32, far: f32): void {
  const here = ring + (j % 5) * stride
  const above = ring + (max(0, j - 1) % 5) * stride
  const below = ring + (min(rows - 1, j + 1) % 5) * stride
  const higher = ring + (max(0, j - 2) % 5) * stride
  const lower = ring + (min(rows - 1, j + 2) % 5) * stride
  const centres = f32x4.splat(centre)
  const nears = f32x4.splat(near)
  const fars = f32x4.splat(far)
  let i = 0
  for (; i + 16 <= stride; i += 16) {
    const sides = f32x4.add(v128.load(above + i), v128.load(below + i))
    const beyond = f32x4.add(v128.load(higher + i), v128.load(lower + i))
    const inner = f32x4.add(f32x4.mul(v128.load(here + i), centres), f32x4.mul(sides, nears))
    v128.store(to + i, f32x4.add(inner, f32x4.mul(beyond, fars)))
  }
  for (; i < stride; i += 4) {
    const sides = load<f32>(above + i) + load<f32>(below + i)
    const beyond = load<f32>(higher + i) + load<f32>(lower + i)
    store<f32>(to + i, load<f32>(here + i) * centre + sides * near + beyond * far)
  }
}
