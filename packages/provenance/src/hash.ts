import { createHash } from 'node:crypto'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { boxesOf, C2PA_BOX } from './boxes.js'

/** A stretch of a file, or eight bytes that say where a box stands. */
type Piece = { start: number; bytes: number } | { place: number }

const BLOCK = 4 * 2 ** 20

/** The SHA-256 of a file as 64 hexadecimal digits, read block by block. */
export async function hashFile(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    return (await hashPieces(file, [{ start: 0, bytes: size }])).toString('hex')
  } finally {
    await file.close()
  }
}

/**
 * The SHA-256 of a clip: of the file, or for a folder of images of the lines `<sha256>  <name>`, one for each file in the
 * order of their names, as sha256sum prints them.
 */
export async function hashClip(path: string): Promise<string> {
  if (!(await stat(path)).isDirectory()) return hashFile(path)
  let list = ''
  for (const name of await filesIn(path)) list += `${await hashFile(join(path, name))}  ${name}\n`
  return hashBytes(list)
}

/** The names of a folder's own files, without hidden ones, in the order of their letters. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort()
}

/** SHA-256 of bytes as 64 hexadecimal digits. */
export const hashBytes = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/**
 * The SHA-256 of an MP4 or MOV file as C2PA binds it to a manifest: all top-level boxes but `ftyp`, `mfra` and the
 * manifest's own, each after its place in the file.
 *
 * Source: C2PA Technical Specification 2.1, 18.6 (BMFF-based hash, version 2 and later)
 */
export async function hashBoxes(file: FileHandle): Promise<Buffer> {
  const boxes = (await boxesOf(file)).filter(
    ({ type, uuid }) => type !== 'ftyp' && type !== 'mfra' && uuid !== C2PA_BOX,
  )
  return hashPieces(
    file,
    boxes.flatMap(({ start, bytes }) => [{ place: start }, { start, bytes }]),
  )
}

/** The SHA-256 of a file without these stretches of it. */
export async function hashWithout(
  file: FileHandle,
  gaps: readonly { start: number; length: number }[],
): Promise<Buffer> {
  const { size } = await file.stat()
  const sorted = [...gaps].sort((a, b) => a.start - b.start)
  const starts = [0, ...sorted.map(({ start, length }) => start + length)]
  const ends = [...sorted.map(({ start }) => start), size]
  return hashPieces(
    file,
    starts.map((start, i) => ({ start, bytes: Math.max(0, ends[i]! - start) })),
  )
}

async function hashPieces(file: FileHandle, pieces: readonly Piece[]): Promise<Buffer> {
  const hash = createHash('sha256')
  const block = Buffer.allocUnsafe(BLOCK)
  const place = Buffer.alloc(8)
  for (const piece of pieces) {
    if ('place' in piece) {
      place.writeBigUInt64BE(BigInt(piece.place))
      hash.update(place)
      continue
    }
    const end = piece.start + piece.bytes
    for (let at = piece.start; at < end; ) {
      const { bytesRead } = await file.read(block, 0, Math.min(BLOCK, end - at), at)
      if (bytesRead === 0) break
      hash.update(block.subarray(0, bytesRead))
      at += bytesRead
    }
  }
  return hash.digest()
}
