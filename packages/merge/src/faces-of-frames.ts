import { basename } from 'node:path'
import { DflError, type FaceMeta, type Point } from '@dfl/core'
import { openFaceset } from '@dfl/faceset'
import type { FaceToMerge } from './merge-face.js'

/** The faces of a frame; an empty list where it has none. */
export type FacesOf = (frame: {
  index: number
  name: string
}) => readonly FaceToMerge[] | Promise<readonly FaceToMerge[]>

/** Without what merging does not need: embeddings and landmarks are most of a face's memory. */
type SlimFace = Omit<FaceMeta, 'landmarks' | 'sourceLandmarks' | 'embedding'> & { points: Float64Array }

/**
 * The faces of a clip's frames, from the faceset that was extracted from it.
 *
 * Faces belong to the frame whose name they carry. Where no name fits, because the clip was renamed since, and the
 * faceset is of one clip only, they belong to the frame of their index.
 *
 * Faces bring the masks that the faceset holds, such as those of turned heads, and what was drawn by hand.
 *
 * @param folder Folder of the faceset.
 * @param clip Path of the clip.
 * @throws DflError `NO_FACES` when the faceset has no face of this clip.
 */
export async function facesOfClip(folder: string, clip: string): Promise<FacesOf> {
  const faceset = await openFaceset(folder)
  const byName = new Map<string, SlimFace[]>()
  const byIndex = new Map<number, SlimFace[]>()
  const clips = new Set<string>()
  for await (const face of faceset.faces()) {
    const slim = slimmed(face)
    add(byName, face.sourceFilename, slim)
    add(byIndex, face.frameIndex, slim)
    clips.add(clipOf(face.sourceFilename))
  }
  // Masks stay on disk until their frame is merged, so that memory does not grow with the clip.
  const load = (faces: readonly SlimFace[] = []) =>
    Promise.all(
      faces.map(async (face): Promise<FaceToMerge> => {
        const ownMask = await faceset.readMask(face)
        return { ...whole(face), ...(ownMask ? { ownMask } : {}) }
      }),
    )
  const own = basename(clip)
  const isFolder = clips.size > 0 && [...clips].every((name) => name === '')
  if (clips.has(own) || isFolder) return ({ name }) => load(byName.get(name))
  if (clips.size === 1) return ({ index }) => load(byIndex.get(index))
  const names = [...clips].map((name) => `'${name}'`).join(', ')
  throw new DflError(
    'NO_FACES',
    `Expected faces of '${own}' in \`${folder}\`, but got ${names ? `faces of ${names}` : 'none'}. Extract the faces of this clip first.`,
    { data: { folder, clip, clips: [...clips] } },
  )
}

/** 'clip.mp4' of 'clip.mp4#12'; '' of the name of an image. */
function clipOf(sourceFilename: string): string {
  const hash = sourceFilename.lastIndexOf('#')
  return hash < 0 ? '' : sourceFilename.slice(0, hash)
}

function add<K>(map: Map<K, SlimFace[]>, key: K, face: SlimFace): void {
  const list = map.get(key)
  if (list) list.push(face)
  else map.set(key, [face])
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
