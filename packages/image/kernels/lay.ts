/** Below this share nothing would change. */
const LEAST: f32 = 1 / 512

/** Halves are rounded up, though sums of floats may fall short of them by this much. */
const SHORT: f32 = 1 / 1024

/** A float of this size has no digits behind the point: what is added to it stands in its low bits, rounded. */
const WHOLE: f32 = 8388608

/**
 * Lays a row of colours over samples of a frame.
 *
 * @param colours [count, 3] floats.
 * @param alpha [count] how much of each counts; cut to 0..1, and to 0 below a 512th.
 * @param pixels [count, channels] bytes, or words, of which up to three change.
 */
export function layRow(count: i32, colours: usize, alpha: usize, pixels: usize, channels: i32, words: bool): void {
  const whole = f32x4.splat(WHOLE)
  const short = f32x4.splat(SHORT)
  const peak = f32x4.splat(words ? 65535 : 255)
  const one = f32x4.splat(1)
  const none = f32x4.splat(0)
  const size = words ? 2 * channels : channels
  for (const end = alpha + count * 4; alpha < end; alpha += 4, colours += 12, pixels += size) {
    const wanted = load<f32>(alpha)
    const share: f32 = wanted > LEAST ? (wanted < 1 ? wanted : 1) : 0
    if (share !== wanted) store<f32>(alpha, share)
    if (share === 0) continue
    const colour = f32x4.pmin(one, f32x4.pmax(none, v128.load(colours)))
    const held = words ? v128.load64_zero(pixels) : i16x8.extend_low_i8x16_u(v128.load32_zero(pixels))
    const old = f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(held))
    // The fourth number stays: it is alpha, or the next pixel's.
    const shares = f32x4.replace_lane(f32x4.splat(share), 3, 0)
    const mixed = f32x4.add(old, f32x4.mul(shares, f32x4.sub(f32x4.mul(colour, peak), old)))
    const rounded = f32x4.add(f32x4.add(mixed, short), whole)
    if (channels === 1) {
      if (words) store<u16>(pixels, <u16>i32x4.extract_lane(rounded, 0))
      else store<u8>(pixels, <u8>i32x4.extract_lane(rounded, 0))
    } else if (words) {
      v128.store64_lane(pixels, v128.shuffle<i16>(rounded, rounded, 0, 2, 4, 6, 0, 2, 4, 6), 0)
    } else {
      const packed = v128.shuffle<i8>(rounded, rounded, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12)
      v128.store32_lane(pixels, packed, 0)
    }
  }
}
