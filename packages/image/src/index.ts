export {
  affineScale,
  applyAffine,
  applyAffineAll,
  invertAffine,
  multiplyAffine,
  scaling,
  translation,
} from './affine.js'
export { blendBands } from './blend-bands.js'
export { type BlurBorder, boxBlur, gaussianBlur } from './blur.js'
export { labToRgb, meanAndStd, rgbToGray, rgbToLab } from './color.js'
export { COLOR_CHANGES, type ColorChange, type FoundColors, type SeenColors } from './color-changes.js'
export { iterativeDistributionTransfer, slicedTransfer, type TransferWeights } from './distribution-transfer.js'
export { drawLine, drawPoints, drawPolyline, mosaic, type Rgb } from './draw.js'
export { layOver } from './lay-over.js'
export {
  type ColorSpread,
  colorSpread,
  limitStretch,
  mapColors,
  mongeKantorovichMatrix,
  whiteningMatrix,
} from './linear-transfer.js'
export { medianBlur } from './median.js'
export { membrane } from './membrane.js'
export { meanAbsoluteError, psnr, ssim } from './metrics.js'
export { dilate, erode } from './morphology.js'
export { reduceColors } from './palette.js'
export { createPixels, crop, paste, sampleScale, toBitmap, toPixels } from './pixels.js'
export { convexHull, type FillOptions, fillPolygon, fillPolygons, polygonArea } from './polygon.js'
export { type ResizeFilter, resize } from './resize.js'
export { copyPixels, inScratch, samplesLike } from './scratch.js'
export { transport } from './transport.js'
export { type WarpOptions, warpAffine } from './warp.js'
