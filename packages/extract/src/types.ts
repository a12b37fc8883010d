import type { Landmarks, Pixels, Point, Raster, Rect } from '@dfl/core'
import type { FrameSamples } from '@dfl/media'

/** Where a detector saw a face. */
export interface Detection {
  /** In pixels of the image. */
  rect: Rect
  /**
   * In pixels of the image. The first two are the eyes, the one on the left of an upright image first. A detector that knows
   * the tip of the nose and the mouth, or a corner of it, adds them in this order, then what else it knows. Empty if it has
   * none: the face is then taken to be upright.
   */
  keyPoints: readonly Point[]
  /** 0..1. */
  score: number
}

/** Finds faces in a whole image. Bring your own: any object of this shape works. */
export interface FaceDetector {
  readonly name: string
  /** Side in pixels of what it makes of an image. Who tells it may be shown an image made smaller, down to that. */
  readonly inputPx?: number
  /** All faces seen, in any order. Must not change `image`. */
  detect(image: Raster): Promise<Detection[]>
  /**
   * The same from the samples of all of a frame of the given size, all positions in pixels of the frame. Who has it is
   * spared the conversion to RGB; see `warpSamples`.
   */
  detectIn?(samples: FrameSamples, size: { width: number; height: number }): Promise<Detection[]>
}

/** A square part of an image, turned. */
export interface FaceRegion {
  /** In pixels of the image. */
  centre: Point
  /** Side of the square, in pixels of the image. */
  sizePx: number
  /** Rotation of the face, clockwise as seen in the image; 0 when the eyes are level. */
  rollRadians: number
}

/** What a landmarker sees in a region. */
export interface FaceLandmarks {
  /** 68 points in pixels of the image. */
  landmarks: Landmarks
  /** All points that the network gives, in pixels of the image, if it gives more than 68. */
  points?: readonly Point[]
  /**
   * A polygon around all that is seen of the face from chin to hairline, in pixels of the image, if the network knows it.
   * The face's mask ends there.
   */
  outline?: readonly Point[] | undefined
  /** Confidence that the region shows a face, 0..1; faces below 0.5 are dropped. */
  score: number
  /** The region that fits this face best: where to look again, in this frame or in the next one. */
  region: FaceRegion
}

/** Finds landmarks of the one face in a region. Bring your own: any object of this shape works. */
export interface Landmarker {
  readonly name: string
  /**
   * Side in pixels of what it makes of a region. Who tells it may be shown only the part of an image around the region,
   * and that made smaller, down to this size.
   */
  readonly inputPx?: number
  landmarks(image: Raster, region: FaceRegion): Promise<FaceLandmarks>
  /** The same from the samples of a frame around the region, all positions in pixels of the frame. */
  landmarksIn?(samples: FrameSamples, region: FaceRegion): Promise<FaceLandmarks>
}

/** Tells people apart. Bring your own: any object of this shape works. */
export interface Embedder {
  readonly name: string
  /**
   * Side in pixels of what it makes of a face. Who tells it may be shown only the part of an image around the face, and
   * that made smaller, down to this size.
   */
  readonly inputPx?: number
  /**
   * The identity of a face: vectors of one person lie close together.
   *
   * @param landmarks  In pixels of the image.
   */
  embed(image: Raster, landmarks: Landmarks): Promise<Float32Array>
  /** The same from the samples of a frame around the face, landmarks in pixels of the frame. */
  embedIn?(samples: FrameSamples, landmarks: Landmarks): Promise<Float32Array>
}

/** Tells people from what is behind them. Bring your own: any object of this shape works. */
export interface Segmenter {
  readonly name: string
  /**
   * How surely each pixel of a picture shows a person, hair included: [h, w, 1] float32 0..1, of the size that it works at.
   * Must not change `image`.
   *
   * @param image  A head, upright, with some space around it.
   */
  segment(image: Raster): Promise<Pixels>
}

/** A face found in an image. */
export interface Face extends FaceLandmarks {
  /** In pixels of the image: what the detector gave, or the box of the points where the face was followed. */
  rect: Rect
  /** Nobody saw it in this frame: it is put where it must be between the frames before and after. */
  filled?: true
  /** It was seen in the frames before and after, and put halfway between; see the option `fast`. */
  halfway?: true
}
