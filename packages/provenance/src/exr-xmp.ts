import { DflError } from '@dfl/core'
import { broken } from './broken.js'

const MULTIPLE_PARTS = 0x1000

interface Attribute {
  name: string
  type: string
  /** Where the attribute begins, its value begins, and it ends. */
  start: number
  value: number
  end: number
}

/** Whether these are the bytes of an OpenEXR file. */
export const isExr = (bytes: Buffer) => bytes.length > 8 && bytes.readUInt32LE(0) === 20000630

/** The XMP packet of an OpenEXR file: its string attribute `xmp`, the name by which ExifTool knows it. */
export function xmpOfExr(bytes: Buffer): string | undefined {
  const found = attributesOf(bytes).attributes.find(({ name, type }) => name === 'xmp' && type === 'string')
  return found && bytes.toString('utf8', found.value, found.end)
}

/**
 * The OpenEXR file with this XMP packet as its attribute `xmp`: the table of places is moved on by as much, samples stay.
 *
 * @throws DflError `UNSUPPORTED_MEDIA` for files of several parts.
 * Source: https://openexr.com/en/latest/OpenEXRFileLayout.html
 */
export function exrWithXmp(bytes: Buffer, xmp: string): Buffer {
  if (bytes.readUInt32LE(4) & MULTIPLE_PARTS)
    throw new DflError(
      'UNSUPPORTED_MEDIA',
      'Expected an OpenEXR file of one part, but got one of several parts. Write each part as a file.',
    )
  const { attributes, end } = attributesOf(bytes)
  const value = Buffer.from(xmp)
  const head = Buffer.from('xmp\0string\0\0\0\0\0', 'latin1')
  head.writeUInt32LE(value.length, head.length - 4)
  const kept = attributes.filter(({ name }) => name !== 'xmp').map(({ start, end }) => bytes.subarray(start, end))
  const header = Buffer.concat([bytes.subarray(0, 8), ...kept, head, value, Buffer.alloc(1)])
  const moved = header.length - end
  // The table ends where the first block of samples begins.
  let samples = bytes.length
  for (let at = end; at < samples; at += 8) {
    if (at + 8 > bytes.length) throw broken('OpenEXR')
    const place = Number(bytes.readBigUInt64LE(at))
    if (place > end && place < samples) samples = place
  }
  const table = Buffer.from(bytes.subarray(end, samples))
  if (table.length % 8 !== 0) throw broken('OpenEXR')
  for (let at = 0; at < table.length; at += 8) {
    const place = table.readBigUInt64LE(at)
    if (place > 0n) table.writeBigUInt64LE(place + BigInt(moved), at)
  }
  return Buffer.concat([header, table, bytes.subarray(samples)])
}

/** The attributes of the header, and where the header ends. */
function attributesOf(bytes: Buffer): { attributes: Attribute[]; end: number } {
  const attributes: Attribute[] = []
  let at = 8
  const text = () => {
    const end = bytes.indexOf(0, at)
    if (end < 0) throw broken('OpenEXR')
    const found = bytes.toString('latin1', at, end)
    at = end + 1
    return found
  }
  for (;;) {
    const start = at
    const name = text()
    if (name === '') return { attributes, end: at }
    const type = text()
    if (at + 4 > bytes.length) throw broken('OpenEXR')
    const value = at + 4
    at = value + bytes.readUInt32LE(at)
    attributes.push({ name, type, start, value, end: at })
  }
}
