import { readRect } from '@dfl/align'
import type { FaceMeta, Point, Rect } from '@dfl/core'
import { multiplyAffine, translation } from '@dfl/image'
import type { FaceNotes, FaceToMerge, Swapper } from './merge-face.js'

/**
 * The rectangle of a frame that holds everything that merging some of its faces reads or paints.
 *
 * @param faces At least one.
 */
export function rectOfFaces(
  faces: readonly FaceMeta[],
  { faceType, resolution }: Pick<Swapper, 'faceType' | 'resolution'>,
  frame: { width: number; height: number },
): Rect {
  const rects = faces.map(({ sourceLandmarks }) => readRect(sourceLandmarks, faceType, resolution))
  const within = (low: number, value: number, high: number) => Math.max(low, Math.min(high, value))
  const x = within(0, Math.min(...rects.map((rect) => rect.x)), frame.width - 1)
  const y = within(0, Math.min(...rects.map((rect) => rect.y)), frame.height - 1)
  const right = within(x + 1, Math.max(...rects.map((rect) => rect.x + rect.width)), frame.width)
  const bottom = within(y + 1, Math.max(...rects.map((rect) => rect.y + rect.height)), frame.height)
  return { x, y, width: right - x, height: bottom - y }
}

/** A face of the frame as a face of the part that begins at column `x` and row `y`. */
export function faceOfPart(face: FaceToMerge, { x, y }: { x: number; y: number }): FaceToMerge {
  const { sourceLandmarks, sourceRect, imageToFaceMat } = face
  return {
    ...face,
    sourceLandmarks: sourceLandmarks.map(([px, py]): Point => [px - x, py - y]),
    sourceRect: { ...sourceRect, x: sourceRect.x - x, y: sourceRect.y - y },
    imageToFaceMat: multiplyAffine(imageToFaceMat, translation(x, y)),
  }
}

/** Notes with their place moved. */
export const movedNotes = (notes: readonly FaceNotes[], x: number, y: number): FaceNotes[] =>
  notes.map((note) => ({ ...note, centre: [note.centre[0] + x, note.centre[1] + y] as const }))
