import type { FileHandle } from 'node:fs/promises'
import { boxesOf, isBoxFile } from './boxes.js'

/** What is said of a whole video stands within so many bytes of where its metadata begins or ends. */
const MARGIN = 2 ** 20

/** IPTC's terms for what is synthetic, as they are written in comments and tags; what follows may be a letter by chance. */
const TERM =
  /http:\/\/cv\.iptc\.org\/newscodes\/digitalsourcetype\/(?:compositeWithTrainedAlgorithmicMedia|trainedAlgorithmicMedia|compositeSynthetic|algorithmicMedia)/

/** First bytes of Matroska and WebM. Source: RFC 8794, 11.2.1 */
const EBML = 0x1a45dfa3

/**
 * The synthetic source type that the metadata of an MP4, MOV, MKV or WebM file names in a comment or a tag: what is left where
 * streams were copied into another file. Nothing where it names none.
 *
 * @param head The first 16 bytes of the file.
 */
export async function sourceTypeOfVideo(file: FileHandle, head: Buffer): Promise<string | undefined> {
  const { size } = await file.stat()
  for (const [start, end] of await stretches(file, head, size)) {
    const bytes = Buffer.alloc(end - start)
    await file.read(bytes, 0, bytes.length, start)
    const found = TERM.exec(bytes.toString('latin1'))
    if (found) return found[0]
  }
  return undefined
}

/** Where metadata is: at the end of a movie box; at the beginning or the end of a Matroska file. */
async function stretches(file: FileHandle, head: Buffer, size: number): Promise<[start: number, end: number][]> {
  if (isBoxFile(head)) {
    const movies = (await boxesOf(file)).filter(({ type }) => type === 'moov')
    return movies.map(({ start, bytes }) => [start + Math.max(0, bytes - MARGIN), start + bytes])
  }
  if (head.readUInt32BE(0) !== EBML) return []
  return [
    [0, Math.min(size, MARGIN)],
    [Math.max(0, size - MARGIN), size],
  ]
}
