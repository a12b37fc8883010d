/** The value of the last bit of a 16-bit float, by its exponent. */
const UNITS = Array.from({ length: 31 }, (_, exponent) => 2 ** (Math.max(1, exponent) - 25))

/** The value of a 16-bit float given by its bits. Source: IEEE 754-2008, binary16. */
export function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : bits >> 15 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  const size = (exponent === 0 ? fraction : 1024 + fraction) * UNITS[exponent]!
  return bits >> 15 ? -size : size
}

/** The values of many. */
export function halvesToNumbers(halves: Uint16Array): Float32Array {
  const words = new Uint32Array(halves.length)
  const out = new Float32Array(words.buffer)
  for (let i = 0; i < halves.length; i++) {
    const bits = halves[i]!
    const exponent = bits & 0x7c00
    // Between the least and the greatest exponent the same bits stand for the same value, moved and counted from elsewhere.
    if (exponent !== 0 && exponent !== 0x7c00)
      words[i] = ((bits & 0x8000) << 16) | (((bits & 0x7fff) << 13) + 0x38000000)
    else out[i] = halfToNumber(bits)
  }
  return out
}

/**
 * The bits of the 16-bit float nearest to a number, ties to even; what is too large becomes the largest.
 *
 * Source: IEEE 754-2008, binary16.
 */
export function numberToHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.min(Math.abs(value), 65504)
  if (size < 2 ** -24 / 2) return sign
  const exponent = Math.max(-14, Math.floor(Math.log2(size)))
  const scaled = (size / 2 ** exponent) * 1024 // 1024..2047, or less where it is subnormal
  const low = Math.floor(scaled)
  const rest = scaled - low
  const mantissa = rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low
  return sign + (exponent + 14) * 1024 + mantissa // a mantissa of 2048 carries into the exponent by itself
}
