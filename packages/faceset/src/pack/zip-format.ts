/*
 * The parts of the ZIP format that a packed faceset uses: files stored as they are, sizes of any length.
 *
 * Source: PKWARE, APPNOTE.TXT 6.3, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */

/** One file inside the archive. */
export interface ZipEntry {
  name: string
  crc32: number
  size: number
  /** Where its local header begins in the archive. */
  offset: number
}

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
const END_64 = 0x06064b50
const LOCATOR_64 = 0x07064b50
/** Stands for a number that is told in the extra field instead. */
const ELSEWHERE = 0xffffffff
/** 1980-01-01, so that the same faces give the same bytes. */
const DATE = 0x0021
const UTF_8 = 0x0800

/** Longest central directory that is read, in bytes: about two million faces. */
const MAX_DIRECTORY = 2 ** 28

/** Length of what stands before a file's bytes. */
export const localHeaderLength = (name: string): number => 30 + Buffer.byteLength(name) + 20

/** What stands before a file's bytes. */
export function localHeader({ name, crc32, size }: Omit<ZipEntry, 'offset'>): Buffer {
  const text = Buffer.from(name)
  const head = Buffer.alloc(30)
  head.writeUInt32LE(LOCAL, 0)
  head.writeUInt16LE(45, 4)
  head.writeUInt16LE(UTF_8, 6)
  head.writeUInt16LE(DATE, 12)
  head.writeUInt32LE(crc32, 14)
  head.writeUInt32LE(ELSEWHERE, 18)
  head.writeUInt32LE(ELSEWHERE, 22)
  head.writeUInt16LE(text.length, 26)
  head.writeUInt16LE(20, 28)
  return Buffer.concat([head, text, extra64([size, size])])
}

/** The end of an archive: the list of its files, and where that is. */
export function centralDirectory(entries: readonly ZipEntry[], start: number): Buffer {
  const parts = entries.map(({ name, crc32, size, offset }) => {
    const text = Buffer.from(name)
    const extra = extra64([size, size, offset])
    const head = Buffer.alloc(46)
    head.writeUInt32LE(CENTRAL, 0)
    head.writeUInt16LE(45, 4)
    head.writeUInt16LE(45, 6)
    head.writeUInt16LE(UTF_8, 8)
    head.writeUInt16LE(DATE, 14)
    head.writeUInt32LE(crc32, 16)
    head.writeUInt32LE(ELSEWHERE, 20)
    head.writeUInt32LE(ELSEWHERE, 24)
    head.writeUInt16LE(text.length, 28)
    head.writeUInt16LE(extra.length, 30)
    head.writeUInt32LE(ELSEWHERE, 42)
    return Buffer.concat([head, text, extra])
  })
  const list = Buffer.concat(parts)
  const end64 = Buffer.alloc(56)
  end64.writeUInt32LE(END_64, 0)
  end64.writeBigUInt64LE(44n, 4)
  end64.writeUInt16LE(45, 12)
  end64.writeUInt16LE(45, 14)
  end64.writeBigUInt64LE(BigInt(entries.length), 24)
  end64.writeBigUInt64LE(BigInt(entries.length), 32)
  end64.writeBigUInt64LE(BigInt(list.length), 40)
  end64.writeBigUInt64LE(BigInt(start), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(LOCATOR_64, 0)
  locator.writeBigUInt64LE(BigInt(start + list.length), 8)
  locator.writeUInt32LE(1, 16)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(END, 0)
  end.writeUInt16LE(0xffff, 8)
  end.writeUInt16LE(0xffff, 10)
  end.writeUInt32LE(ELSEWHERE, 12)
  end.writeUInt32LE(ELSEWHERE, 16)
  return Buffer.concat([list, end64, locator, end])
}

function extra64(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + values.length * 8)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(values.length * 8, 2)
  values.forEach((value, i) => void extra.writeBigUInt64LE(BigInt(value), 4 + i * 8))
  return extra
}

/**
 * The files of an archive whose files are all stored as they are, as `centralDirectory` lists them; or what the bytes are
 * instead, in words. Never allocates by a number that only the archive claims.
 *
 * Names that lead out of a folder are refused, and so are files that lie over each other, through which a small archive
 * would give any number of bytes.
 *
 * @param tail The last bytes of the archive, at least 98 of them where it is as long.
 * @param read Gives `length` bytes from `position` on, fewer at the end of the file.
 */
export async function readDirectory(
  tail: Buffer,
  fileSize: number,
  read: (position: number, length: number) => Promise<Buffer>,
): Promise<ZipEntry[] | string> {
  const end = tail.length - 22
  if (end < 0 || tail.readUInt32LE(end) !== END) return NO_ARCHIVE
  let count = tail.readUInt16LE(end + 10)
  let length = tail.readUInt32LE(end + 12)
  let start = tail.readUInt32LE(end + 16)
  const locator = end - 20
  const end64 = locator - 56
  if (end64 >= 0 && tail.readUInt32LE(locator) === LOCATOR_64 && tail.readUInt32LE(end64) === END_64) {
    count = Number(tail.readBigUInt64LE(end64 + 32))
    length = Number(tail.readBigUInt64LE(end64 + 40))
    start = Number(tail.readBigUInt64LE(end64 + 48))
  }
  if (length > MAX_DIRECTORY || start + length > fileSize || count * 46 > length) return NO_ARCHIVE
  const list = await read(start, length)
  if (list.length !== length) return NO_ARCHIVE
  const entries: ZipEntry[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    const entry = readEntry(list, at)
    if (typeof entry === 'string') return entry
    entries.push(entry)
    at = entry.next
  }
  return entriesProblem(entries, start) ?? entries
}

/** What an archive is that cannot be made out. */
export const NO_ARCHIVE = 'a file that is none, or a damaged one'

function readEntry(list: Buffer, at: number): (ZipEntry & { next: number }) | string {
  if (at + 46 > list.length || list.readUInt32LE(at) !== CENTRAL) return NO_ARCHIVE
  const nameLength = list.readUInt16LE(at + 28)
  const extraLength = list.readUInt16LE(at + 30)
  const next = at + 46 + nameLength + extraLength + list.readUInt16LE(at + 32)
  if (next > list.length) return NO_ARCHIVE
  const name = list.toString('utf8', at + 46, at + 46 + nameLength)
  if (list.readUInt16LE(at + 10) !== 0) return `one whose file ${show(name)} is compressed`
  const numbers = [list.readUInt32LE(at + 24), list.readUInt32LE(at + 20), list.readUInt32LE(at + 42)]
  const extra = list.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength)
  const longOnes = longNumbers(extra)
  for (const [i, value] of numbers.entries()) if (value === ELSEWHERE) numbers[i] = longOnes.shift() ?? Number.NaN
  const [size, packedSize, offset] = numbers as [number, number, number]
  if (size !== packedSize || !Number.isSafeInteger(size) || !Number.isSafeInteger(offset))
    return `one whose file ${show(name)} has no size that can be`
  return { name, crc32: list.readUInt32LE(at + 16), size, offset, next }
}

/** What is wrong with the files of an archive whose list begins at `start`, or nothing. */
function entriesProblem(entries: readonly ZipEntry[], start: number): string | undefined {
  const names = new Set<string>()
  for (const { name } of entries) {
    if (leadsOut(name)) return `one with a file called ${show(name)}, which leads out of its folder`
    if (names.has(name)) return `one with two files called ${show(name)}`
    names.add(name)
  }
  const inOrder = [...entries].sort((a, b) => a.offset - b.offset)
  for (const [i, { name, offset, size }] of inOrder.entries())
    if (offset + 30 + Buffer.byteLength(name) + size > (inOrder[i + 1]?.offset ?? start))
      return `one whose file ${show(name)} does not end where the next one begins`
  return undefined
}

/** Whether a name, put behind a folder's, may mean something outside it on some system. */
export const leadsOut = (name: string): boolean =>
  name === '' || /^[/\\]|^[a-z]:|\0/i.test(name) || name.split(/[/\\]/).includes('..')

/** A name for messages, without characters that change how a line looks. */
export const show = (name: string): string => {
  const plain = name.replace(/\p{C}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `'${plain.length > 80 ? `${plain.slice(0, 80)}…` : plain}'`
}

/** The 8-byte numbers of an extra field. */
function longNumbers(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === 1)
      return Array.from({ length: Math.floor(Math.min(length, extra.length - at - 4) / 8) }, (_, i) =>
        Number(extra.readBigUInt64LE(at + 4 + i * 8)),
      )
    at += 4 + length
  }
  return []
}

/**
 * Length of the local header of an entry, from the bytes where it should stand; nothing where another one stands there, or
 * none.
 *
 * @param head At least 30 bytes and the name.
 */
export function localHeaderLengthOf(head: Buffer, { name, size }: ZipEntry): number | undefined {
  if (head.length < 30 || head.readUInt32LE(0) !== LOCAL || head.readUInt16LE(8) !== 0) return undefined
  const nameLength = head.readUInt16LE(26)
  if (head.toString('utf8', 30, 30 + nameLength) !== name) return undefined
  // Other programs may write 0 and the size behind the file.
  const own = head.readUInt32LE(22)
  if (own !== size && own !== ELSEWHERE && own !== 0) return undefined
  return 30 + nameLength + head.readUInt16LE(28)
}
