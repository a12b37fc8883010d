/** Below this share nothing would change. */
const LEAST: f32 = 1 / 512

/** Halves are rounded up, though sums of floats may fall short of them by this much. */
const SHORT: f32 = 1 / 1024

/** A float of this size has no digits behind the point: what is added to it stands in its low bits, rounded. */
const WHOLE: f32 = 8388608

/** What is written into the loops that use it. */
class Inline {
  /** Samples with colours, 0..1, laid over: whole numbers in the low bits. A share of 0 leaves a sample as it is. */
  @inline
  static mixed(old: v128, colour: v128, shares: v128, peak: v128): v128 {
    const cut = f32x4.pmin(f32x4.splat(1), f32x4.pmax(f32x4.splat(0), colour))
    const sum = f32x4.add(old, f32x4.mul(shares, f32x4.sub(f32x4.mul(cut, peak), old)))
    return f32x4.add(f32x4.add(sum, f32x4.splat(SHORT)), f32x4.splat(WHOLE))
  }

  /** Four bytes as floats. */
  @inline
  static floats(bytes: v128): v128 {
    return f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)))
  }
}

/**
 * Lays a row of colours over samples of a frame.
 *
 * @param colours [count, 3] floats.
 * @param alpha [count] how much of each counts; cut to 0..1, and to 0 below a 512th.
 * @param pixels [count, channels] bytes, or words, of which up to three change.
 */
export function layRow(count: i32, colours: usize, alpha: usize, pixels: usize, channels: i32, words: bool): void {
  if (!words && channels === 3) {
    const fours = count & ~3
    layFours(fours, colours, alpha, pixels)
    layPixels(count - fours, colours + fours * 12, alpha + fours * 4, pixels + fours * 3, channels, words)
  } else layPixels(count, colours, alpha, pixels, channels, words)
}

/** Pixels of three bytes, four at once: one by one, each would wait for the one before, whose bytes it reads as well. */
function layFours(count: i32, colours: usize, alpha: usize, pixels: usize): void {
  const peak = f32x4.splat(255)
  const least = f32x4.splat(LEAST)
  const one = f32x4.splat(1)
  for (const end = alpha + count * 4; alpha < end; alpha += 16, colours += 48, pixels += 12) {
    const wanted = v128.load(alpha)
    const share = v128.and(f32x4.pmin(wanted, one), f32x4.gt(wanted, least))
    v128.store(alpha, share)
    if (!v128.any_true(share)) continue
    const held = v128.load(pixels)
    const a = Inline.mixed(Inline.floats(held), v128.load(colours), v128.shuffle<f32>(share, share, 0, 0, 0, 1), peak)
    const b = Inline.mixed(
      Inline.floats(v128.shuffle<i8>(held, held, 4, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
      v128.load(colours, 16),
      v128.shuffle<f32>(share, share, 1, 1, 2, 2),
      peak,
    )
    const c = Inline.mixed(
      Inline.floats(v128.shuffle<i8>(held, held, 8, 9, 10, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
      v128.load(colours, 32),
      v128.shuffle<f32>(share, share, 2, 3, 3, 3),
      peak,
    )
    const upper = v128.shuffle<i8>(a, b, 0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0)
    v128.store64_lane(pixels, upper, 0)
    v128.store32_lane(pixels, v128.shuffle<i8>(c, c, 0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0, 8)
  }
}

function layPixels(count: i32, colours: usize, alpha: usize, pixels: usize, channels: i32, words: bool): void {
  const peak = f32x4.splat(words ? 65535 : 255)
  const size = words ? 2 * channels : channels
  for (const end = alpha + count * 4; alpha < end; alpha += 4, colours += 12, pixels += size) {
    const wanted = load<f32>(alpha)
    const share: f32 = wanted > LEAST ? (wanted < 1 ? wanted : 1) : 0
    if (share !== wanted) store<f32>(alpha, share)
    if (share === 0) continue
    const held = words ? v128.load64_zero(pixels) : i16x8.extend_low_i8x16_u(v128.load32_zero(pixels))
    const old = f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(held))
    // The fourth number stays: it is alpha, or the next pixel's.
    const shares = f32x4.replace_lane(f32x4.splat(share), 3, 0)
    const rounded = Inline.mixed(old, v128.load(colours), shares, peak)
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
