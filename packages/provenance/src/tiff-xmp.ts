import { broken } from './broken.js'

const XMP_TAG = 700
const BYTES = 1

/** The two layouts of TIFF: classic with 32-bit places, and BigTIFF with 64-bit ones. */
interface Layout {
  little: boolean
  big: boolean
  countBytes: 2 | 8
  entryBytes: 12 | 20
  placeBytes: 4 | 8
}

/** Whether these are the bytes of a TIFF file. */
export const isTiff = (bytes: Buffer) => layoutOf(bytes) !== undefined

/** The XMP packet of a TIFF file's first picture. Source: XMP Specification Part 3 (2020), 1.1.4 */
export function xmpOfTiff(bytes: Buffer): string | undefined {
  const layout = layoutOf(bytes)!
  const { entries } = directoryOf(bytes, layout)
  const entry = entries.find((one) => readShort(one, 0, layout) === XMP_TAG)
  if (!entry) return undefined
  const [length, place] = [readPlace(entry, 4, layout), readPlace(entry, 4 + layout.placeBytes, layout)]
  if (length <= layout.placeBytes) return undefined
  if (place + length > bytes.length) throw broken('TIFF')
  return bytes.toString('utf8', place, place + length)
}

/**
 * The TIFF file with this XMP packet in place of its first picture's own. The packet and a new directory are added at the
 * end, so nothing that was there moves.
 */
export function tiffWithXmp(bytes: Buffer, xmp: string): Buffer {
  const layout = layoutOf(bytes)!
  const { countBytes, entryBytes, placeBytes, little } = layout
  const directory = directoryOf(bytes, layout)
  const packet = Buffer.from(xmp)
  const packetAt = bytes.length + (bytes.length & 1)
  const directoryAt = packetAt + packet.length + (packet.length & 1)
  const entry = Buffer.alloc(entryBytes)
  writeShort(entry, 0, XMP_TAG, layout)
  writeShort(entry, 2, BYTES, layout)
  writePlace(entry, 4, packet.length, layout)
  writePlace(entry, 4 + placeBytes, packetAt, layout)
  const others = directory.entries.filter((one) => readShort(one, 0, layout) !== XMP_TAG)
  const sorted = [...others, entry].sort((a, b) => readShort(a, 0, layout) - readShort(b, 0, layout))

  const out = Buffer.alloc(directoryAt + countBytes + sorted.length * entryBytes + placeBytes)
  bytes.copy(out)
  packet.copy(out, packetAt)
  if (countBytes === 2) writeShort(out, directoryAt, sorted.length, layout)
  else writePlace(out, directoryAt, sorted.length, layout)
  sorted.forEach((one, i) => {
    one.copy(out, directoryAt + countBytes + i * entryBytes)
  })
  writePlace(out, out.length - placeBytes, directory.next, layout)
  const head = layout.big ? 8 : 4
  if (layout.big) writePlace(out, head, directoryAt, layout)
  else if (little) out.writeUInt32LE(directoryAt, head)
  else out.writeUInt32BE(directoryAt, head)
  return out
}

function layoutOf(bytes: Buffer): Layout | undefined {
  const order = bytes.toString('latin1', 0, 2)
  if (bytes.length < 16 || (order !== 'II' && order !== 'MM')) return undefined
  const little = order === 'II'
  const version = little ? bytes.readUInt16LE(2) : bytes.readUInt16BE(2)
  if (version === 42) return { little, big: false, countBytes: 2, entryBytes: 12, placeBytes: 4 }
  return version === 43 ? { little, big: true, countBytes: 8, entryBytes: 20, placeBytes: 8 } : undefined
}

/** The first directory: its entries as they stand, and where the next one is. */
function directoryOf(bytes: Buffer, layout: Layout): { entries: Buffer[]; next: number } {
  const { countBytes, entryBytes, placeBytes, big } = layout
  const at = readPlace(bytes, big ? 8 : 4, layout)
  if (at + countBytes > bytes.length) throw broken('TIFF')
  const count = countBytes === 2 ? readShort(bytes, at, layout) : readPlace(bytes, at, layout)
  const end = at + countBytes + count * entryBytes
  if (end + placeBytes > bytes.length) throw broken('TIFF')
  const entries = Array.from({ length: count }, (_, i) =>
    bytes.subarray(at + countBytes + i * entryBytes, at + countBytes + (i + 1) * entryBytes),
  )
  return { entries, next: readPlace(bytes, end, layout) }
}

const readShort = (bytes: Buffer, at: number, { little }: Layout) =>
  little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)

function writeShort(bytes: Buffer, at: number, value: number, { little }: Layout): void {
  if (little) bytes.writeUInt16LE(value, at)
  else bytes.writeUInt16BE(value, at)
}

function readPlace(bytes: Buffer, at: number, { little, big }: Layout): number {
  if (big) return Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
  return little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
}

function writePlace(bytes: Buffer, at: number, value: number, { little, big }: Layout): void {
  if (big && little) bytes.writeBigUInt64LE(BigInt(value), at)
  else if (big) bytes.writeBigUInt64BE(BigInt(value), at)
  else if (little) bytes.writeUInt32LE(value, at)
  else bytes.writeUInt32BE(value, at)
}
