import type { Pixels } from '@dfl/core'
import { affineScale, multiplyAffine, resize, translation, warpAffine } from '@dfl/image'
import { type MergeFace, squareMat } from './merge-face.js'
import { outline } from './stages/outline.js'

/** What merging did to one face of a frame, and how well it fits there. Plain numbers, so that it can be saved. */
export interface MergedFaceReport {
  /** Which face of the frame, from 0, largest first. */
  faceIndex: number
  /** Confidence of the detector, 0..1. */
  score: number
  /** Side of the face's crop, in pixels of the frame. */
  sizePx: number
  /** Whether anything was pasted. */
  pasted: boolean
  /** Share of DST's face that is not covered and stays to be seen, 0..1. */
  uncovered: number
  /** What is covered beyond DST's face, as a share of DST's face: 0 or more. */
  beyond: number
}

/** Side of the square on which areas are counted: fine enough for a tenth of a percent. */
const SIDE = 160

/**
 * What was done to a face, once all stages have run.
 *
 * DST's face is what an XSeg found in the frame if one was asked, else its outline: drawn by hand, of the faceset's mask,
 * or of its landmarks. A pixel is covered where at least half of it is new, so that a soft edge which lies half inside and
 * half outside counts as a fit. What lies beyond the crop's square does not count.
 */
export function reportOf(face: MergeFace): MergedFaceReport {
  const { meta, dst, imageToFaceMat } = face
  const there = dstFaceOf(face, SIDE).data
  const covered = coverage(face).data
  let [area, open, over] = [0, 0, 0]
  for (let i = 0; i < there.length; i++) {
    const inside = there[i]! >= 0.5
    const isCovered = covered[i]! >= 0.5
    if (inside) area++
    if (inside && !isCovered) open++
    if (!inside && isCovered) over++
  }
  return {
    faceIndex: meta.faceIndex,
    score: meta.score,
    sizePx: dst.width / affineScale(imageToFaceMat),
    pasted: face.patch !== undefined,
    uncovered: area === 0 ? 0 : open / area,
    beyond: area === 0 ? 0 : over / area,
  }
}

/** [size, size, 1] where DST's face is, over the crop's square. */
export const dstFaceOf = (face: MergeFace, size: number): Pixels =>
  face.dstFace ? resize(face.dstFace, { width: size, height: size }) : outline(face, size)

/** How much of each place of the square is new in the frame. */
function coverage({ patch, dst, imageToFaceMat }: MergeFace): Pixels {
  const size = { width: SIDE, height: SIDE }
  if (!patch) return { data: new Float32Array(SIDE * SIDE), ...size, channels: 1 }
  const frameToSquare = multiplyAffine(squareMat(dst.width, SIDE), imageToFaceMat)
  return warpAffine(patch.alpha, multiplyAffine(frameToSquare, translation(patch.rect.x, patch.rect.y)), size)
}
