/*
 * Colours between sRGB and CIE Lab, four pixels at once; a count is rounded up to fours, for which there must be room.
 *
 * Source: IEC 61966-2-1; CIE 15:2004. White D65.
 */

/** Rows of the matrices, scaled by the white point, so that white gives exactly X = Y = Z = 1. */
const TO_XYZ = memory.data<f32>([
  0.433887346, 0.376224009, 0.189888645, 0.212639006, 0.715168679, 0.0721923154, 0.0177500401, 0.109447621, 0.872802339,
])
const TO_RGB = memory.data<f32>([
  3.08039909, -1.53738318, -0.543015913, -0.921223359, 1.8759675, 0.0452558574, 0.052873939, -0.203976959, 1.15110302,
])

/*
 * Curves as polynomials of the fourth root, about the middle of what they are needed for, from the highest power down. Fitted to
 * the least largest error: below 1e-7, and 2e-7 with floats.
 */
/** q^1.6 about 0.774, for 0.548 to 1. */
const LINEAR: usize = memory.data<f32>([
  0.0204540073, -0.0271318048, 0.0413635275, -0.091572464, 0.531796511, 1.37203276, 0.663720965,
])
/** 1.055 q^(5/3) - 0.055 about 0.618, for 0.236 to 1. */
const GAMMA: usize = memory.data<f32>([
  0.0922164289, -0.0722352498, 0.0381476719, -0.0470761096, 0.0671857264, -0.123856841, 0.688088032, 1.2757358,
  0.418042273,
])
/** q^(4/3) about 0.653, for 0.306 to 1. */
const CUBE_ROOT: usize = memory.data<f32>([
  0.0889266849, -0.0724385653, 0.0444316446, -0.0501406708, 0.0643477, -0.100551715, 0.295238047, 1.15676037,
  0.566523051,
])

/** Where the cube root of CIE Lab gives way to a line, and that line. */
const EPSILON: f32 = 216.0 / 24389.0
const SLOPE: f32 = 24389.0 / 27.0 / 116.0
const FOOT: f32 = 16.0 / 116.0

/** A curve that has to be computed in full. */
enum Curve {
  Linear,
  Gamma,
  CubeRoot,
}

/** What is written into the loops that use it. */
class Inline {
  @inline
  static times(v: v128, factor: f32): v128 {
    return f32x4.mul(v, f32x4.splat(factor))
  }

  /** A step of Horner's rule. */
  @inline
  static next(sum: v128, u: v128, at: usize): v128 {
    return f32x4.add(f32x4.mul(sum, u), v128.load32_splat(at))
  }

  /** A polynomial of degree six, or eight. */
  @inline
  static six(u: v128, at: usize): v128 {
    let sum = Inline.next(v128.load32_splat(at), u, at + 4)
    sum = Inline.next(sum, u, at + 8)
    sum = Inline.next(sum, u, at + 12)
    sum = Inline.next(sum, u, at + 16)
    sum = Inline.next(sum, u, at + 20)
    return Inline.next(sum, u, at + 24)
  }

  @inline
  static eight(u: v128, at: usize): v128 {
    return Inline.next(Inline.next(Inline.six(u, at), u, at + 28), u, at + 32)
  }

  /** A fourth root less the middle of a polynomial's range. */
  @inline
  static fourthRoot(v: v128, middle: f32): v128 {
    return f32x4.sub(f32x4.sqrt(f32x4.sqrt(v)), f32x4.splat(middle))
  }

  /** Light of an sRGB value up to 1. */
  @inline
  static linear(v: v128): v128 {
    const t = Inline.times(f32x4.add(v, f32x4.splat(0.055)), 1 / 1.055)
    const curve = f32x4.mul(f32x4.mul(t, t), Inline.six(Inline.fourthRoot(t, 0.774), LINEAR))
    return v128.bitselect(Inline.times(v, 1 / 12.92), curve, f32x4.le(v, f32x4.splat(0.04045)))
  }

  /** The sRGB value of light up to 1. */
  @inline
  static gamma(v: v128): v128 {
    const curve = Inline.eight(Inline.fourthRoot(v, 0.618), GAMMA)
    return v128.bitselect(Inline.times(v, 12.92), curve, f32x4.le(v, f32x4.splat(0.0031308)))
  }

  /** CIE Lab's curve of a share of white up to 1. */
  @inline
  static curve(t: v128): v128 {
    const line = f32x4.add(Inline.times(t, SLOPE), f32x4.splat(FOOT))
    const root = Inline.eight(Inline.fourthRoot(t, 0.653), CUBE_ROOT)
    return v128.bitselect(root, line, f32x4.gt(t, f32x4.splat(EPSILON)))
  }

  /** What CIE Lab's curve makes `f` of. */
  @inline
  static back(f: v128): v128 {
    const cube = f32x4.mul(f32x4.mul(f, f), f)
    const line = Inline.times(f32x4.sub(f, f32x4.splat(FOOT)), 1 / SLOPE)
    return v128.bitselect(cube, line, f32x4.gt(cube, f32x4.splat(EPSILON)))
  }

  /** A row of a matrix times three numbers. */
  @inline
  static row(at: usize, x: v128, y: v128, z: v128): v128 {
    const first = f32x4.mul(x, v128.load32_splat(at))
    const second = f32x4.mul(y, v128.load32_splat(at, 4))
    return f32x4.add(f32x4.add(first, second), f32x4.mul(z, v128.load32_splat(at, 8)))
  }

  /** Whether any of three times four numbers is above 1. */
  @inline
  static above(a: v128, b: v128, c: v128): bool {
    return v128.any_true(f32x4.gt(f32x4.max(f32x4.max(a, b), c), f32x4.splat(1)))
  }

  /** The first, second or third channel of four pixels that lie one after the other. */
  @inline
  static first(at: usize): v128 {
    return v128.shuffle<f32>(
      v128.shuffle<f32>(v128.load(at), v128.load(at, 16), 0, 3, 6, 6),
      v128.load(at, 32),
      0,
      1,
      2,
      5,
    )
  }

  @inline
  static second(at: usize): v128 {
    return v128.shuffle<f32>(
      v128.shuffle<f32>(v128.load(at), v128.load(at, 16), 1, 4, 7, 7),
      v128.load(at, 32),
      0,
      1,
      2,
      6,
    )
  }

  @inline
  static third(at: usize): v128 {
    return v128.shuffle<f32>(
      v128.shuffle<f32>(v128.load(at), v128.load(at, 16), 2, 5, 5, 5),
      v128.load(at, 32),
      0,
      1,
      4,
      7,
    )
  }

  /** Writes three channels of four pixels. */
  @inline
  static store(at: usize, x: v128, y: v128, z: v128): void {
    const left = v128.shuffle<f32>(x, y, 0, 4, 1, 5)
    const right = v128.shuffle<f32>(x, y, 2, 6, 3, 7)
    v128.store(at, v128.shuffle<f32>(left, z, 0, 1, 4, 2))
    v128.store(at, v128.shuffle<f32>(v128.shuffle<f32>(left, z, 3, 5, 5, 5), right, 0, 1, 4, 5), 16)
    v128.store(at, v128.shuffle<f32>(right, z, 6, 2, 3, 7), 32)
  }
}

/**
 * sRGB pixels to CIE Lab, in place.
 *
 * @param pixels [count, 3] floats.
 * @param where [count] floats: where they are 0, the result is 0; all pixels count if it is 0 itself.
 */
export function toLab(count: i32, pixels: usize, where: usize): void {
  for (const end = pixels + count * 12; pixels < end; pixels += 48) {
    let counts = i32x4.splat(-1)
    if (where) {
      counts = f32x4.ne(v128.load(where), f32x4.splat(0))
      where += 16
    }
    if (!v128.any_true(counts)) {
      memory.fill(pixels, 0, 48)
      continue
    }
    const red = Inline.first(pixels)
    const green = Inline.second(pixels)
    const blue = Inline.third(pixels)
    let r = Inline.linear(red)
    let g = Inline.linear(green)
    let b = Inline.linear(blue)
    const bright = Inline.above(red, green, blue)
    if (bright) {
      r = inFull(red, r, Curve.Linear)
      g = inFull(green, g, Curve.Linear)
      b = inFull(blue, b, Curve.Linear)
    }
    const x = Inline.row(TO_XYZ, r, g, b)
    const y = Inline.row(TO_XYZ + 12, r, g, b)
    const z = Inline.row(TO_XYZ + 24, r, g, b)
    let fx = Inline.curve(x)
    let fy = Inline.curve(y)
    let fz = Inline.curve(z)
    if (bright) {
      fx = inFull(x, fx, Curve.CubeRoot)
      fy = inFull(y, fy, Curve.CubeRoot)
      fz = inFull(z, fz, Curve.CubeRoot)
    }
    const lightness = f32x4.sub(Inline.times(fy, 116), f32x4.splat(16))
    const a = Inline.times(f32x4.sub(fx, fy), 500)
    const bb = Inline.times(f32x4.sub(fy, fz), 200)
    Inline.store(pixels, v128.and(lightness, counts), v128.and(a, counts), v128.and(bb, counts))
  }
}

/** CIE Lab pixels to sRGB, in place, not clamped: [count, 3] floats. */
export function fromLab(count: i32, pixels: usize): void {
  for (const end = pixels + count * 12; pixels < end; pixels += 48) {
    const f = Inline.times(f32x4.add(Inline.first(pixels), f32x4.splat(16)), 1.0 / 116)
    const x = Inline.back(f32x4.add(f, Inline.times(Inline.second(pixels), 1.0 / 500)))
    const y = Inline.back(f)
    const z = Inline.back(f32x4.sub(f, Inline.times(Inline.third(pixels), 1.0 / 200)))
    const red = Inline.row(TO_RGB, x, y, z)
    const green = Inline.row(TO_RGB + 12, x, y, z)
    const blue = Inline.row(TO_RGB + 24, x, y, z)
    let r = Inline.gamma(red)
    let g = Inline.gamma(green)
    let b = Inline.gamma(blue)
    if (Inline.above(red, green, blue)) {
      r = inFull(red, r, Curve.Gamma)
      g = inFull(green, g, Curve.Gamma)
      b = inFull(blue, b, Curve.Gamma)
    }
    Inline.store(pixels, r, g, b)
  }
}

/** Beyond 1 the polynomials do not hold: there a curve is computed in full, four numbers one by one. */
function inFull(from: v128, to: v128, kind: Curve): v128 {
  let out = f32x4.replace_lane(to, 0, above(f32x4.extract_lane(from, 0), f32x4.extract_lane(to, 0), kind))
  out = f32x4.replace_lane(out, 1, above(f32x4.extract_lane(from, 1), f32x4.extract_lane(to, 1), kind))
  out = f32x4.replace_lane(out, 2, above(f32x4.extract_lane(from, 2), f32x4.extract_lane(to, 2), kind))
  return f32x4.replace_lane(out, 3, above(f32x4.extract_lane(from, 3), f32x4.extract_lane(to, 3), kind))
}

function above(v: f32, known: f32, kind: Curve): f32 {
  if (!(v > 1)) return known
  if (kind === Curve.Linear) return Mathf.pow((v + 0.055) / 1.055, 2.4)
  return kind === Curve.Gamma ? 1.055 * Mathf.pow(v, 1.0 / 2.4) - 0.055 : Mathf.cbrt(v)
}
