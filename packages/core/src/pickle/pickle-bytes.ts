/** Reads a pickle from its first byte to its last, in the forms that its instructions use. */
export interface ByteReader {
  /** Whole numbers without sign, little-endian. */
  u8(): number
  u16(): number
  u32(): number
  u64(): number
  /** With sign, little-endian. */
  i32(): number
  /** Big-endian, as only floats are. */
  f64(): number
  /** A copy of so many bytes. */
  raw(length: number): Uint8Array
  utf8(length: number): string
  latin1(length: number): string
  /** Up to the next end of line, which is left out. */
  line(): string
  /** A whole number with sign in so many bytes, little-endian. */
  long(length: number): number
}

/** A reader at the first byte. @param refuse Throws; called where bytes are wanted that are not there. */
export function byteReader(bytes: Uint8Array, refuse: (got: string) => never): ByteReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const take = (length: number): number => {
    const from = at
    if (!(length >= 0) || length > bytes.length - at) refuse('a file that ends too early')
    at += length
    return from
  }
  const raw = (length: number) => new Uint8Array(bytes.subarray(take(length), at))
  return {
    u8: () => view.getUint8(take(1)),
    u16: () => view.getUint16(take(2), true),
    u32: () => view.getUint32(take(4), true),
    u64: () => Number(view.getBigUint64(take(8), true)),
    i32: () => view.getInt32(take(4), true),
    f64: () => view.getFloat64(take(8), false),
    raw,
    utf8: (length) => buffer.toString('utf8', take(length), at),
    latin1: (length) => buffer.toString('latin1', take(length), at),
    line() {
      const end = buffer.indexOf(10, at)
      if (end < 0) refuse('a file that ends too early')
      const from = take(end + 1 - at)
      return buffer.toString('latin1', from, end)
    },
    long(length) {
      if (length > 64) refuse('a number of more than 64 bytes')
      const digits = raw(length)
      let out = 0n
      for (let i = digits.length - 1; i >= 0; i--) out = (out << 8n) | BigInt(digits[i]!)
      if (digits.length > 0 && digits[digits.length - 1]! & 0x80) out -= 1n << BigInt(8 * digits.length)
      return Number(out)
    },
  }
}
