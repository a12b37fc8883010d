import type { Raster } from '@dfl/core'
import { warpAffine } from '@dfl/image'
import { imageToRegionMat } from './region.js'
import type { FaceDetector, FaceRegion } from './types.js'

/** Side of the crop that is looked at, and how much of it the face's region fills. */
const CROP_PX = 256
const MARGIN = 1.3

/** How much surer the detector must be of the turned crop; less can be chance. */
const CLEARLY = 0.05

/**
 * Whether a region shows its face upside down.
 *
 * Landmark networks draw an upright face over one that stands on its head and are sure of it. A detector knows better:
 * it is shown the region as it is and turned by half, and asked which of the two is more of a face.
 */
export async function isUpsideDown(image: Raster, region: FaceRegion, detector: FaceDetector): Promise<boolean> {
  const scoreAt = async (rollRadians: number) => {
    const wider = { centre: region.centre, sizePx: region.sizePx * MARGIN, rollRadians }
    const size = { width: CROP_PX, height: CROP_PX }
    const crop = warpAffine(image, imageToRegionMat(wider, CROP_PX), size, { borderValue: 0.5 })
    return (await detector.detect(crop)).reduce((best, { score }) => Math.max(best, score), 0)
  }
  return (await scoreAt(region.rollRadians + Math.PI)) > (await scoreAt(region.rollRadians)) + CLEARLY
}

/** The same square, turned by half. */
export function turnedByHalf(region: FaceRegion): FaceRegion {
  return { ...region, rollRadians: region.rollRadians + Math.PI }
}
