import { type Bitmap, DflError, type FaceMeta, type Rect } from '@dfl/core'
import { affineScale, paste } from '@dfl/image'
import { type MergedFaceReport, reportOf } from './mask-fit.js'
import {
  cutFace,
  type FaceCrop,
  type FaceNotes,
  type MergeFace,
  type MergeStage,
  type Swap,
  type Swapper,
  startMerge,
} from './merge-face.js'

/** A frame with its faces swapped. */
export interface MergedFrame {
  /** A copy of the frame; the frame itself where no face was pasted. */
  bitmap: Bitmap
  /** Hold every pixel in which `bitmap` differs from the frame, in pixels of the frame. */
  rects: Rect[]
  /** What was noted about the faces, for the next frame's `past`. */
  notes: FaceNotes[]
  /** What was done to each face, in the order of the faces. */
  faces: MergedFaceReport[]
  /** The faces as the stages left them, in the order in which they were laid over the frame. */
  layers: MergeFace[]
}

/** How the faces of a frame are merged. */
export interface MergeFrameOptions {
  swapper: Swapper
  stages: readonly MergeStage[]
  /** The notes of the frame before. */
  past?: readonly FaceNotes[]
}

/** A frame with its faces swapped, and where it changed. Works on the faces' rectangles only. */
export async function mergeFrame(
  frame: Bitmap,
  faces: readonly FaceMeta[],
  { swapper, stages, past = [] }: MergeFrameOptions,
): Promise<MergedFrame> {
  if (faces.length === 0) return { bitmap: frame, rects: [], notes: [], faces: [], layers: [] }
  const crops = faces.map((meta) => cutFace(frame, meta, swapper))
  const swaps = await swapper.swap(crops.map(({ dst }) => dst))
  return pasteFaces(frame, { crops, swaps, stages, past })
}

/**
 * A frame with swaps pasted that are made already.
 *
 * Smaller faces go first, so that the largest, which is the nearest to the camera, lies on top where faces overlap.
 */
export async function pasteFaces(
  frame: Bitmap,
  work: {
    crops: readonly FaceCrop[]
    swaps: readonly Swap[]
    stages: readonly MergeStage[]
    past?: readonly FaceNotes[]
    /** Memory for the copy of the frame, of its kind and length; new memory if not given. */
    into?: Bitmap['data']
    /** Called with the notes when the last stage that takes some is done; pasting goes on after it. */
    noted?: (notes: readonly FaceNotes[]) => Promise<void>
  },
): Promise<MergedFrame> {
  const { crops, swaps, stages, past = [], into, noted } = work
  if (crops.length === 0) return { bitmap: frame, rects: [], notes: [], faces: [], layers: [] }
  if (swaps.length !== crops.length)
    throw new DflError(
      'BAD_SHAPE',
      `Expected ${crops.length} swap${crops.length === 1 ? '' : 's'} from \`swap\`, but got ${swaps.length}. Give back one swap for each face, in the same order.`,
      { data: { expected: crops.length, got: swaps.length } },
    )
  const size = (i: number) => crops[i]!.dst.width / affineScale(crops[i]!.imageToFaceMat)
  const order = crops.map((_, i) => i).sort((a, b) => size(a) - size(b))
  const lastNoting = stages.findLastIndex(({ takesNotes }) => takesNotes)
  let bitmap = frame
  const rects: Rect[] = []
  const notes: FaceNotes[] = []
  const faces: MergedFaceReport[] = []
  const layers: MergeFace[] = []
  for (const i of order) {
    const { meta } = crops[i]!
    const centre = centreOf(meta)
    const sizePx = size(i)
    const before = nearestPast(past, { timestampSeconds: meta.timestampSeconds, centre, sizePx })
    let face: MergeFace = startMerge(bitmap, crops[i]!, swaps[i]!, before)
    const noteOf = () => ({ timestampSeconds: meta.timestampSeconds, centre, sizePx, values: face.notes })
    const isLast = i === order.at(-1)
    if (isLast && lastNoting < 0) await noted?.([...notes, noteOf()])
    for (const [s, stage] of stages.entries()) {
      face = await stage(face)
      if (isLast && s === lastNoting) await noted?.([...notes, noteOf()])
    }
    faces[i] = reportOf(face)
    layers.push(face)
    notes.push(noteOf())
    if (!face.patch) continue
    if (bitmap === frame) bitmap = { ...frame, data: copied(frame.data, into) }
    paste(bitmap, face.patch.bitmap, face.patch.rect.x, face.patch.rect.y)
    rects.push(face.patch.rect)
  }
  return { bitmap, rects, notes, faces, layers }
}

function copied(data: Bitmap['data'], into: Bitmap['data'] | undefined): Bitmap['data'] {
  if (!into) return data.slice()
  into.set(data)
  return into
}

/** The notes of the same face: the nearest one, unless it is half a face away, of another size or half a second old. */
function nearestPast(past: readonly FaceNotes[], face: Omit<FaceNotes, 'values'>): FaceNotes | undefined {
  let best: FaceNotes | undefined
  let bestDistance = 0.5 * face.sizePx
  for (const notes of past) {
    const distance = Math.hypot(notes.centre[0] - face.centre[0], notes.centre[1] - face.centre[1])
    const ratio = notes.sizePx / face.sizePx
    const age = Math.abs(face.timestampSeconds - notes.timestampSeconds)
    if (distance >= bestDistance || ratio > 1.5 || ratio < 1 / 1.5 || age > 0.5) continue
    best = notes
    bestDistance = distance
  }
  return best
}

function centreOf({ sourceLandmarks }: FaceMeta): readonly [number, number] {
  let x = 0
  let y = 0
  for (const point of sourceLandmarks) {
    x += point[0] / sourceLandmarks.length
    y += point[1] / sourceLandmarks.length
  }
  return [x, y]
}
