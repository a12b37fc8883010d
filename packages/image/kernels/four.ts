/* Weights and sums of four samples. Cubic ones are Catmull-Rom's: Keys 1981, https://doi.org/10.1109/TASSP.1981.1163711 (a = -0.5) */

/** Weights of the samples at -1, 0, 1 and 2 as polynomials: factors of t³, t², t and 1. */
const FACTORS = memory.data<f32>([-0.5, 1.5, -1.5, 0.5, 1, -2.5, 2, -0.5, -0.5, 0, 0.5, 0, 0, 1, 0, 0], 16)

/** What is written into the loops that use it. */
export class Four {
  /** Weights of four samples for a position between the second and the third; `t` in every lane. */
  @inline
  static cubic(t: v128): v128 {
    const a = f32x4.add(f32x4.mul(v128.load(FACTORS), t), v128.load(FACTORS, 16))
    const b = f32x4.add(f32x4.mul(a, t), v128.load(FACTORS, 32))
    return f32x4.add(f32x4.mul(b, t), v128.load(FACTORS, 48))
  }

  /** The weight of one of four samples for each of four positions. */
  @inline
  static cubicOf(sample: i32, t: v128): v128 {
    const a = f32x4.mul(v128.load32_splat(FACTORS + 4 * sample), t)
    const b = f32x4.mul(f32x4.add(a, v128.load32_splat(FACTORS + 4 * sample, 16)), t)
    const c = f32x4.mul(f32x4.add(b, v128.load32_splat(FACTORS + 4 * sample, 32)), t)
    return f32x4.add(c, v128.load32_splat(FACTORS + 4 * sample, 48))
  }

  /** Four vectors, side by side or one above the other, weighed. */
  @inline
  static sum(a: v128, b: v128, c: v128, d: v128, w0: v128, w1: v128, w2: v128, w3: v128): v128 {
    return f32x4.add(f32x4.add(f32x4.mul(a, w0), f32x4.mul(b, w1)), f32x4.add(f32x4.mul(c, w2), f32x4.mul(d, w3)))
  }
  /** The sum of a vector's four numbers. */
  @inline
  static total(v: v128): f32 {
    const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1))
    return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1)
  }
}
