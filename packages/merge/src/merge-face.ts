import { imageToFaceMat } from '@dfl/align'
import { type Affine, type Bitmap, DflError, type FaceMeta, type FaceType, type Pixels, type Rect } from '@dfl/core'
import { createPixels, warpAffine } from '@dfl/image'

/** What a model paints of one face. */
export interface Swap {
  /** [R, R, 3] SRC's face doing what DST's does. */
  face: Pixels
  /** [R, R, 1] where the painted face is: learned-prd. */
  mask: Pixels
  /** [R, R, 1] where DST's face is: learned-dst. */
  dstMask: Pixels
}

/** A trained model, as seen from here. */
export interface Swapper {
  faceType: FaceType
  /** Side R of the crops that the model takes and gives, in pixels. */
  resolution: number
  /** Swaps of faces given as [R, R, 3] crops of their frames, in the same order. */
  swap: (faces: Pixels[]) => Promise<Swap[]>
}

/** A trained XSeg, as seen from here. */
export interface Masker {
  faceType: FaceType
  /** Side X of the crops that it takes and of the masks that it gives, in pixels. */
  resolution: number
  /** [X, X, 1] masks, 0..1, of faces given as [X, X, 3] crops, in the same order. */
  find: (faces: readonly Pixels[]) => Promise<readonly Pixels[]>
}

/** What stages noted about one face, for the same face in the next frame. Plain numbers, so that it can be saved. */
export interface FaceNotes {
  timestampSeconds: number
  /** Centre of the face, in pixels of the frame. */
  centre: readonly [x: number, y: number]
  /** Side of the face's crop, in pixels of the frame. */
  sizePx: number
  values: Readonly<Record<string, readonly number[]>>
}

/** A finished piece of a frame. */
export interface Patch {
  /** Where it goes, in pixels of the frame. */
  rect: Rect
  /** Samples of the frame's own kind; where the mask is 0 they are the frame's own. */
  bitmap: Bitmap
  /** [rect.height, rect.width, 1] how much of each pixel is new, 0..1. */
  alpha: Pixels
}

/** A face in the pixels of its frame, before it is laid over. */
export interface PlacedFace {
  /** Where it goes, in pixels of the frame. */
  rect: Rect
  /** [rect.height, rect.width, 3]; 0 where `alpha` is 0 at the ends of a row. */
  painted: Pixels
  /** [rect.height, rect.width, 1] how much of each pixel will be new, 0..1. */
  alpha: Pixels
}

/** A face of a frame, with the mask that its faceset holds. */
export interface FaceToMerge extends FaceMeta {
  /** [M, M, 1] the face's own mask, over the whole aligned image of the faceset. */
  ownMask?: Bitmap
}

/**
 * One face on its way back into its frame: what a stage takes and gives.
 *
 * Masks live in the crop's geometry at a resolution of their own, M = max(256, R); the crop's square is the mask's square.
 */
export interface MergeFace {
  readonly meta: FaceToMerge
  /**
   * The frame, or the part of it that holds its faces, in which earlier faces of the same frame are already swapped.
   * Whatever is said to be in pixels of the frame is in pixels of this picture. Stages only read it.
   */
  readonly frame: Bitmap
  /** Pixels of the frame → pixels of the crop. */
  readonly imageToFaceMat: Affine
  /** [R, R, 3] what the model was given. */
  readonly dst: Pixels
  /** What the model gave. */
  readonly swap: Swap
  /** What was noted about the same face in the frame before, if it was there. */
  readonly past?: FaceNotes
  /** What will be pasted: [R, R, 3], or larger where a stage made it finer; it covers the crop's square. */
  readonly face: Pixels
  /** [M, M, 1] where it will be pasted, 0..1. */
  readonly mask: Pixels
  /** [M, M, 1] where DST's face is, once a stage has found more than its outline. */
  readonly dstFace?: Pixels
  /** What to note about this face. */
  readonly notes: FaceNotes['values']
  /** The face in the frame's own pixels, once a stage has worked on it there. */
  readonly placed?: PlacedFace
  /** The result, once a stage has made it. */
  readonly patch?: Patch
}

/** A small pure step of the merge: gives back a changed copy. */
export interface MergeStage {
  (face: MergeFace): MergeFace | Promise<MergeFace>
  /** Whether it notes something about the face. The next frame begins when the last of those that do has. */
  readonly takesNotes?: true
}

/** A face cut out of its frame for the model. */
export interface FaceCrop {
  meta: FaceToMerge
  /** Pixels of the frame → pixels of the crop. */
  imageToFaceMat: Affine
  /** [R, R, 3] */
  dst: Pixels
}

/** The crop of a face in the model's face type and resolution. Beyond the frame's edge, the edge is repeated. */
export function cutFace(frame: Bitmap, meta: FaceToMerge, { faceType, resolution }: Omit<Swapper, 'swap'>): FaceCrop {
  const mat = imageToFaceMat(meta.sourceLandmarks, faceType, resolution)
  const size = { width: resolution, height: resolution }
  const dst = clamp(warpAffine(frame, mat, size, { interpolation: 'cubic', border: 'replicate' }))
  return { meta, imageToFaceMat: mat, dst }
}

/**
 * A crop and its swap as stages take them, with a mask of all ones.
 *
 * @throws DflError `BAD_SHAPE` when the swap is not of the crop's size.
 */
export function startMerge(frame: Bitmap, crop: FaceCrop, swap: Swap, past?: FaceNotes): MergeFace {
  const size = crop.dst.width
  expectSquare('`face` of a swap', swap.face, size, 3)
  expectSquare('`mask` of a swap', swap.mask, size, 1)
  expectSquare('`dstMask` of a swap', swap.dstMask, size, 1)
  const side = Math.max(256, size)
  const mask = createPixels(side, side, 1)
  mask.data.fill(1)
  return { ...crop, frame, swap, face: swap.face, mask, notes: {}, ...(past ? { past } : {}) }
}

/** Pixels of a square image → pixels of the same square at another size. */
export function squareMat(from: number, to: number): Affine {
  const scale = to / from
  const shift = (scale - 1) / 2
  return [scale, 0, shift, 0, scale, shift]
}

/** `pixels` cut to 0..1, in place. */
export function clamp(pixels: Pixels): Pixels {
  const { data } = pixels
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!
    if (!(v > 0)) data[i] = 0
    else if (v > 1) data[i] = 1
  }
  return pixels
}

/** @throws DflError `BAD_SHAPE` when a picture is not of this side and so many channels. */
export function expectSquare(name: string, got: Pixels, size: number, channels: number): void {
  if (got.width !== size || got.height !== size || got.channels !== channels)
    throw new DflError(
      'BAD_SHAPE',
      `Expected [${size}, ${size}, ${channels}] for ${name}, but got [${got.height}, ${got.width}, ${got.channels}]. Give back pictures of the size of the crops.`,
      { data: { name, size } },
    )
}
