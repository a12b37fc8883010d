/** `src` gives the identity; `dst` gives the performance and the frame. */
export type Side = 'src' | 'dst'

/** Face types from tight to wide: each contains the ones before it. */
export const FACE_TYPES = ['half_face', 'midfull_face', 'full_face', 'whole_face', 'head'] as const

/** How much of the head an aligned image shows. */
export type FaceType = (typeof FACE_TYPES)[number]

/** A position in pixels of a named image; (0, 0) is the centre of the upper-left pixel, y points down. */
export type Point = readonly [x: number, y: number]

/** 68 points in iBUG 300-W order. */
export type Landmarks = readonly Point[]

/** x' = a·x + b·y + tx, y' = c·x + d·y + ty. The direction stands in the name of every variable of this type. */
export type Affine = readonly [a: number, b: number, tx: number, c: number, d: number, ty: number]

/** A rectangle in pixels of a named image: left and top edge, size. */
export interface Rect {
  x: number
  y: number
  width: number
  height: number
}

/** Pixels for computing: [H, W, C] float32, RGB, 0..1. */
export interface Pixels {
  data: Float32Array
  width: number
  height: number
  channels: 1 | 3 | 4
}

/** Pixels as stored: [H, W, C], RGB, 0..255 for bytes and 0..65535 for 16-bit words. */
export interface Bitmap {
  data: Uint8Array | Uint16Array
  width: number
  height: number
  channels: 1 | 3 | 4
}

/** Anything that can be sampled: `Pixels` as they are, a `Bitmap` scaled to 0..1. */
export type Raster = Pixels | Bitmap

/** A shape drawn by hand on an aligned image. Excluded shapes are cut out of included ones, whichever came first. */
export interface MaskPolygon {
  kind: 'include' | 'exclude'
  /** Corners in pixels of the aligned image, at least three; closed by itself. */
  points: readonly Point[]
}

/** What is known of one aligned face. The aligned image is square, `size` pixels a side. */
export interface FaceMeta {
  /** File name of the aligned image inside its faceset, without folder. */
  filename: string
  faceType: FaceType
  /** Side of the aligned image, in pixels. */
  size: number
  /** In pixels of the aligned image. */
  landmarks: Landmarks
  /** Name of the frame: file name of an image, before it the name of its folder and '/' where that has one; or video name, '#' and frame index. */
  sourceFilename: string
  /** Position of the frame in its clip, from 0. */
  frameIndex: number
  /** Presentation time of the frame. */
  timestampSeconds: number
  /** Which face of the frame, from 0, largest first. */
  faceIndex: number
  /** In pixels of the frame. */
  sourceLandmarks: Landmarks
  /** Detector box, in pixels of the frame. */
  sourceRect: Rect
  /** Pixels of the frame → pixels of the aligned image. */
  imageToFaceMat: Affine
  /** Confidence that this is a face, 0..1. */
  score: number
  /** Head pose in degrees: yaw to the face's own left, pitch up, roll clockwise as seen in the image. */
  pose?: { yawDegrees: number; pitchDegrees: number; rollDegrees: number }
  /** [128] float32 identity embedding, unit of the embedding network. */
  embedding?: readonly number[]
  /** Size of the frame. */
  frameSize?: { width: number; height: number }
  /** Who it is: the same text for the same person in every faceset of a project. */
  person?: string
  /** Where the face is, drawn by hand. */
  polygons?: readonly MaskPolygon[]
  /** File name of the face's mask in the faceset's folder `masks`: a square gray image over the aligned image. */
  mask?: string
  /** How far the mask of the landmarks raises the brows; 1 if not given. */
  eyebrowsExpandMod?: number
  /** Why it was put aside, in a faceset of faces that were. */
  rejected?: readonly string[]
  /** Its file name before sorting put a number before it. */
  originalFilename?: string
}
