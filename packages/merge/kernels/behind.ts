/* What `keepBehind` does with each pixel: see there. */

/** As in `keepBehind`. */
const HEAD: f32 = 0.95
const BESIDE: f32 = 0.05

/** How near a pixel is to the surroundings' colour, as a share of the way to the head's: nearer than the first, it is behind. */
const BEHIND: f32 = 0.3
const BEFORE: f32 = 0.7

/** What is written into the loops that use it. */
class Inline {
  /** A pixel's first three samples as floats; the fourth is 0. */
  @inline
  static colour(at: usize, words: bool, gray: bool): v128 {
    const held = words ? v128.load64_zero(at) : i16x8.extend_low_i8x16_u(v128.load32_zero(at))
    const all = f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(held))
    const own = gray ? v128.shuffle<f32>(all, all, 0, 0, 0, 0) : all
    return f32x4.replace_lane(own, 3, 0)
  }

  @inline
  static times(v: v128, factor: f32): v128 {
    return f32x4.mul(v, f32x4.splat(factor))
  }

  @inline
  static sum(v: v128): f32 {
    return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 2)
  }

  /** Between two vectors that lie one after the other. */
  @inline
  static between(at: usize, share: f32): v128 {
    const first = v128.load(at)
    return f32x4.add(first, Inline.times(f32x4.sub(v128.load(at, 16), first), share))
  }
}

/** A row of a grid of three numbers each, between two of its rows, as vectors; less those of `less`, if there are any. */
function gridRow(grid: usize, side: i32, first: i32, share: f32, less: usize, out: usize): void {
  const bytes = side * 12
  let at = grid + first * bytes
  for (const end = out + side * 16; out < end; out += 16, at += 12) {
    const upper = v128.load(at)
    const row = f32x4.add(upper, Inline.times(f32x4.sub(v128.load(at + bytes), upper), share))
    v128.store(out, f32x4.replace_lane(less ? f32x4.sub(row, v128.load(less)) : row, 3, 0))
    if (less) less += 16
  }
}

/**
 * How far each pixel of a mask looks like what is beside the head.
 *
 * @param mask [side, side] floats. @param out The same, written.
 * @param frame [height, width, channels] bytes or words; `toFrame`: six doubles, pixels of the mask → pixels of the frame.
 * @param grid Side of the grids. `head`, `beside`: [grid, grid, 3] floats, colours 0..1; `sure`: [grid, grid] floats.
 * @param places For each column or row: the cell that it lies in, and the one before it, as 32-bit numbers; and the share of
 * the way from there to the next, as a float.
 * @param band, between [grid, grid] floats: pixels of the band, and of those the ones between the colours, are added.
 * @param spare Room for 2 x grid vectors.
 */
export function likenesses(
  side: i32,
  mask: usize,
  out: usize,
  frame: usize,
  width: i32,
  height: i32,
  channels: i32,
  words: bool,
  toFrame: usize,
  places: usize,
  grid: i32,
  sure: usize,
  head: usize,
  beside: usize,
  band: usize,
  between: usize,
  spare: usize,
): void {
  const cells = places
  const firsts = places + side * 4
  const shares = places + side * 8
  const besides = spare
  const steps = spare + grid * 16
  const size = words ? channels * 2 : channels
  const scale: f32 = words ? 1.0 / 65535 : 1.0 / 255
  const right = <f64>(width - 1)
  const bottom = <f64>(height - 1)
  for (let y = 0; y < side; y++) {
    const firstY = load<i32>(firsts + y * 4)
    const shareY = load<f32>(shares + y * 4)
    gridRow(beside, grid, firstY, shareY, 0, besides)
    gridRow(head, grid, firstY, shareY, besides, steps)
    const row = load<i32>(cells + y * 4) * grid
    const startX = load<f64>(toFrame + 8) * <f64>y + load<f64>(toFrame + 16)
    const startY = load<f64>(toFrame + 32) * <f64>y + load<f64>(toFrame + 40)
    for (let x = 0; x < side; x++, mask += 4, out += 4) {
      const m = load<f32>(mask)
      const inBand = m > BESIDE && m < HEAD
      const cell = (row + load<i32>(cells + x * 4)) * 4
      if (m === 0 || (!inBand && load<f32>(sure + cell) === 0)) {
        store<f32>(out, 0)
        continue
      }
      // What the frame shows: linear, and beyond its edge its nearest pixel.
      const u = min(right, max(0, load<f64>(toFrame) * <f64>x + startX))
      const v = min(bottom, max(0, load<f64>(toFrame + 24) * <f64>x + startY))
      const left = <i32>u
      const top = <i32>v
      const at = frame + (top * width + left) * size
      const across = left < width - 1 ? size : 0
      const down = top < height - 1 ? width * size : 0
      const fx = <f32>(u - <f64>left)
      const fy = <f32>(v - <f64>top)
      const gray = channels === 1
      const a = Inline.colour(at, words, gray)
      const upper = f32x4.add(a, Inline.times(f32x4.sub(Inline.colour(at + across, words, gray), a), fx))
      const c = Inline.colour(at + down, words, gray)
      const lower = f32x4.add(c, Inline.times(f32x4.sub(Inline.colour(at + down + across, words, gray), c), fx))
      const seen = Inline.times(f32x4.add(upper, Inline.times(f32x4.sub(lower, upper), fy)), scale)
      // As shares of the colours' distance: how far from what is beside, and how far along the straight way to the head.
      const place = load<i32>(firsts + x * 4) * 16
      const shareX = load<f32>(shares + x * 4)
      const step = Inline.between(steps + place, shareX)
      const own = f32x4.sub(seen, Inline.between(besides + place, shareX))
      const apart: f32 = 1e-6 + Inline.sum(f32x4.mul(step, step))
      const off = Mathf.sqrt(Inline.sum(f32x4.mul(own, own)) / apart)
      const t: f32 = min<f32>(1, max<f32>(0, (off - BEHIND) / (BEFORE - BEHIND)))
      store<f32>(out, 1 - t * t * (3 - 2 * t))
      if (!inBand) continue
      store<f32>(band + cell, load<f32>(band + cell) + 1)
      const way = Inline.sum(f32x4.mul(own, step)) / apart
      if (way > BEHIND && way < BEFORE) store<f32>(between + cell, load<f32>(between + cell) + 1)
    }
  }
}

/** Between four numbers of a grid. */
function cellsAt(cells: usize, grid: i32, places: usize, side: i32, x: i32, y: i32): f32 {
  const firsts = places + side * 4
  const shares = places + side * 8
  const at = cells + (load<i32>(firsts + y * 4) * grid + load<i32>(firsts + x * 4)) * 4
  const share = load<f32>(shares + x * 4)
  const upper = load<f32>(at) + (load<f32>(at, 4) - load<f32>(at)) * share
  const below = at + grid * 4
  const lower = load<f32>(below) + (load<f32>(below, 4) - load<f32>(below)) * share
  return upper + (lower - upper) * load<f32>(shares + y * 4)
}

/**
 * Takes a mask back, in place, where a pixel looks like what is beside the head and a way of such pixels leads out of the mask: as
 * much as the best way out does at its weakest place.
 *
 * @param mask, likeness [side, side] floats; the likeness is multiplied by what `sure` is there.
 * @param ways Room for [side + 2, side + 2] floats. @param list Room for 2 x side x side 32-bit numbers.
 */
export function connect(
  side: i32,
  mask: usize,
  likeness: usize,
  places: usize,
  grid: i32,
  sure: usize,
  ways: usize,
  list: usize,
): void {
  // With a row and a column of nothing all round, so that all pixels have neighbours.
  const stride = (side + 2) * 4
  memory.fill(ways, 0, (side + 2) * stride)
  let end = list
  for (let y = 0, i = 0; y < side; y++) {
    let way = ways + (y + 1) * stride + 4
    for (let x = 0; x < side; x++, i += 4, way += 4) {
      let like = load<f32>(likeness + i)
      if (like > 0) {
        like *= cellsAt(sure, grid, places, side, x, y)
        store<f32>(likeness + i, like)
      }
      if (load<f32>(mask + i) <= BESIDE) store<f32>(way, 1)
      else if (like !== 0) {
        // The places to decide on are few: only they are visited.
        store<i32>(end, i)
        store<i32>(end, <i32>way, 4)
        end += 8
      }
    }
  }
  // Two sweeps each way follow every way that does not wind: the band is narrow. Where a sweep back changes nothing, nor will the next.
  let changed = false
  for (let sweep = 0; sweep < 4 && (sweep < 2 || changed); sweep++) {
    changed = false
    const forward = sweep % 2 === 0
    const step = forward ? 4 : -4
    const row = forward ? stride : -stride
    for (let n = list; n < end; n += 8) {
      const place = forward ? n : end - 8 - (n - list)
      const way = load<i32>(place, 4)
      const known = load<f32>(way)
      const best = max(known, max(load<f32>(way - step), load<f32>(way - row)))
      const found = min(load<f32>(likeness + load<i32>(place)), best)
      if (found === known) continue
      store<f32>(way, found)
      changed = true
    }
  }
  for (let y = 0, i = 0; y < side; y++) {
    let way = ways + (y + 1) * stride + 4
    for (let x = 0; x < side; x++, i += 4, way += 4) {
      const m = load<f32>(mask + i)
      const behind = m <= BESIDE ? load<f32>(likeness + i) : load<f32>(way)
      store<f32>(mask + i, m * (1 - behind))
    }
  }
}
