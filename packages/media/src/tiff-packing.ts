/** Bytes packed with TIFF's LZW, unpacked: at most `length` of them. Source: TIFF Revision 6.0, section 13 */
export function unpackLzw(packed: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length)
  const CLEAR = 256
  const END = 257
  // Each code is the string of another one and a byte after it.
  const before = new Uint16Array(4096)
  const last = new Uint8Array(4096)
  const lengths = new Uint16Array(4096)
  for (let i = 0; i < 256; i++) [last[i], lengths[i]] = [i, 1]
  let next = 258
  let width = 9
  let previous = -1
  let at = 0
  let bits = 0
  let held = 0
  let input = 0
  const put = (code: number): number => {
    const size = lengths[code]!
    let first = 0
    for (let c = code, i = at + size - 1; i >= at; c = before[c]!, i--) {
      first = last[c]!
      if (i < length) out[i] = first
    }
    at += size
    return first
  }
  while (at < length) {
    while (bits < width && input < packed.length) {
      held = ((held << 8) | packed[input++]!) & 0xffffff
      bits += 8
    }
    if (bits < width) break
    const code = (held >> (bits - width)) & ((1 << width) - 1)
    bits -= width
    if (code === END) break
    if (code === CLEAR) {
      next = 258
      width = 9
      previous = -1
      continue
    }
    if (previous < 0) {
      if (code > 255) throw new Error('LZW data begins in the middle')
      put(code)
    } else if (code < next) {
      const first = put(code)
      if (next < 4096) add(next++, previous, first)
    } else {
      if (code !== next || next >= 4096) throw new Error('LZW data is damaged')
      let c = previous
      while (lengths[c]! > 1) c = before[c]!
      add(next++, previous, last[c]!)
      put(code)
    }
    previous = code
    // TIFF widens one code early.
    if (next + 1 >= 1 << width && width < 12) width++
  }
  return out.subarray(0, Math.min(at, length))

  function add(code: number, string: number, byte: number) {
    before[code] = string
    last[code] = byte
    lengths[code] = lengths[string]! + 1
  }
}

/** Writes a row of floats as differences of their bytes, most significant bytes first. Source: Adobe TIFF Technical Note 3 */
export function floatPredictor(row: Float32Array, channels: number, to: Uint8Array): void {
  const from = new DataView(row.buffer, row.byteOffset, row.byteLength)
  const count = row.length
  for (let i = 0; i < count; i++) for (let b = 0; b < 4; b++) to[b * count + i] = from.getUint8(i * 4 + 3 - b)
  for (let i = to.length - 1; i >= channels; i--) to[i] = to[i]! - to[i - channels]!
}

/** The row that such differences were made of, its floats with their most significant byte first. */
export function undoFloatPredictor(row: Uint8Array, channels: number, bytesEach: number): Uint8Array {
  const sums = row.slice()
  for (let i = channels; i < sums.length; i++) sums[i] = sums[i]! + sums[i - channels]!
  const out = new Uint8Array(row.length)
  const count = row.length / bytesEach
  for (let i = 0; i < count; i++) for (let b = 0; b < bytesEach; b++) out[i * bytesEach + b] = sums[b * count + i]!
  return out
}

/** Undoes differences between whole samples of a row, in place. */
export function integerPredictor(
  row: DataView,
  { each, bytesEach, little }: { each: number; bytesEach: number; little: boolean },
): void {
  for (let at = each * bytesEach; at < row.byteLength; at += bytesEach) {
    const before = at - each * bytesEach
    if (bytesEach === 2) row.setUint16(at, row.getUint16(at, little) + row.getUint16(before, little), little)
    else row.setUint32(at, row.getUint32(at, little) + row.getUint32(before, little), little)
  }
}
