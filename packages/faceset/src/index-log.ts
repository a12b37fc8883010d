import { readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type HeaderLine, type LogLine, parseHeader, parseLine } from './log-lines.js'
import { readLines } from './read-log.js'

/** Where one face stands. */
export interface FaceEntry {
  /** Byte offsets of its line and of what follows it. */
  start: number
  end: number
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
  /** Where in its file the log begins, where its last complete line ends, and where the file or its part for the log ends. */
  startByte: number
  completeBytes: number
  totalBytes: number
  /** Identity of the file that was read. */
  inode: number
}

/** Where a log stands that is part of a larger file, and which images stand beside it. */
export interface LogPlace {
  startByte: number
  endByte: number
  images: ReadonlySet<string>
}

/**
 * The index of the log at `path`.
 *
 * @param place For a log inside a packed faceset.
 * @throws DflError `NO_SUCH_FILE`, `CORRUPT_FILE` when the header is damaged.
 */
export async function indexLog(path: string, place?: LogPlace): Promise<LogIndex> {
  let header: HeaderLine | undefined
  const faces = new Map<string, FaceEntry>()
  const done = new Map<string, Set<number>>()
  let damagedLines = 0
  const startByte = place?.startByte ?? 0
  let completeBytes = startByte
  for await (const { text, start, end } of readLines(path, place)) {
    completeBytes = end
    if (!header) {
      header = parseHeader(text, path)
      continue
    }
    const line: LogLine | undefined = text === undefined ? undefined : parseLine(text, header)
    if (line?.kind === 'face') {
      faces.set(line.face.filename, { start, end, crc32: line.crc32, sourceFilename: line.face.sourceFilename })
    } else if (line?.kind === 'frameDone') {
      const frames = done.get(line.source)
      if (frames) frames.add(line.frameIndex)
      else done.set(line.source, new Set([line.frameIndex]))
    } else damagedLines++
  }
  if (!header) header = parseHeader(undefined, path)
  const present = place?.images ?? new Set(await readdir(dirname(path)))
  let missingImages = 0
  for (const filename of faces.keys()) {
    if (present.has(filename)) continue
    faces.delete(filename)
    missingImages++
  }
  const { size, ino: inode } = await stat(path)
  const totalBytes = place?.endByte ?? size
  if (totalBytes > completeBytes) damagedLines++
  return { header, faces, done, damagedLines, missingImages, startByte, completeBytes, totalBytes, inode }
}
