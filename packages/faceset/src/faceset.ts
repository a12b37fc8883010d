import type { Bitmap, FaceMeta, FaceType } from '@dfl/core'

/** What a faceset is, without its faces. */
export interface FacesetInfo {
  /** Number of faces. */
  count: number
  /** The same for all faces. */
  faceType: FaceType
  /** Side of every aligned image, in pixels. */
  size: number
  /** The footage that faces came from, and how many of its frames were fully processed. */
  sources: readonly { source: string; framesDone: number }[]
  /** Lines that could not be read and were left out, such as one that was cut off by a crash. */
  damagedLines: number
  /** Faces that were left out because their image is gone. */
  missingImages: number
}

/**
 * Aligned faces of one face type and size, with what is known of each.
 *
 * A snapshot: it shows what was there when it was opened.
 */
export interface Faceset {
  readonly info: FacesetInfo
  /** The faces in the order they were added, one at a time: 100,000 faces need no more memory than one. */
  faces(): AsyncIterable<FaceMeta>
  /** All faces in an array. About 5 kB each. */
  all(): Promise<FaceMeta[]>
  /**
   * The aligned image of a face, [size, size, 3], RGB.
   *
   * @throws DflError `CORRUPT_FILE` when the image is not the one that was written, `NO_SUCH_FILE` when it is gone or the
   * face is not of this faceset.
   */
  readImage(face: Pick<FaceMeta, 'filename'>): Promise<Bitmap>
  /** The image file of a face as it is stored, with the errors of `readImage`. */
  readFile(face: Pick<FaceMeta, 'filename'>): Promise<Uint8Array>
  /**
   * The mask of a face that has one of its own, [M, M, 1], over the whole aligned image; nothing where it has none.
   *
   * @throws DflError `CORRUPT_FILE`, `NO_SUCH_FILE` as `readImage`.
   */
  readMask(face: Pick<FaceMeta, 'mask'>): Promise<Bitmap | undefined>
  /** The frames that were fully processed, by source. */
  framesDone(): ReadonlyMap<string, ReadonlySet<number>>
}
