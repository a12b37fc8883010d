import { extname } from 'node:path'
import { clipOf, type FaceMeta } from '@dfl/core'
import { openFaceset } from '../open-faceset.js'
import { arrange } from './arrange.js'
import { freeName } from './continue-faceset.js'

/**
 * The file name of an aligned image: 'clip_000012_0.png' for the first face of frame 12 of clip.mp4, 'shot2_0013_000012_0.png' for
 * that of shot2/0013.exr. Sorts by frame, and is safe anywhere.
 *
 * @param frame Name of the frame, and its position in its clip.
 * @param faceIndex Which face of the frame.
 */
export function alignedName(frame: { name: string; index: number }, faceIndex: number): string {
  const file = frame.name.replace(/#\d+$/, '')
  const stem = file
    .slice(0, file.length - extname(file).length)
    .replace(/[^\p{L}\p{N}._-]+/gu, '_')
    .replace(/^\.+/, '')
    .slice(0, 120)
  return `${stem || 'frame'}_${String(frame.index).padStart(6, '0')}_${faceIndex}.png`
}

/**
 * Gives the faces of `folder` the names that they had before sorting, and puts them in the order of their frames: how many
 * were renamed.
 */
export async function restoreNames(folder: string): Promise<number> {
  const faces: Pick<FaceMeta, 'filename' | 'originalFilename' | 'sourceFilename' | 'frameIndex' | 'faceIndex'>[] = []
  const faceset = await openFaceset(folder)
  for await (const { filename, originalFilename, sourceFilename, frameIndex, faceIndex } of faceset.faces())
    faces.push({ filename, originalFilename, sourceFilename, frameIndex, faceIndex })
  faces.sort(byFrame)
  const taken = new Set(faces.filter((face) => !face.originalFilename).map(({ filename }) => filename.toLowerCase()))
  return arrange(
    folder,
    faces.map(({ filename, originalFilename }) => ({
      filename,
      newFilename: originalFilename ? freeName(originalFilename, taken) : filename,
    })),
  )
}

type Place = Pick<FaceMeta, 'sourceFilename' | 'frameIndex' | 'faceIndex'>

/** Orders faces by clip, frame, and place in the frame. */
export function byFrame(a: Place, b: Place): number {
  const [clip, other] = [clipOf(a), clipOf(b)]
  if (clip !== other) return clip < other ? -1 : 1
  if (a.frameIndex !== b.frameIndex) return a.frameIndex - b.frameIndex
  if (a.sourceFilename !== b.sourceFilename) return a.sourceFilename < b.sourceFilename ? -1 : 1
  return a.faceIndex - b.faceIndex
}
