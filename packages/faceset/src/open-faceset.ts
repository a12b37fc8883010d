import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Bitmap, collect, DflError, type FaceMeta } from '@dfl/core'
import { imageSize, readImage } from '@dfl/media'
import { filenameProblem } from './face-rules.js'
import type { Faceset } from './faceset.js'
import { indexLog, type LogIndex } from './index-log.js'
import { lineProblem, parseLine } from './log-lines.js'
import { openPack } from './pack/open-pack.js'
import { LOG_NAME, readLines } from './read-log.js'

/** Name of the folder of masks inside a faceset's folder. */
export const MASK_FOLDER = 'masks'

/** Where the files of a faceset are. */
export interface FacesetFiles {
  /** For messages. */
  place: string
  /** The file that holds the log. */
  logPath: string
  /**
   * A file of the faceset, by its name, or 'masks/' and its name.
   *
   * @throws the file system's error `ENOENT` when there is none.
   */
  read(name: string): Promise<Uint8Array>
}

/**
 * The faceset at `path`, a folder or a packed file, as it stands now. Reads only.
 *
 * What a crash left half done is counted in `info` and left out: a last line that was cut off, faces whose image is gone.
 *
 * @throws DflError `NO_SUCH_FILE` when there is no faceset, `CORRUPT_FILE` when it is not one.
 */
export async function openFaceset(path: string): Promise<Faceset> {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
  if (isFile) {
    const { files, log } = await openPack(path)
    const index = await indexLog(path, log)
    if (index.damagedLines > 0) throw await damagedList(path, index)
    return facesetOf(files, index)
  }
  const logPath = join(path, LOG_NAME)
  const files = { place: path, logPath, read: (name: string) => readFile(join(path, name)) }
  return facesetOf(files, await indexLog(logPath))
}

/** A pack is written whole: a line of its list that cannot be read was not cut off by a crash. */
async function damagedList(path: string, { header, startByte, totalBytes }: LogIndex): Promise<DflError> {
  let problem: string | undefined
  for await (const { text } of readLines(path, { startByte, endByte: totalBytes })) {
    if (text === undefined || !parseLine(text, header)) problem ??= lineProblem(text, header)
  }
  return new DflError(
    'CORRUPT_FILE',
    `Expected a packed faceset in \`${path}\`, but got one whose list of faces cannot be read. ` +
      `${problem ?? 'Some of its lines are damaged.'} Pack the faceset again.`,
    { data: { path } },
  )
}

function facesetOf(files: FacesetFiles, index: LogIndex): Faceset {
  const { header, damagedLines, missingImages } = index
  const faces = () => readFaces(files.logPath, index)
  return {
    info: {
      count: index.faces.size,
      faceType: header.faceType,
      size: header.size,
      sources: [...index.done].map(([source, frames]) => ({ source, framesDone: frames.size })),
      damagedLines,
      missingImages,
    },
    faces,
    all: () => collect(faces()),
    readImage: (face) => readFaceImage(files, face, index),
    readFile: (face) => readFaceFile(files, face, index),
    readMask: (face) => readFaceMask(files, face),
    framesDone: () => index.done,
  }
}

/** The faces of an indexed log. @throws DflError `BAD_STATE` when the log was replaced since. */
export async function* readFaces(path: string, index: LogIndex): AsyncGenerator<FaceMeta> {
  const { ino, size } = await stat(path)
  if (ino !== index.inode || size < index.completeBytes)
    throw new DflError(
      'BAD_STATE',
      `Expected \`${path}\` as it was when it was opened, but got a file that was rewritten since. Open the faceset again.`,
      { data: { path } },
    )
  const { startByte, completeBytes: endByte } = index
  for await (const { text, start } of readLines(path, { startByte, endByte })) {
    const line = text === undefined ? undefined : parseLine(text, index.header)
    if (line?.kind === 'face' && index.faces.get(line.face.filename)?.start === start) yield line.face
  }
}

async function readFaceFile(
  files: FacesetFiles,
  face: Pick<FaceMeta, 'filename'>,
  index: LogIndex,
): Promise<Uint8Array> {
  const entry = index.faces.get(face.filename)
  const path = join(files.place, face.filename)
  if (!entry)
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a face of the faceset \`${files.place}\` for \`face\`, but got '${face.filename}', which it does not list. ` +
        'Pass a face that came from this faceset.',
      { data: { path } },
    )
  const bytes = await files.read(face.filename).catch(isGone(path, 'the image of a face'))
  checkChecksum(path, bytes, entry.crc32)
  return bytes
}

async function readFaceImage(files: FacesetFiles, face: Pick<FaceMeta, 'filename'>, index: LogIndex): Promise<Bitmap> {
  const bytes = await readFaceFile(files, face, index)
  const { size } = index.header
  // Before it is decoded: a small hostile file may hold a very large image.
  const { width, height } = await imageSize(bytes)
  if (width === size && height === size) return readImage(bytes, { channels: 3, keep16: true })
  const path = join(files.place, face.filename)
  throw new DflError(
    'CORRUPT_FILE',
    `Expected ${size} x ${size} pixels in \`${path}\`, but got ${width} x ${height}. Delete the file to go on without this face.`,
    { data: { path } },
  )
}

async function readFaceMask(files: FacesetFiles, face: Pick<FaceMeta, 'mask'>): Promise<Bitmap | undefined> {
  if (face.mask === undefined) return undefined
  const problem = filenameProblem(face.mask)?.replace('`filename`', '`mask`')
  if (problem) throw new DflError('BAD_OPTION', `${problem} Pass a face that came from this faceset.`)
  const path = join(files.place, MASK_FOLDER, face.mask)
  const bytes = await files.read(`${MASK_FOLDER}/${face.mask}`).catch(isGone(path, 'the mask of a face'))
  // Masks carry their checksum in their name, so that a new one never stands where an old one is still meant.
  const crc32 = /\.([0-9a-f]{8})\.png$/.exec(face.mask)?.[1]
  if (crc32) checkChecksum(path, bytes, crc32)
  return readImage(bytes, { channels: 1 })
}

/** Turns the error of a missing file into this project's words. */
const isGone = (path: string, what: string) => (cause: NodeJS.ErrnoException) => {
  if (cause.code !== 'ENOENT') throw cause
  throw new DflError(
    'NO_SUCH_FILE',
    `Expected ${what} at \`${path}\`, but it is gone. Open the faceset again to go on without it.`,
    { data: { path }, cause },
  )
}

function checkChecksum(path: string, bytes: Uint8Array, expected: string): void {
  const checksum = checksumOf(bytes)
  if (checksum === expected) return
  throw new DflError(
    'CORRUPT_FILE',
    `Expected checksum ${expected} for \`${path}\`, but got ${checksum}. ` +
      'The image was changed or damaged since it was written: restore it, or delete it to go on without this face.',
    { data: { path } },
  )
}

/** CRC-32 of a file's bytes as 8 hex digits. */
export const checksumOf = (bytes: Uint8Array): string => crc32(bytes).toString(16).padStart(8, '0')
