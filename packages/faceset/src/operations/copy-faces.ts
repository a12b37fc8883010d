import { type Bitmap, DflError, type FaceMeta, type FaceType, mapConcurrent, type Pixels } from '@dfl/core'
import type { Faceset } from '../faceset.js'
import type { FacesetProgress } from '../pack/pack-faceset.js'
import { continueFaceset, freeName, type Recipe } from './continue-faceset.js'

/** Faces that are made at once: decoding and encoding happen in threads of their own. */
const AT_ONCE = 4

/** What becomes of a face: what is known of it, and its image and mask where they change. */
export interface ChangedFace {
  face: FaceMeta
  /** [size, size, 3], or the bytes of an image file. The image file is copied as it is where this is left out. */
  image?: Pixels | Bitmap | Uint8Array
  /** [M, M, 1]. The mask is copied as it is where this is left out. */
  mask?: Pixels | Bitmap
}

/** How faces are copied. */
export interface CopyOptions {
  /** Says what the copy is made by: only the same goes on in a folder that was begun. */
  recipe: Recipe
  /** Which faces are copied; all if not given. */
  wanted?: (face: FaceMeta) => boolean
  /** What becomes of a face; it stays as it is if not given. Its file name is not taken from here. */
  change?: (face: FaceMeta, from: Faceset) => Promise<ChangedFace> | ChangedFace
  /** Whether `change` gives every face another image; they are PNG files then, whatever they were. */
  newImages?: boolean
  /** Face type and side of the copies; those of the first faceset if not given. */
  faceType?: FaceType
  size?: number
}

/**
 * Copies faces of one or several facesets into a new one in `folder`. Walk it to make it work.
 *
 * Stopped at any moment, it goes on where it was when it is called again with the same recipe. Faces of the same name get
 * a number. Images that do not change are copied byte by byte.
 *
 * @throws DflError `FACE_TYPE_MISMATCH` when the facesets differ in face type or size and `change` does not even them out,
 * `BAD_STATE` when another faceset stands there.
 */
export async function* copyFaces(
  from: readonly Faceset[],
  folder: string,
  options: CopyOptions,
): AsyncGenerator<FacesetProgress> {
  const { recipe, wanted = () => true, change, newImages = false } = options
  const [first] = from
  if (!first) throw new DflError('NO_FACES', 'Expected at least one faceset for `from`, but got none. Name one.')
  const { faceType = first.info.faceType, size = first.info.size } = options
  for (const { info } of from)
    if (!change && (info.faceType !== faceType || info.size !== size))
      throw new DflError(
        'FACE_TYPE_MISMATCH',
        `Expected faces of ${faceType} at ${size} px in all facesets, but got ${info.faceType} at ${info.size} px. ` +
          'Cut them again to one face type and size first.',
      )
  const { writer, there } = await continueFaceset(folder, recipe, { faceType, size })
  await using _ = writer
  const total = from.reduce((sum, { info }) => sum + info.count, 0)

  async function* all(): AsyncGenerator<{ face: FaceMeta; faceset: Faceset; filename: string }> {
    const taken = new Set<string>()
    for (const faceset of from)
      for await (const face of faceset.faces()) {
        const name = newImages ? face.filename.replace(/\.\w+$/, '.png') : face.filename
        yield { face, faceset, filename: freeName(name, taken) }
      }
  }
  type Prepared = ChangedFace & Required<Pick<ChangedFace, 'image'>>
  type Item = { face: FaceMeta; faceset: Faceset; filename: string }
  const prepare = async ({ face, faceset, filename }: Item): Promise<Prepared | undefined> => {
    if (there.has(filename) || !wanted(face)) return undefined
    const changed: ChangedFace = change ? await change(face, faceset) : { face }
    const mask = changed.mask ?? (await faceset.readMask(face))
    const image = changed.image ?? (await faceset.readFile(face))
    return { face: { ...changed.face, filename }, image, mask }
  }
  const prepared = mapConcurrent(all(), prepare, AT_ONCE)
  const write = async (made: Prepared | undefined) => {
    if (made) await writer.add(made.face, made.image, made.mask)
  }
  let done = 0
  for await (const _ of mapConcurrent(prepared, write, AT_ONCE)) yield { done: ++done, total }
  for (const faceset of from)
    for (const [source, frames] of faceset.framesDone())
      for (const frameIndex of frames) await writer.frameDone(source, frameIndex)
}
