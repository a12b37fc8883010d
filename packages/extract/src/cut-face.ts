import type { FaceMeta, Pixels, Point } from '@dfl/core'
import { alignedPng } from '@dfl/faceset'
import { applyAffineAll } from '@dfl/image'
import type { FrameSamples } from '@dfl/media'
import { alignedImage, outlinedMask } from './align-faces.js'
import { headMask } from './head-mask.js'
import type { Segmenter } from './types.js'

/** Cuts a face out of a frame. */
export interface CutJob {
  samples: FrameSamples
  face: Pick<FaceMeta, 'faceType' | 'landmarks' | 'imageToFaceMat' | 'size' | 'frameSize'>
  /** In pixels of the frame. */
  outline: readonly Point[] | undefined
}

/** The file of a face's aligned image, and its mask if it has one of its own. */
export interface CutFace {
  /** A PNG file. */
  image: Uint8Array
  mask: Pixels | undefined
}

/**
 * The aligned image and the mask of a described face.
 *
 * @param segmenter  Asked for heads only: it tells their hair from what is behind.
 */
export async function cutFace(
  { samples, face, outline }: CutJob,
  segmenter: () => Promise<Segmenter>,
): Promise<CutFace> {
  const aligned = alignedImage(samples, face)
  const image = alignedPng(aligned)
  if (face.faceType !== 'head') return { image: await image, mask: outlinedMask(outline, face) }
  const person = await (await segmenter()).segment(aligned)
  const within = outline && applyAffineAll(face.imageToFaceMat, outline)
  return { image: await image, mask: headMask(person, face, within) }
}
