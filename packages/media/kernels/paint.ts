/*
 * RGB painted over samples of video. Sums are doubles in a fixed order, so that a sample does not depend on where it lies in
 * a vector.
 */

import { repeatEnds } from './lines'

let words: bool = false
/** Channels of the bitmap. */
let channels: i32 = 0
/** What luma is made of. */
let lumaRed: f64 = 0
let lumaGreen: f64 = 0
let lumaBlue: f64 = 0
let lumaOffset: f64 = 0
/** The shares in luma of the colours that chroma is made of, and what their differences are scaled by. */
let red: f64 = 0
let green: f64 = 0
let blue: f64 = 0
let uScale: f64 = 0
let vScale: f64 = 0
let chromaOffset: f64 = 0
let highest: i32 = 0
/** Columns that share a sample of chroma as a power of two, and whether it sits on the left one. */
let shiftX: i32 = 0
let onLeft: bool = false

/** Sets how RGB of the bitmap becomes samples; the samples have bytes where `highest` is 255. */
export function usePaint(
  bitmapHasWords: bool,
  bitmapChannels: i32,
  kr: f64,
  kg: f64,
  kb: f64,
  lumaAdded: f64,
  redShare: f64,
  greenShare: f64,
  blueShare: f64,
  blueScale: f64,
  redScale: f64,
  chromaAdded: f64,
  highestSample: i32,
  chromaShiftX: i32,
  chromaOnLeft: bool,
): void {
  words = bitmapHasWords
  channels = bitmapChannels
  lumaRed = kr
  lumaGreen = kg
  lumaBlue = kb
  lumaOffset = lumaAdded
  red = redShare
  green = greenShare
  blue = blueShare
  uScale = blueScale
  vScale = redScale
  chromaOffset = chromaAdded
  highest = highestSample
  shiftX = chromaShiftX
  onLeft = chromaOnLeft
}

/** Twice a double that has no digits behind the point: what is added to it stands in its low bits. */
const WHOLE = memory.data<f64>([4503599627370496, 4503599627370496], 16)

class Inline {
  /** Sample `i` of the bitmap. */
  @inline
  static sample(row: usize, i: i32): i32 {
    return words ? <i32>load<u16>(row + i * 2) : <i32>load<u8>(row + i)
  }

  /** Four pixels of three bytes, as numbers of red, green << 8 and blue << 16. */
  @inline
  static four(row: usize): v128 {
    return v128.shuffle<i8>(v128.load(row), i32x4.splat(0), 0, 1, 2, 16, 3, 4, 5, 16, 6, 7, 8, 16, 9, 10, 11, 16)
  }

  /** Luma of two pixels: whole numbers in the low halves. */
  @inline
  static luma(r: v128, g: v128, b: v128): v128 {
    const sum = f64x2.add(
      f64x2.add(f64x2.mul(f64x2.splat(lumaRed), r), f64x2.mul(f64x2.splat(lumaGreen), g)),
      f64x2.mul(f64x2.splat(lumaBlue), b),
    )
    return f64x2.add(f64x2.floor(f64x2.add(sum, f64x2.splat(lumaOffset))), v128.load(WHOLE))
  }

  @inline
  static put(row: usize, i: i32, value: i32): void {
    if (highest === 255) store<u8>(row + i, <u8>value)
    else store<u16>(row + i * 2, <u16>value)
  }
}

/** Whether pixel `i` of two rows of bitmaps differs. */
function differs(now: usize, before: usize, i: i32): bool {
  for (let k = i * channels, end = k + min(3, channels); k < end; k++)
    if (Inline.sample(now, k) !== Inline.sample(before, k)) return true
  return false
}

/**
 * Paints `count` pixels of a bitmap's row over a row of luma.
 *
 * @param before The row as it was: pixels that are the same keep their sample; 0 where all count as changed.
 */
export function paintLuma(now: usize, before: usize, count: i32, luma: usize): void {
  let i = 0
  if (!words && channels === 3 && highest === 255) {
    const mask = i32x4.splat(255)
    for (; i + 4 <= count; i += 4) {
      const pixels = Inline.four(now + i * 3)
      const same = before ? i32x4.eq(pixels, Inline.four(before + i * 3)) : i32x4.splat(0)
      if (i32x4.all_true(same)) continue
      const r = v128.and(pixels, mask)
      const g = v128.and(i32x4.shr_u(pixels, 8), mask)
      const b = i32x4.shr_u(pixels, 16)
      const left = Inline.luma(f64x2.convert_low_i32x4_s(r), f64x2.convert_low_i32x4_s(g), f64x2.convert_low_i32x4_s(b))
      const right = Inline.luma(
        f64x2.convert_low_i32x4_s(v128.shuffle<i32>(r, r, 2, 3, 2, 3)),
        f64x2.convert_low_i32x4_s(v128.shuffle<i32>(g, g, 2, 3, 2, 3)),
        f64x2.convert_low_i32x4_s(v128.shuffle<i32>(b, b, 2, 3, 2, 3)),
      )
      const old = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(luma + i)))
      const all = v128.bitselect(old, v128.shuffle<i32>(left, right, 0, 2, 4, 6), same)
      v128.store32_lane(luma + i, v128.shuffle<i8>(all, all, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), 0)
    }
  }
  const g = channels === 1 ? 0 : 1
  const b = channels === 1 ? 0 : 2
  for (; i < count; i++) {
    if (before && !differs(now, before, i)) continue
    const at = i * channels
    const value =
      lumaRed * <f64>Inline.sample(now, at) +
      lumaGreen * <f64>Inline.sample(now, at + g) +
      lumaBlue * <f64>Inline.sample(now, at + b) +
      lumaOffset
    Inline.put(luma, i, <i32>value)
  }
}

/**
 * Writes `count` pixels of a bitmap's row from column `from` on; what lies beyond its ends is its end pixel.
 *
 * @param row `width` pixels, of which at least one is wanted.
 */
export function bitmapRow(row: usize, width: i32, from: i32, count: i32, to: usize): void {
  const size = channels * (words ? 2 : 1)
  const before = max(0, -from)
  const behind = max(0, from + count - width)
  memory.copy(to + before * size, row + (from + before) * size, (count - before - behind) * size)
  repeatEnds(to, size, count, before, behind)
}

/**
 * Adds two rows of a bitmap up, pixel by pixel: `sums` are [count] of red, then as many of green and of blue, with room for 4
 * more each; `changed` are not 0 where one of the two pixels was changed. Whether any was.
 */
export function sumColumns(
  upper: usize,
  lower: usize,
  upperBefore: usize,
  lowerBefore: usize,
  count: i32,
  sums: usize,
  changed: usize,
): bool {
  const plane: usize = (count + 4) * 4
  let any: i32 = 0
  let i = 0
  if (!words && channels === 3) {
    const mask = i32x4.splat(255)
    let some = i32x4.splat(0)
    for (; i + 4 <= count; i += 4) {
      const p = Inline.four(upper + i * 3)
      const q = Inline.four(lower + i * 3)
      const at = sums + i * 4
      v128.store(at, i32x4.add(v128.and(p, mask), v128.and(q, mask)))
      v128.store(at + plane, i32x4.add(v128.and(i32x4.shr_u(p, 8), mask), v128.and(i32x4.shr_u(q, 8), mask)))
      v128.store(at + 2 * plane, i32x4.add(i32x4.shr_u(p, 16), i32x4.shr_u(q, 16)))
      const now = upperBefore
        ? v128.or(i32x4.ne(p, Inline.four(upperBefore + i * 3)), i32x4.ne(q, Inline.four(lowerBefore + i * 3)))
        : i32x4.splat(-1)
      v128.store(changed + i * 4, now)
      some = v128.or(some, now)
    }
    if (v128.any_true(some)) any = 1
  }
  const g = channels === 1 ? 0 : 1
  const b = channels === 1 ? 0 : 2
  for (; i < count; i++) {
    const k = i * channels
    const at = sums + i * 4
    store<i32>(at, Inline.sample(upper, k) + Inline.sample(lower, k))
    store<i32>(at + plane, Inline.sample(upper, k + g) + Inline.sample(lower, k + g))
    store<i32>(at + 2 * plane, Inline.sample(upper, k + b) + Inline.sample(lower, k + b))
    const now = !upperBefore || differs(upper, upperBefore, i) || differs(lower, lowerBefore, i) ? -1 : 0
    store<i32>(changed + i * 4, now)
    any |= now
  }
  return any !== 0
}

/** What a colour of the columns from `at` on comes to in a sample of chroma. */
function colourOf(at: usize): f64 {
  const here = load<i32>(at)
  if (onLeft) return <f64>(2 * here + load<i32>(at - 4) + load<i32>(at + 4))
  return <f64>(shiftX ? here + load<i32>(at + 4) : here)
}

/**
 * Paints `count` samples of chroma that were touched, from sums whose first column lies before those of the first sample.
 */
export function paintChroma(sums: usize, changed: usize, count: i32, u: usize, v: usize): void {
  const columns = (count << shiftX) + 1
  const plane: usize = (columns + 4) * 4
  for (let c = 0; c < count; c++) {
    const k: usize = (1 + (c << shiftX)) * 4
    let touched = load<i32>(changed + k)
    if (shiftX) touched |= load<i32>(changed + k + 4)
    if (onLeft) touched |= load<i32>(changed + k - 4)
    if (touched === 0) continue
    const r = colourOf(sums + k)
    const g = colourOf(sums + plane + k)
    const b = colourOf(sums + 2 * plane + k)
    const luma = red * r + green * g + blue * b
    Inline.put(u, c, min(highest, <i32>(uScale * (b - luma) + chromaOffset)))
    Inline.put(v, c, min(highest, <i32>(vScale * (r - luma) + chromaOffset)))
  }
}
