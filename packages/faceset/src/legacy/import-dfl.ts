import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DflError, type FaceMeta, isDflError } from '@dfl/core'
import { readPickle } from '@dfl/core/pickle'
import { imageSize, readImage } from '@dfl/media'
import { type ContinuedFaceset, continueFaceset, freeName } from '../operations/continue-faceset.js'
import { type DflMetadata, fromDfl } from './dfl-face.js'
import { readPak } from './faceset-pak.js'
import { readApp15, withApp15 } from './jpeg-segments.js'

/** How far an import is. */
export interface ImportProgress {
  done: number
  total: number
  /** Faces that are in the new faceset. */
  imported: number
  /** Why the last file was left out, if it was. */
  problem?: DflError
}

/** How faces of another program are imported. */
export interface ImportOptions {
  /** The clip that the faces come from, if it was a video: frame 00012.png is then its twelfth frame. */
  clip?: string
}

/**
 * Imports a faceset of DeepFaceLab: a folder of its JPEG files, with or without a faceset.pak, or that file alone. Walk it
 * to make it work, stop it and call it again as often as you like.
 *
 * Pixels are copied as they are, without being compressed again. Landmarks, matrix, boxes, polygons, masks, brows and
 * persons come along. Files that cannot be read are told and left out.
 *
 * @param folder Of the new faceset.
 * @throws DflError `NO_SUCH_FILE`, `NO_FACES` when nothing could be imported, with the first reason.
 */
export async function* importDfl(
  source: string,
  folder: string,
  { clip }: ImportOptions = {},
): AsyncGenerator<ImportProgress> {
  let target: (ContinuedFaceset & { faceType: FaceMeta['faceType']; size: number }) | undefined
  const taken = new Set<string>()
  let done = 0
  let imported = 0
  let firstProblem: DflError | undefined
  try {
    for await (const { filename, jpeg, listed, total, place, error } of filesOf(source)) {
      let problem = error
      try {
        if (problem) throw problem
        const size = await squareSide(jpeg, place)
        const own = readApp15(jpeg, place)
        const metadata = own ? new Map([...(listed ?? []), ...metadataOf(own, place)]) : listed
        if (!metadata) throw corrupt(place, 'a JPEG file with metadata of DeepFaceLab', 'one without')
        const { face, mask } = fromDfl(metadata, { filename, size, place, clip })
        const { faceType } = face
        target ??= {
          ...(await continueFaceset(folder, { operation: 'import-dfl', clip }, { faceType, size })),
          faceType,
          size,
        }
        if (faceType !== target.faceType || size !== target.size)
          throw corrupt(
            place,
            `${target.faceType} at ${target.size} px, as the first face is,`,
            `${faceType} at ${size} px`,
          )
        // Persons of a pack may have images of one name.
        const named = { ...face, filename: freeName(face.filename, taken) }
        if (!target.there.has(named.filename)) {
          const maskImage = mask && (await readImage(mask, { channels: 1 }))
          await target.writer.add(named, withApp15(jpeg, undefined, place), maskImage)
        }
        imported++
      } catch (caught) {
        if (!isDflError(caught) || !['CORRUPT_FILE', 'UNSUPPORTED_MEDIA', 'BAD_SHAPE'].includes(caught.code))
          throw caught
        problem = caught
        firstProblem ??= caught
      }
      yield { done: ++done, total, imported, problem }
    }
  } finally {
    await target?.writer.close()
  }
  if (imported > 0) return
  throw new DflError(
    'NO_FACES',
    `Expected faces of DeepFaceLab in \`${source}\`, but got none. ${firstProblem?.message ?? 'Name a folder of its JPEG files, or a faceset.pak.'}`,
    { data: { source }, cause: firstProblem },
  )
}

interface DflFile {
  filename: string
  jpeg: Uint8Array
  /** What a pack's list says of it. */
  listed?: DflMetadata
  total: number
  place: string
  error?: DflError
}

/** The JPEG files of a folder and of the pack in it. */
async function* filesOf(source: string): AsyncGenerator<DflFile> {
  const found = await stat(source).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT' && cause.code !== 'ENOTDIR') throw cause
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a folder of DeepFaceLab's faces or a faceset.pak, but there is nothing at \`${source}\`. Check the path.`,
      { data: { source }, cause },
    )
  })
  const names = found.isDirectory() ? (await readdir(source)).sort() : [basename(source)]
  const folder = found.isDirectory() ? source : join(source, '..')
  const wanted = names.filter((name) => /\.(jpe?g|pak)$/i.test(name))
  for (const name of wanted) {
    const path = join(folder, name)
    if (!/\.pak$/i.test(name)) {
      yield { filename: name, jpeg: await readFile(path), total: wanted.length, place: path }
      continue
    }
    for await (const { filename, jpeg, metadata, total } of readPak(path))
      yield { filename, jpeg, listed: metadata, total: total + wanted.length - 1, place: join(path, filename) }
  }
}

function metadataOf(bytes: Uint8Array, place: string): DflMetadata {
  const value = readPickle(bytes, place)
  if (value instanceof Map) return value
  throw corrupt(place, 'metadata of DeepFaceLab', 'other data')
}

async function squareSide(jpeg: Uint8Array, place: string): Promise<number> {
  const damaged = (cause: unknown): never => {
    throw isDflError(cause, 'UNSUPPORTED_MEDIA')
      ? corrupt(place, 'a whole JPEG file', 'an empty or damaged one', cause)
      : cause
  }
  const { width, height } = await imageSize(jpeg).catch(damaged)
  if (width !== height || width < 16 || width > 8192)
    throw corrupt(place, 'a square image of 16 to 8192 px', `${width} x ${height} pixels`)
  // All of it, so that a file that was cut off does not get in.
  await readImage(jpeg).catch(damaged)
  return width
}

const corrupt = (place: string, expected: string, got: string, cause?: unknown) =>
  new DflError('CORRUPT_FILE', `Expected ${expected} in \`${place}\`, but got ${got}. It is left out.`, {
    data: { path: place },
    cause,
  })
