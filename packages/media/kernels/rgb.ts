/* Rows of luma and chroma as RGB bytes, in fixed point. */

import { repeatEnds } from './lines'

let words: bool = false
let shift: i32 = 0
let round: i32 = 0
let yFactor: i32 = 0
let rv: i32 = 0
let gu: i32 = 0
let gv: i32 = 0
let bu: i32 = 0

/** Sets how samples become RGB: factors of luma that carry 2^shift, of chroma a 16th of that. */
export function useFactors(
  hasWords: bool,
  lumaShift: i32,
  lumaRound: i32,
  y: i32,
  redOfV: i32,
  greenOfU: i32,
  greenOfV: i32,
  blueOfU: i32,
): void {
  words = hasWords
  shift = lumaShift
  round = lumaRound
  yFactor = y
  rv = redOfV
  gu = greenOfU
  gv = greenOfV
  bu = blueOfU
}

class Inline {
  /** Four samples of a row from the one at `i` on. */
  @inline
  static four(row: usize, i: i32, hasWords: bool): v128 {
    return hasWords
      ? i32x4.extend_low_i16x8_u(v128.load64_zero(row + i * 2))
      : i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(row + i)))
  }

  /** Whole numbers cut to bytes. */
  @inline
  static byte(v: v128): v128 {
    return i32x4.min_s(i32x4.splat(255), i32x4.max_s(i32x4.splat(0), v))
  }
}

/**
 * Writes `count` samples of a row of chroma from the one at `from` on, with one more on either side; where the picture ends,
 * its last one counts again.
 *
 * @param size Bytes of a sample.
 */
export function chromaSamples(from: usize, size: i32, count: i32, isFirst: bool, isLast: bool, to: usize): void {
  memory.copy(to, from - size, (count + 2) * size)
  repeatEnds(to, size, count + 2, isFirst ? 1 : 0, isLast ? 1 : 0)
}

/**
 * Chroma between its samples, times 16 and less `zero`, for pixels side by side: 3 parts of the nearer row of samples and 1 of
 * the farther, and linear between two columns.
 *
 * @param near, far Rows whose first sample lies before the first that counts, and whose last lies behind the last.
 * @param count Samples of chroma that count.
 * @param shared Whether two columns share a sample: in the middle of both where `center`, else on the left one.
 * @param sums Room for count + 8 whole numbers.
 */
export function chromaRow(
  near: usize,
  far: usize,
  hasWords: bool,
  count: i32,
  shared: bool,
  center: bool,
  zero: i32,
  sums: usize,
  out: usize,
): void {
  const zeros = i32x4.splat(zero)
  const three = i32x4.splat(3)
  for (let i = 0; i < count + 2; i += 4)
    v128.store(
      sums + i * 4,
      i32x4.sub(i32x4.add(i32x4.mul(Inline.four(near, i, hasWords), three), Inline.four(far, i, hasWords)), zeros),
    )
  for (let i = 0; i < count; i += 4) {
    const here = v128.load(sums + i * 4, 4)
    if (!shared) {
      v128.store(out + i * 4, i32x4.shl(here, 2))
      continue
    }
    const after = v128.load(sums + i * 4, 8)
    const tripled = i32x4.mul(here, three)
    const left = center ? i32x4.add(tripled, v128.load(sums + i * 4)) : i32x4.shl(here, 2)
    const right = center ? i32x4.add(tripled, after) : i32x4.shl(i32x4.add(here, after), 1)
    v128.store(out + i * 8, v128.shuffle<i32>(left, right, 0, 4, 1, 5))
    v128.store(out + i * 8, v128.shuffle<i32>(left, right, 2, 6, 3, 7), 16)
  }
}

/** RGB bytes of `count` pixels; `u` and `v` are rows of `chromaRow`. Writes up to 16 bytes too many. */
export function rgbRow(luma: usize, u: usize, v: usize, count: i32, out: usize): void {
  const factor = i32x4.splat(yFactor)
  const rounds = i32x4.splat(round)
  const redV = i32x4.splat(rv)
  const greenU = i32x4.splat(gu)
  const greenV = i32x4.splat(gv)
  const blueU = i32x4.splat(bu)
  for (let i = 0; i < count; i += 4, out += 12) {
    const light = i32x4.add(i32x4.mul(Inline.four(luma, i, words), factor), rounds)
    const us = v128.load(u + i * 4)
    const vs = v128.load(v + i * 4)
    const red = Inline.byte(i32x4.shr_s(i32x4.add(light, i32x4.mul(redV, vs)), shift))
    const less = i32x4.add(i32x4.mul(greenU, us), i32x4.mul(greenV, vs))
    const green = Inline.byte(i32x4.shr_s(i32x4.sub(light, less), shift))
    const blue = Inline.byte(i32x4.shr_s(i32x4.add(light, i32x4.mul(blueU, us)), shift))
    const all = v128.or(v128.or(red, i32x4.shl(green, 8)), i32x4.shl(blue, 16))
    v128.store(out, v128.shuffle<i8>(all, all, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0))
  }
}
