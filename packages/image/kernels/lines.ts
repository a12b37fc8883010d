/* Reading samples as floats. Pixels of three or four samples become four, the fourth of three being whatever comes next. */

/** Kinds of samples: how many bytes each has. */
const BYTES = 1
const WORDS = 2

/** Pixels of three or four samples as vectors of floats. */
export function expand(from: usize, to: usize, count: i32, kind: i32, channels: i32): void {
  const step = channels * kind
  const end = to + count * 16
  if (kind === BYTES)
    for (; to < end; to += 16, from += step)
      v128.store(to, f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from)))))
  else if (kind === WORDS)
    for (; to < end; to += 16, from += step)
      v128.store(to, f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(v128.load64_zero(from))))
  else for (; to < end; to += 16, from += step) v128.store(to, v128.load(from))
}

/** Pixels of one sample as floats. */
export function expandSingle(from: usize, to: usize, count: i32, kind: i32): void {
  const end = to + count * 4
  if (kind === BYTES) for (; to < end; to += 4, from += 1) store<f32>(to, <f32>load<u8>(from))
  else if (kind === WORDS) for (; to < end; to += 4, from += 2) store<f32>(to, <f32>load<u16>(from))
  else memory.copy(to, from, count * 4)
}
