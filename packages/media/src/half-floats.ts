/** The value of each 16-bit float: 65,536 of them. Source: IEEE 754-2019, section 3.4 */
export function halfFloats(): Float32Array {
  return Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >> 10) & 31
    const fraction = bits & 1023
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
    return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14)
  })
}

const single = new Float32Array(1)
const bits = new Uint32Array(single.buffer)

/** The nearest 16-bit float, of two as near the even one; beyond the largest the number itself. Source: as above, 4.3.1 */
export function nearestHalf(value: number): number {
  if (value === 0 || !(Math.abs(value) < 65520)) return value
  // The smallest are as far apart as 32-bit floats from 0.5 to 1 are.
  if (Math.abs(value) < 2 ** -14) return Math.fround(value + 0.75) - 0.75
  single[0] = value
  bits[0] = (bits[0]! + 0xfff + ((bits[0]! >> 13) & 1)) & ~0x1fff
  return single[0]
}
