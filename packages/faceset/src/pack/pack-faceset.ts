import { crc32 } from 'node:zlib'
import { draftFile } from '@dfl/core/files'
import type { Faceset } from '../faceset.js'
import { FORMAT_VERSION, printLine } from '../log-lines.js'
import { maskFile } from '../mask-file.js'
import { checksumOf, MASK_FOLDER } from '../open-faceset.js'
import { LOG_NAME } from '../read-log.js'
import { centralDirectory, localHeader, localHeaderLength, type ZipEntry } from './zip-format.js'

/** How far an operation on a faceset is, in faces. */
export interface FacesetProgress {
  done: number
  total: number
}

/**
 * Writes a faceset into one file, which `openFaceset` reads as it reads a folder. Walk it to make it work.
 *
 * The file is a ZIP archive without compression (PNG files are compressed already), so any program can open it. It
 * appears whole or not at all, and the same faces always give the same bytes.
 *
 * @param path Usually ends in .zip. What stands there is replaced.
 */
export async function* packFaceset(faceset: Faceset, path: string): AsyncGenerator<FacesetProgress> {
  const total = faceset.info.count
  await using draft = await draftFile(path)
  const entries: ZipEntry[] = []
  let offset = 0
  const append = async (name: string, bytes: Uint8Array) => {
    const entry = { name, crc32: crc32(bytes), size: bytes.length, offset }
    await draft.write(localHeader(entry))
    await draft.write(bytes)
    entries.push(entry)
    offset += localHeaderLength(name) + bytes.length
  }

  // The log comes last, as its length is only known then.
  const { faceType, size } = faceset.info
  const log = [printLine({ kind: 'faceset', version: FORMAT_VERSION, faceType, size })]
  for await (const face of faceset.faces()) {
    const bytes = await faceset.readFile(face)
    const maskPixels = await faceset.readMask(face)
    const mask = maskPixels && (await maskFile(face.filename, maskPixels))
    await append(face.filename, bytes)
    if (mask) await append(`${MASK_FOLDER}/${mask.name}`, mask.bytes)
    log.push(printLine({ kind: 'face', crc32: checksumOf(bytes), face: { ...face, mask: mask?.name } }))
    yield { done: log.length - 1, total }
  }
  for (const [source, frames] of faceset.framesDone())
    for (const frameIndex of frames) log.push(printLine({ kind: 'frameDone', source, frameIndex }))

  let checksum = 0
  let length = 0
  for (const line of log) {
    const bytes = Buffer.from(`${line}\n`)
    checksum = crc32(bytes, checksum)
    length += bytes.length
  }
  const entry = { name: LOG_NAME, crc32: checksum, size: length, offset }
  await draft.write(localHeader(entry))
  for (let i = 0; i < log.length; i += 1000)
    await draft.write(
      log
        .slice(i, i + 1000)
        .map((line) => `${line}\n`)
        .join(''),
    )
  entries.push(entry)
  await draft.write(centralDirectory(entries, offset + localHeaderLength(LOG_NAME) + length))
  await draft.commit()
}
