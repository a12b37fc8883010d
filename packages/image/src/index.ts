export {
  affineScale,
  applyAffine,
  applyAffineAll,
  invertAffine,
  multiplyAffine,
  scaling,
  translation,
} from './affine.js'
export { type BlurBorder, boxBlur, gaussianBlur } from './blur.js'
export { labToRgb, meanAndStd, rgbToGray, rgbToLab } from './color.js'
export { drawLine, drawPoints, drawPolyline, mosaic, type Rgb } from './draw.js'
export { meanAbsoluteError, psnr, ssim } from './metrics.js'
export { dilate, erode } from './morphology.js'
export { createPixels, crop, paste, sampleScale, toBitmap, toPixels } from './pixels.js'
export { convexHull, type FillOptions, fillPolygon, fillPolygons, polygonArea } from './polygon.js'
export { type ResizeFilter, resize } from './resize.js'
export { type WarpOptions, warpAffine } from './warp.js'
