/*
 * The outside of OpenEXR files: what can be known without unpacking pixels.
 *
 * Source: https://openexr.com/en/latest/OpenEXRFileLayout.html
 */

/** Whether the bytes begin as OpenEXR files do. */
export const isExr = (bytes: Uint8Array) =>
  bytes[0] === 0x76 && bytes[1] === 0x2f && bytes[2] === 0x31 && bytes[3] === 0x01

/** Rows in one piece, by the number of the packing: none, RLE, ZIPS, ZIP, PIZ, PXR24, B44, B44A, DWAA, DWAB. */
const ROWS = [1, 1, 1, 16, 32, 16, 32, 32, 32, 256]
/** Flags of files whose pieces are not plain rows. */
const OTHER_LAYOUT = 0x200 | 0x800 | 0x1000

const PIZ = 4
/** Of a piece's bytes before it was packed: more than black takes in small pictures, less than what libav fails at. */
const BLACK_SHARE = 0.1

/** What the outside of a file says. */
export interface ExrLayout {
  width: number
  height: number
  /** Whether all of its pieces are there. */
  whole: boolean
  /** Rows [from, to) of the picture that are packed as PIZ, and in more bytes than black takes. */
  piz: readonly (readonly [from: number, to: number])[]
}

/** What the outside of a file says; nothing where its header is damaged. */
export function exrLayout(bytes: Uint8Array): ExrLayout | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (file.length < 9) return undefined
  const header = readHeader(file)
  const display = header?.attributes.get('displayWindow')
  const data = header?.attributes.get('dataWindow')
  const compression = header?.attributes.get('compression')
  if (!header || !display || !data || compression === undefined) return undefined
  const { width, height } = sizeOf(display)
  const plain = (file.readUInt32LE(4) & OTHER_LAYOUT) === 0
  const pieces = Math.ceil(sizeOf(data).height / (ROWS[compression[0]!] ?? 1))
  const whole = !plain || allThere(file, header.end, pieces)
  const piz = plain && whole && compression[0] === PIZ ? pizRows(file, header, pieces) : []
  return { width, height, whole, piz }
}

function pizRows(file: Buffer, { attributes, end }: Header, pieces: number): ExrLayout['piz'] {
  const [display, data] = [attributes.get('displayWindow')!, attributes.get('dataWindow')!]
  const { width, height } = sizeOf(data)
  const [top, shown] = [data.readInt32LE(4), sizeOf(display).height]
  const rowBytes = width * bytesOfPixel(attributes.get('channels') ?? Buffer.alloc(0))
  const rows: [number, number][] = []
  for (let i = 0; i < pieces; i++) {
    const at = Number(file.readBigUInt64LE(end + i * 8))
    const row = file.readInt32LE(at)
    const count = Math.min(ROWS[PIZ]!, top + height - row)
    if (file.readInt32LE(at + 4) < BLACK_SHARE * count * rowBytes) continue
    const first = row - display.readInt32LE(4)
    const [from, to] = [Math.max(0, first), Math.min(shown, first + count)]
    if (from < to) rows.push([from, to])
  }
  return rows
}

/** Of all channels together: each is a name, its kind (halves are 1), and twelve bytes more. */
function bytesOfPixel(channels: Buffer): number {
  let bytes = 0
  for (let at = 0; channels[at]; at += 16) {
    at = channels.indexOf(0, at) + 1
    if (at === 0 || at + 4 > channels.length) break
    bytes += channels.readUInt32LE(at) === 1 ? 2 : 4
  }
  return bytes
}

/** Values of the attributes, and where the table of pieces begins. */
interface Header {
  attributes: Map<string, Buffer>
  end: number
}

function readHeader(file: Buffer): Header | undefined {
  const attributes = new Map<string, Buffer>()
  let at = 8
  const text = () => {
    const end = file.indexOf(0, at)
    const found = end < 0 ? undefined : file.toString('latin1', at, end)
    at = end + 1
    return found
  }
  for (;;) {
    const name = text()
    if (name === undefined) return undefined
    if (name === '') return { attributes, end: at }
    if (text() === undefined || at + 4 > file.length) return undefined
    const size = file.readUInt32LE(at)
    const value = file.subarray(at + 4, at + 4 + size)
    if (value.length < size) return undefined
    attributes.set(name, value)
    at += 4 + size
  }
}

/** Of a box of four whole numbers: its first and last column and row. */
function sizeOf(box: Buffer): { width: number; height: number } {
  if (box.length < 16) return { width: 0, height: 0 }
  return {
    width: box.readInt32LE(8) - box.readInt32LE(0) + 1,
    height: box.readInt32LE(12) - box.readInt32LE(4) + 1,
  }
}

/** Whether each piece that the table names, a row number, its length and so many bytes, ends inside the file. */
function allThere(file: Buffer, table: number, pieces: number): boolean {
  if (table + pieces * 8 > file.length) return false
  for (let i = 0; i < pieces; i++) {
    const at = Number(file.readBigUInt64LE(table + i * 8))
    if (at + 8 > file.length || at + 8 + file.readInt32LE(at + 4) > file.length) return false
  }
  return true
}
