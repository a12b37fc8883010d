import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Bitmap, collect, DflError, type FaceMeta } from '@dfl/core'
import { readImage } from '@dfl/media'
import type { Faceset } from './faceset.js'
import { indexLog, type LogIndex } from './index-log.js'
import { parseLine } from './log-lines.js'
import { LOG_NAME, readLines } from './read-log.js'

/**
 * The faceset in `folder`, as it stands now. Reads only.
 *
 * What a crash left half done is counted in `info` and left out: a last line that was cut off, faces whose image is gone.
 *
 * @throws DflError `NO_SUCH_FILE` when there is no faceset, `CORRUPT_FILE` when it is not one.
 */
export async function openFaceset(folder: string): Promise<Faceset> {
  const path = join(folder, LOG_NAME)
  const index = await indexLog(path)
  const { header, damagedLines, missingImages } = index
  const faces = () => readFaces(path, index)
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
    readImage: (face) => readFaceImage(folder, face, index),
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
  for await (const { text, start } of readLines(path, index.completeBytes)) {
    const line = text === undefined ? undefined : parseLine(text, index.header)
    if (line?.kind === 'face' && index.faces.get(line.face.filename)?.start === start) yield line.face
  }
}

async function readFaceImage(folder: string, face: Pick<FaceMeta, 'filename'>, index: LogIndex): Promise<Bitmap> {
  const entry = index.faces.get(face.filename)
  const path = join(folder, face.filename)
  const data = { path }
  if (!entry)
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a face of the faceset \`${folder}\` for \`face\`, but got '${face.filename}', which it does not list. ` +
        'Pass a face that came from this faceset.',
      { data },
    )
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected the image of a face at \`${path}\`, but it is gone. Open the faceset again to go on without it.`,
      { data, cause },
    )
  })
  const checksum = checksumOf(bytes)
  if (checksum !== entry.crc32)
    throw new DflError(
      'CORRUPT_FILE',
      `Expected checksum ${entry.crc32} for \`${path}\`, but got ${checksum}. ` +
        'The image was changed or damaged since it was written: restore it, or delete it to go on without this face.',
      { data },
    )
  const image = await readImage(bytes, { channels: 3, keep16: true })
  const { size } = index.header
  if (image.width !== size || image.height !== size || image.channels !== 3)
    throw new DflError(
      'CORRUPT_FILE',
      `Expected ${size} x ${size} pixels of 3 channels in \`${path}\`, but got ${image.width} x ${image.height} of ` +
        `${image.channels}. Delete the file to go on without this face.`,
      { data },
    )
  return image
}

/** CRC-32 of a file's bytes as 8 hex digits. */
export const checksumOf = (bytes: Uint8Array): string => crc32(bytes).toString(16).padStart(8, '0')
