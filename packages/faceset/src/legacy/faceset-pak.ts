import { open } from 'node:fs/promises'
import { DflError } from '@dfl/core'
import { readPickle } from '@dfl/core/pickle'
import { leadsOut, show } from '../pack/zip-format.js'
import type { DflMetadata } from './dfl-face.js'

/** Longest list of samples that is read, in bytes, and the longest image. */
const MAX_LIST = 2 ** 30
const MAX_IMAGE = 2 ** 26

/** One image of a pack. */
export interface PakImage {
  filename: string
  /** What the pack's list says of it; the image's own metadata says more where it has any. */
  metadata: DflMetadata
  jpeg: Uint8Array
}

/**
 * The images in a faceset.pak of DeepFaceLab, one after the other.
 *
 * Layout: version and length of the list as 64-bit numbers, the list as a pickle, a table of where images begin,
 * the images. The table's last entry counts from the beginning of the file, the others from that of the images.
 *
 * @throws DflError `CORRUPT_FILE` when it is not such a file, or cut off.
 */
export async function* readPak(path: string): AsyncGenerator<PakImage & { total: number }> {
  const broken = (got: string) =>
    new DflError(
      'CORRUPT_FILE',
      `Expected a faceset.pak of DeepFaceLab in \`${path}\`, but got ${got}. Copy it again from where it came from.`,
      { data: { path } },
    )
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const read = async (position: number, length: number, what: string): Promise<Buffer> => {
      if (!(length >= 0) || position + length > size) throw broken(`a file that ends before ${what}`)
      const bytes = Buffer.alloc(length)
      const { bytesRead } = await file.read(bytes, 0, length, position)
      if (bytesRead < length) throw broken(`a file that ends before ${what}`)
      return bytes
    }
    const head = await read(0, 16, 'its list')
    const version = head.readBigUInt64LE(0)
    if (version !== 1n) throw broken(`something else, or version ${version}`)
    const length = Number(head.readBigUInt64LE(8))
    if (length > MAX_LIST) throw broken(`a list of ${length} bytes`)
    // A list of n samples takes well over 200 values each, with 136 landmarks.
    const list = readPickle(await read(16, length, 'the end of its list'), path, { maxValues: 50_000_000 })
    if (!Array.isArray(list)) throw broken('a list that is none')
    for (const metadata of list) {
      const name = metadata instanceof Map ? nameOf(metadata) : undefined
      if (name !== undefined && leadsOut(name))
        throw broken(`one with an image called ${show(name)}, which leads out of its folder`)
    }
    const tableStart = 16 + length
    const dataStart = tableStart + 8 * (list.length + 1)
    const table = await read(tableStart, 8 * (list.length + 1), 'its images')
    const offset = (i: number) => Number(table.readBigUInt64LE(8 * i))
    const end = offset(list.length)
    if (list.length > 0 && end !== size && dataStart + end !== size)
      throw broken('a file of another length than it says')
    for (const [i, metadata] of list.entries()) {
      if (!(metadata instanceof Map)) throw broken('an image without metadata')
      const from = dataStart + offset(i)
      const to = i === list.length - 1 ? size : dataStart + offset(i + 1)
      if (from < dataStart || to < from || to - from > MAX_IMAGE) throw broken('images that lie nowhere in it')
      const jpeg = await read(from, to - from, 'the end of an image')
      yield { filename: nameOf(metadata) ?? `${i}.jpg`, metadata, jpeg, total: list.length }
    }
  } finally {
    await file.close()
  }
}

function nameOf(metadata: DflMetadata): string | undefined {
  const name = metadata.get('filename')
  return typeof name === 'string' ? name : undefined
}
