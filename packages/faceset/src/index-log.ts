import { readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type HeaderLine, type LogLine, parseHeader, parseLine } from './log-lines.js'
import { readLines } from './read-log.js'

/** Where one face stands. */
export interface FaceEntry {
  /** Byte offset of its line. */
  start: number
  crc32: string
  sourceFilename: string
}

/** What one pass over a log finds out. Grows by about 200 bytes a face. */
export interface LogIndex {
  header: HeaderLine
  /** By file name. Only faces whose image is there; of several lines with a name, the last. */
  faces: Map<string, FaceEntry>
  /** Frames that were fully processed, by source. */
  done: Map<string, Set<number>>
  /** Lines that could not be read, among them a last line that was cut off. */
  damagedLines: number
  /** Faces left out because their image is not in the folder. */
  missingImages: number
  /** Bytes of the log up to the end of its last complete line, and in all. */
  completeBytes: number
  totalBytes: number
  /** Identity of the file that was read. */
  inode: number
}

/** The index of the log at `path`. @throws DflError `NO_SUCH_FILE`, `CORRUPT_FILE` when the header is damaged. */
export async function indexLog(path: string): Promise<LogIndex> {
  let header: HeaderLine | undefined
  const faces = new Map<string, FaceEntry>()
  const done = new Map<string, Set<number>>()
  let damagedLines = 0
  let completeBytes = 0
  for await (const { text, start, end } of readLines(path)) {
    completeBytes = end
    if (!header) {
      header = parseHeader(text, path)
      continue
    }
    const line: LogLine | undefined = text === undefined ? undefined : parseLine(text, header)
    if (line?.kind === 'face') {
      faces.set(line.face.filename, { start, crc32: line.crc32, sourceFilename: line.face.sourceFilename })
    } else if (line?.kind === 'frameDone') {
      const frames = done.get(line.source)
      if (frames) frames.add(line.frameIndex)
      else done.set(line.source, new Set([line.frameIndex]))
    } else damagedLines++
  }
  if (!header) header = parseHeader(undefined, path)
  const present = new Set(await readdir(dirname(path)))
  let missingImages = 0
  for (const filename of faces.keys()) {
    if (present.has(filename)) continue
    faces.delete(filename)
    missingImages++
  }
  const { size: totalBytes, ino: inode } = await stat(path)
  if (totalBytes > completeBytes) damagedLines++
  return { header, faces, done, damagedLines, missingImages, completeBytes, totalBytes, inode }
}
