import { rm } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { type Bitmap, DflError, type FaceMeta, mapConcurrent, type Pixels } from '@dfl/core'
import { exists, writeFileAtomic } from '@dfl/core/files'
import { toBitmap } from '@dfl/image'
import { readImage, writeImage } from '@dfl/media'
import { faceMask } from '../face-mask.js'
import type { Faceset } from '../faceset.js'
import { maskFile } from '../mask-file.js'
import { MASK_FOLDER, openFaceset } from '../open-faceset.js'
import type { FacesetProgress } from '../pack/pack-faceset.js'
import { rewrite } from '../rewrite.js'
import { jsonFiles, type Outlines, readOutlines } from './read-outlines.js'

/**
 * Writes the masks of a faceset as gray PNG files, as training sees them, with the names of their faces. Walk it to make it
 * work.
 *
 * @param out Folder of the masks. It must not be the faceset's own.
 */
export async function* exportMasks(faceset: Faceset, out: string): AsyncGenerator<FacesetProgress> {
  const total = faceset.info.count
  const write = async (face: FaceMeta) => {
    const mask = faceMask(face, { mask: await faceset.readMask(face) })
    await writeImage(join(out, `${stemOf(face)}.png`), toBitmap(mask))
  }
  let done = 0
  for await (const _ of mapConcurrent(faceset.faces(), write, 4)) yield { done: ++done, total }
}

/**
 * Gives the faces of `folder` what was drawn on them elsewhere, by their names: how many got something, at the end.
 *
 * Gray images, white where the face is, become masks; any size is fine, as they cover the whole aligned image. Outlines that
 * labelme or the VGG Image Annotator drew become polygons, in place of those that a face had. Where there are JSON files,
 * images beside them are those that were drawn on. Faces that are not named keep what they have. A crash leaves the old or
 * the new.
 *
 * @param masks  Folder of images or of JSON files, or one JSON file.
 * @throws DflError `NO_SUCH_FILE` when no face is named there, `UNSUPPORTED_MEDIA`, `BAD_SHAPE` for an image that is not
 * square, `CORRUPT_FILE` for what is no JSON.
 */
export async function* importMasks(folder: string, masks: string): AsyncGenerator<FacesetProgress, number> {
  const faceset = await openFaceset(folder)
  if ((await jsonFiles(masks)).length > 0) return yield* importOutlines(folder, await readOutlines(masks), masks)
  async function* found() {
    for await (const face of faceset.faces()) {
      const path = await maskPathOf(face, masks)
      if (path) yield { filename: face.filename, mask: await readImage(path, { channels: 1 }) }
    }
  }
  const count = yield* setMasks(folder, found())
  if (count > 0) return count
  throw new DflError(
    'NO_SUCH_FILE',
    `Expected images with the names of faces in \`${masks}\`, but got none. Name them as the faces are named.`,
    { data: { folder: masks } },
  )
}

async function* importOutlines(
  folder: string,
  outlines: readonly Outlines[],
  where: string,
): AsyncGenerator<FacesetProgress, number> {
  const { info } = await openFaceset(folder)
  const found = new Map(outlines.map((one) => [one.stem, one]))
  let count = 0
  await rewrite(folder, ({ polygons: before, ...face }) => {
    const drawn = found.get(stemOf(face))
    if (!drawn) return before ? { ...face, polygons: before } : face
    count++
    const { width, height } = drawn.imageSize ?? { width: face.size, height: face.size }
    const polygons = drawn.polygons.map(({ kind, points }) => ({
      kind,
      points: points.map(([x, y]) => [(x * face.size) / width, (y * face.size) / height] as const),
    }))
    return polygons.length > 0 ? { ...face, polygons } : face
  })
  if (count === 0)
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected outlines of labelme or the VGG Image Annotator on images with the names of faces in \`${where}\`, but got none. Draw them on the images of the faceset.`,
      { data: { folder: where } },
    )
  yield { done: count, total: info.count }
  return count
}

/**
 * Gives faces of `folder` masks of their own: how many, at the end. Walk it to make it work.
 *
 * The masks are on disk before the metadata that names them: a crash leaves the old ones or the new ones.
 *
 * @param masks [M, M, 1] each, over the whole aligned image, in any order; nothing takes a face's mask away.
 */
export async function* setMasks(
  folder: string,
  masks: AsyncIterable<{ filename: string; mask: Pixels | Bitmap | undefined }>,
): AsyncGenerator<FacesetProgress, number> {
  const { info } = await openFaceset(folder)
  const names = new Map<string, string | undefined>()
  for await (const { filename, mask } of masks) {
    const file = mask && (await maskFile(filename, mask))
    if (file) await writeFileAtomic(join(folder, MASK_FOLDER, file.name), file.bytes)
    names.set(filename, file?.name)
    yield { done: names.size, total: info.count }
  }
  const old: string[] = []
  await rewrite(folder, ({ mask, ...face }) => {
    if (!names.has(face.filename)) return mask === undefined ? face : { ...face, mask }
    const name = names.get(face.filename)
    if (mask !== undefined && mask !== name) old.push(mask)
    return name === undefined ? face : { ...face, mask: name }
  })
  for (const name of old) await rm(join(folder, MASK_FOLDER, name), { force: true })
  return names.size
}

const stemOf = ({ filename }: Pick<FaceMeta, 'filename'>) => basename(filename, extname(filename))

async function maskPathOf(face: FaceMeta, masks: string): Promise<string | undefined> {
  for (const name of new Set([face.filename, `${stemOf(face)}.png`]))
    if (await exists(join(masks, name))) return join(masks, name)
  return undefined
}
