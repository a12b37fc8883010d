import { hullMask } from '@dfl/align'
import type { Affine, Bitmap, FaceMeta, Pixels } from '@dfl/core'
import { applyAffineAll, createPixels, fillPolygons, multiplyAffine, warpAffine } from '@dfl/image'

/** What is known of a face that its mask depends on. */
export type MaskedFace = Pick<FaceMeta, 'landmarks' | 'size' | 'polygons' | 'eyebrowsExpandMod'>

/**
 * Where the face is: [H, W, 1] float32 0..1.
 *
 * What was drawn by hand counts most: included polygons are the mask if there are any, otherwise the face's own mask is
 * it, and where it has none the outline of its landmarks. Excluded polygons are cut out of any of them.
 *
 * @param face With landmarks and polygons in pixels of the aligned image.
 * @param options `mask`: the face's own mask, [M, M, 1] over the whole aligned image. `alignedToOutputMat`: pixels of the
 * aligned image → pixels of the result; the result shows the aligned image if not given. `size`: of the result.
 */
export function faceMask(
  face: MaskedFace,
  {
    mask,
    alignedToOutputMat = [1, 0, 0, 0, 1, 0],
    size = { width: face.size, height: face.size },
  }: { mask?: Bitmap; alignedToOutputMat?: Affine; size?: { width: number; height: number } } = {},
): Pixels {
  const drawn = (kind: 'include' | 'exclude') =>
    (face.polygons ?? [])
      .filter((polygon) => polygon.kind === kind)
      .map(({ points }) => applyAffineAll(alignedToOutputMat, points))
  const included = drawn('include')
  let out: Pixels
  if (included.length > 0) {
    out = createPixels(size.width, size.height, 1)
    fillPolygons(out, included)
  } else if (mask) {
    out = warpAffine(mask, multiplyAffine(alignedToOutputMat, maskToAlignedMat(mask.width, face.size)), size)
  } else {
    const { eyebrowsExpandMod } = face
    out = hullMask(applyAffineAll(alignedToOutputMat, face.landmarks), size, { eyebrowsExpandMod })
  }
  const excluded = drawn('exclude')
  if (excluded.length > 0) fillPolygons(out, excluded, 0)
  return out
}

/** Pixels of a mask of `side` → pixels of the aligned image of `size`, both covering the same square. */
function maskToAlignedMat(side: number, size: number): Affine {
  const scale = size / side
  const shift = (scale - 1) / 2
  return [scale, 0, shift, 0, scale, shift]
}
