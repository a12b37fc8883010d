import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { clipOf, DflError, type FaceMeta, type Point } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { openFaceset, REJECT_FOLDER } from '@dfl/faceset'
import { frameNames, openFrames } from '@dfl/media'
import type { FaceToMerge } from './merge-face.js'

/** The faces of a frame; an empty list where it has none. */
export type FacesOf = (frame: {
  index: number
  name: string
}) => readonly FaceToMerge[] | Promise<readonly FaceToMerge[]>

/** The faces of a clip, and what is known of frames that have none. */
export interface ClipFaces {
  of: FacesOf
  /** A text that changes when anything changes that merging reads of a frame's faces. */
  stamp(frame: { index: number; name: string }): Promise<string>
  /** Why faces of a frame were put aside, one list of reasons for each. */
  putAside(frame: { index: number; name: string }): readonly (readonly string[])[]
  /** Whether faces were looked for in a frame. */
  lookedAt(index: number): boolean
}

/** Without what merging does not need: embeddings and landmarks are most of a face's memory. */
type SlimFace = Omit<FaceMeta, 'landmarks' | 'sourceLandmarks' | 'embedding'> & { points: Float64Array }

/** The faces that a function gives, which tells nothing of frames without faces. */
export const facesOfFunction = (of: FacesOf): ClipFaces => ({
  of,
  stamp: async (frame) => stampOf(await of(frame)),
  putAside: () => [],
  lookedAt: () => true,
})

/**
 * The faces of a clip's frames, from the faceset that was extracted from it.
 *
 * Faces of images belong to the frame whose name they carry. Where no name fits, because images were renamed since or are a
 * video by now, and faces of a video, belong to the frame of their index.
 *
 * Faces bring the masks that the faceset holds, such as those of turned heads, and what was drawn by hand.
 *
 * @param folder Folder of the faceset.
 * @param clip Path of the clip.
 * @param source What the faceset calls the clip. If not given its file name, where the faceset has faces of a clip of that name;
 * else its only clip, whatever that is called.
 * @throws DflError `NO_FACES` when the faceset has no face of this clip, or its faces were found in frames of another size.
 */
export async function facesOfClip(folder: string, clip: string, source = basename(clip)): Promise<ClipFaces> {
  const faceset = await openFaceset(folder)
  const rejects = join(folder, REJECT_FOLDER)
  const rejected = (await exists(rejects)) ? await openFaceset(rejects) : undefined
  const byClip = new Map<string, SlimFace[]>()
  for await (const face of faceset.faces()) add(byClip, clipOf(face), slimmed(face))
  const names = await frameNames(clip)
  const given = { folder, clip, source, isImages: names.length > 0, aside: rejected?.info.count ?? 0 }
  const own = clipAmong([...byClip.keys()], given)
  const nameOf = (name: string) => (own === '' ? name : `${own}/${name}`)
  const faces = new Map<string | number, SlimFace[]>()
  const aside = new Map<string | number, (readonly string[])[]>()
  let size: FaceMeta['frameSize']
  for (const face of byClip.get(own)!) {
    add(faces, face.sourceFilename, face)
    add(faces, face.frameIndex, face)
    size = face.frameSize ?? size
  }
  await expectSize(size, { folder, clip })
  for await (const face of rejected?.faces() ?? []) {
    if (clipOf(face) !== own) continue
    add(aside, face.sourceFilename, face.rejected ?? [])
    add(aside, face.frameIndex, face.rejected ?? [])
  }
  const byName = names.some((name) => faces.has(nameOf(name)))
  const keyOf = ({ index, name }: { index: number; name: string }) => (byName ? nameOf(name) : index)
  const done = own === '' ? undefined : faceset.framesDone().get(own)
  return {
    // Masks stay on disk until their frame is merged, so that memory does not grow with the clip.
    of: (frame) =>
      Promise.all(
        (faces.get(keyOf(frame)) ?? []).map(async (face): Promise<FaceToMerge> => {
          const ownMask = await faceset.readMask(face)
          return { ...whole(face), ...(ownMask ? { ownMask } : {}) }
        }),
      ),
    async stamp(frame) {
      const own = faces.get(keyOf(frame)) ?? []
      const masks = await Promise.all(own.map(({ mask }) => (mask ? maskStamp(folder, mask) : undefined)))
      return stampOf(own, masks)
    },
    putAside: (frame) => aside.get(keyOf(frame)) ?? [],
    lookedAt: (index) => !done?.size || done.has(index),
  }
}

/** What a faceset calls the clip: of several, the one of that name, else images whose folder has none. @throws DflError `NO_FACES`. */
function clipAmong(
  clips: readonly string[],
  given: { folder: string; clip: string; source: string; isImages: boolean; aside: number },
): string {
  const { folder, clip, source, isImages, aside } = given
  if (clips.includes(source)) return source
  if (clips.length === 1) return clips[0]!
  if (clips.includes('') && isImages) return ''
  const expected = `Expected faces of '${source}' in \`${folder}\``
  const names = clips.map((name) => (name === '' ? 'images' : `'${name}'`)).join(', ')
  if (clips.length === 0 && aside > 0)
    throw new DflError(
      'NO_FACES',
      `${expected}, but all ${aside} are put aside. Bring some back: dfl faceset restore`,
      { data: { folder, clip } },
    )
  throw new DflError(
    'NO_FACES',
    `${expected}, but got ${names ? `faces of ${names}` : 'none'}. Extract the faces of this clip first.`,
    { data: { folder, clip, clips } },
  )
}

/** @throws DflError `NO_FACES` where faces were found in frames of another size: they would lie beside the clip's. */
async function expectSize(
  found: FaceMeta['frameSize'],
  { folder, clip }: { folder: string; clip: string },
): Promise<void> {
  await using source = await openFrames(clip)
  const { width, height } = source.info
  if (!found || (found.width === width && found.height === height)) return
  throw new DflError(
    'NO_FACES',
    `Expected faces found in frames of ${width} x ${height} pixels, as \`${clip}\` has, in \`${folder}\`, but got faces found in ${found.width} x ${found.height}. Extract the faces of this clip first.`,
    { data: { folder, clip, found } },
  )
}

/** What tells one state of a mask's file from another. */
async function maskStamp(folder: string, mask: string): Promise<readonly number[]> {
  const found = await stat(join(folder, 'masks', mask)).catch(() => stat(folder))
  return [found.size, found.mtimeMs]
}

/** A text of all of some faces that shows in a picture: not their files' names, nor who they are. */
function stampOf(faces: readonly (SlimFace | FaceToMerge)[], masks: readonly unknown[] = []): string {
  if (faces.length === 0) return ''
  const hash = createHash('sha256')
  for (const face of faces) {
    const { filename: _, originalFilename: __, pose: ___, mask: ____, ...rest } = face
    const ownMask = 'ownMask' in rest ? rest.ownMask : undefined
    const points = 'points' in rest ? Array.from(rest.points) : undefined
    hash.update(JSON.stringify({ ...rest, ownMask: undefined, embedding: undefined, landmarks: undefined, points }))
    if (ownMask) hash.update(new Uint8Array(ownMask.data.buffer, ownMask.data.byteOffset, ownMask.data.byteLength))
  }
  return hash.update(JSON.stringify(masks)).digest('base64')
}

function add<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

function slimmed({ landmarks: _, embedding: __, sourceLandmarks, ...rest }: FaceMeta): SlimFace {
  return { ...rest, points: Float64Array.from(sourceLandmarks.flat()) }
}

function whole({ points, ...rest }: SlimFace): FaceMeta {
  const sourceLandmarks = Array.from(
    { length: points.length / 2 },
    (_, i): Point => [points[2 * i]!, points[2 * i + 1]!],
  )
  return { ...rest, sourceLandmarks, landmarks: [] }
}
