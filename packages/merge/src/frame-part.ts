import { faceCorners } from '@dfl/align'
import type { FaceMeta, Point, Rect } from '@dfl/core'
import { multiplyAffine, translation } from '@dfl/image'
import type { FaceNotes, Swapper } from './merge-face.js'

/**
 * Left and top of a part are multiples of this: cutting averages blocks of whole pixels on a grid that must not move with
 * the part.
 */
const GRID = 12

/**
 * The rectangle of a frame that holds everything that merging some of its faces reads or paints: their squares, and round
 * them what the filters reach.
 *
 * @param faces At least one.
 */
export function rectOfFaces(
  faces: readonly FaceMeta[],
  { faceType, resolution }: Pick<Swapper, 'faceType' | 'resolution'>,
  frame: { width: number; height: number },
): Rect {
  let [left, top, right, bottom] = [frame.width, frame.height, 0, 0]
  for (const { sourceLandmarks } of faces) {
    const corners = faceCorners(sourceLandmarks, faceType)
    const side = Math.hypot(corners[1]![0] - corners[0]![0], corners[1]![1] - corners[0]![1])
    const reach = Math.ceil(5 * Math.max(1, side / resolution)) + 4
    left = Math.min(left, ...corners.map(([x]) => x - reach))
    top = Math.min(top, ...corners.map(([, y]) => y - reach))
    right = Math.max(right, ...corners.map(([x]) => x + reach))
    bottom = Math.max(bottom, ...corners.map(([, y]) => y + reach))
  }
  const span = (from: number, to: number, length: number): [number, number] => {
    const first = Math.max(0, Math.min(length - 1, Math.floor(from / GRID) * GRID))
    return [first, Math.max(1, Math.min(length, Math.ceil(to)) - first)]
  }
  const [x, width] = span(left, right, frame.width)
  const [y, height] = span(top, bottom, frame.height)
  return { x, y, width, height }
}

/** A face of the frame as a face of the part that begins at column `x` and row `y`. */
export function faceOfPart(face: FaceMeta, { x, y }: { x: number; y: number }): FaceMeta {
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
