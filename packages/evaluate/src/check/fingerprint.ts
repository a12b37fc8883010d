import type { Pixels } from '@dfl/core'
import { resize } from '@dfl/image'

/** 64 bits, as 16 hex digits, that are alike for pictures that look alike: whether brightness rises from cell to cell. */
export function fingerprintOf(gray: Pixels): string {
  const { data } = resize(gray, { width: 9, height: 8 })
  let hex = ''
  for (let row = 0; row < 8; row++) {
    let byte = 0
    for (let x = 0; x < 8; x++) byte = 2 * byte + (data[9 * row + x] < data[9 * row + x + 1] ? 1 : 0)
    hex += byte.toString(16).padStart(2, '0')
  }
  return hex
}

/** In how many of their 64 bits two fingerprints differ. */
export function bitsApart(a: string, b: string): number {
  let bits = 0
  for (let i = 0; i < 16; i += 8) {
    let word = (Number.parseInt(a.slice(i, i + 8), 16) ^ Number.parseInt(b.slice(i, i + 8), 16)) >>> 0
    for (; word !== 0; word &= word - 1) bits++
  }
  return bits
}
