/*
 * A recursive filter over lines of floats, four lines at once. Its state is doubles: it feeds on its own rounding.
 */

let f0: f64 = 0
let f1: f64 = 0
let fd1: f64 = 0
let fd2: f64 = 0
let s0: f64 = 0
let s1: f64 = 0
let sd1: f64 = 0
let sd2: f64 = 0
let norm: f64 = 0
let firstGain: f64 = 0
let secondGain: f64 = 0
let replicate: bool = false

/**
 * Filters `lines` lines in place by two sections of second order, forwards and backwards, and sums them up.
 *
 * Line k begins at (k / group) · far + (k % group) · 4 bytes behind `data`, its samples are `step` bytes apart.
 *
 * @param fit The filter: eight factors, what the sum is scaled by, and what both sections lead a constant 1 to, as doubles.
 * @param repeats Whether beyond the ends lies the end sample, or 0.
 * @param scratch Room for 8 · length doubles.
 */
export function blurLines(
  data: usize,
  lines: i32,
  group: i32,
  far: i32,
  step: i32,
  length: i32,
  fit: usize,
  repeats: bool,
  scratch: usize,
): void {
  f0 = load<f64>(fit)
  f1 = load<f64>(fit, 8)
  fd1 = load<f64>(fit, 16)
  fd2 = load<f64>(fit, 24)
  s0 = load<f64>(fit, 32)
  s1 = load<f64>(fit, 40)
  sd1 = load<f64>(fit, 48)
  sd2 = load<f64>(fit, 56)
  norm = load<f64>(fit, 64)
  firstGain = load<f64>(fit, 72)
  secondGain = load<f64>(fit, 80)
  replicate = repeats
  const causal = scratch + length * 32
  for (let k = 0; k < lines; k += 4) {
    // The last lines may count more than once.
    const a = placeOf(data, k, group, far)
    const b = placeOf(data, min(lines - 1, k + 1), group, far)
    const c = placeOf(data, min(lines - 1, k + 2), group, far)
    const d = placeOf(data, min(lines - 1, k + 3), group, far)
    for (let i = 0, at: i32 = 0; i < length; i++, at += step) {
      const to = scratch + i * 32
      store<f64>(to, <f64>load<f32>(a + at))
      store<f64>(to, <f64>load<f32>(b + at), 8)
      store<f64>(to, <f64>load<f32>(c + at), 16)
      store<f64>(to, <f64>load<f32>(d + at), 24)
    }
    blurPair(scratch, causal, length)
    blurPair(scratch + 16, causal + 16, length)
    for (let i = 0, at: i32 = 0; i < length; i++, at += step) {
      const from = scratch + i * 32
      store<f32>(a + at, <f32>load<f64>(from))
      store<f32>(b + at, <f32>load<f64>(from, 8))
      store<f32>(c + at, <f32>load<f64>(from, 16))
      store<f32>(d + at, <f32>load<f64>(from, 24))
    }
  }
}

function placeOf(data: usize, line: i32, group: i32, far: i32): usize {
  return data + (line / group) * far + (line % group) * 4
}

/** What is written into the loops that use it. */
class Inline {
  /** The next value of a section: from a sample and the one before, and from the section's last two values. */
  @inline
  static section(x: v128, x1: v128, y1: v128, y2: v128, n0: v128, n1: v128, d1: v128, d2: v128): v128 {
    return f64x2.sub(f64x2.sub(f64x2.add(f64x2.mul(n0, x), f64x2.mul(n1, x1)), f64x2.mul(d1, y1)), f64x2.mul(d2, y2))
  }
}

/** Filters two of four lines that lie side by side. */
function blurPair(line: usize, causal: usize, length: i32): void {
  const a0 = f64x2.splat(f0)
  const a1 = f64x2.splat(f1)
  const ad1 = f64x2.splat(fd1)
  const ad2 = f64x2.splat(fd2)
  const b0 = f64x2.splat(s0)
  const b1 = f64x2.splat(s1)
  const bd1 = f64x2.splat(sd1)
  const bd2 = f64x2.splat(sd2)
  const both = f64x2.splat(f0 + s0)
  const scale = f64x2.splat(norm)
  let x1 = replicate ? v128.load(line) : f64x2.splat(0)
  let u1 = f64x2.mul(x1, f64x2.splat(firstGain))
  let u2 = u1
  let v1 = f64x2.mul(x1, f64x2.splat(secondGain))
  let v2 = v1
  for (let i = 0; i < length; i++) {
    const x = v128.load(line + i * 32)
    const u = Inline.section(x, x1, u1, u2, a0, a1, ad1, ad2)
    const v = Inline.section(x, x1, v1, v2, b0, b1, bd1, bd2)
    v128.store(causal + i * 32, f64x2.add(u, v))
    x1 = x
    u2 = u1
    u1 = u
    v2 = v1
    v1 = v
  }
  x1 = replicate ? v128.load(line + (length - 1) * 32) : f64x2.splat(0)
  u1 = f64x2.mul(x1, f64x2.splat(firstGain))
  u2 = u1
  v1 = f64x2.mul(x1, f64x2.splat(secondGain))
  v2 = v1
  for (let i = length - 1; i >= 0; i--) {
    const x = v128.load(line + i * 32)
    const u = Inline.section(x, x1, u1, u2, a0, a1, ad1, ad2)
    const v = Inline.section(x, x1, v1, v2, b0, b1, bd1, bd2)
    const sum = f64x2.sub(f64x2.add(f64x2.add(v128.load(causal + i * 32), u), v), f64x2.mul(both, x))
    v128.store(line + i * 32, f64x2.mul(sum, scale))
    x1 = x
    u2 = u1
    u1 = u
    v2 = v1
    v1 = v
  }
}
