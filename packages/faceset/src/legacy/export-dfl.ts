import { basename, extname, join } from 'node:path'
import { DflError, type FaceMeta, mapConcurrent } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import { writePickle } from '@dfl/core/pickle'
import { resize, toPixels } from '@dfl/image'
import { encodeImage } from '@dfl/media'
import type { Faceset } from '../faceset.js'
import type { FacesetProgress } from '../pack/pack-faceset.js'
import { toDfl } from './dfl-face.js'
import { MAX_SEGMENT, withApp15 } from './jpeg-segments.js'

/** Side of the masks that DeepFaceLab keeps, in pixels, and the most bytes that it gives them. */
const MASK_SIDE = 256
const MAX_MASK = 50_000

/**
 * Writes a faceset as DeepFaceLab reads it: JPEG files that carry their metadata. Walk it to make it work.
 *
 * Faces that are JPEG files already keep their pixels as they are; others are compressed.
 *
 * @param options `quality`: of the JPEG files that are made, 1..100.
 */
export async function* exportDfl(
  faceset: Faceset,
  folder: string,
  { quality = 95 }: { quality?: number } = {},
): AsyncGenerator<FacesetProgress> {
  const total = faceset.info.count
  const write = async (face: FaceMeta) => {
    const name = `${basename(face.filename, extname(face.filename))}.jpg`
    const path = join(folder, name)
    const jpeg = /\.jpe?g$/i.test(face.filename)
      ? await faceset.readFile(face)
      : await encodeImage(await faceset.readImage(face), 'jpg', { quality })
    const content = writePickle(toDfl(face, await maskBytes(faceset, face)))
    if (content.length > MAX_SEGMENT)
      throw new DflError(
        'UNSUPPORTED_MEDIA',
        `Expected metadata of at most ${MAX_SEGMENT} bytes for '${face.filename}', which is all that a JPEG file of ` +
          `DeepFaceLab holds, but got ${content.length}. Remove polygons from this face.`,
      )
    await writeFileAtomic(path, withApp15(jpeg, content, path))
  }
  let done = 0
  for await (const _ of mapConcurrent(faceset.faces(), write, 4)) yield { done: ++done, total }
}

/** A face's mask as DeepFaceLab keeps it: a PNG file of 256 px, or where that is too long a JPEG file that is not. */
async function maskBytes(faceset: Faceset, face: FaceMeta): Promise<Uint8Array | undefined> {
  const mask = await faceset.readMask(face)
  if (!mask) return undefined
  const small =
    mask.width === MASK_SIDE
      ? toPixels(mask)
      : resize(mask, { width: MASK_SIDE, height: MASK_SIDE }, { filter: 'area' })
  let bytes = await encodeImage(small, 'png')
  for (let quality = 95; bytes.length > MAX_MASK && quality > 0; quality -= 10)
    bytes = await encodeImage(small, 'jpg', { quality })
  return bytes
}
