export { xsegWeightsFromDfl } from './from-dfl.js'
export { createMasker, type Masker } from './masker.js'
export { drawMotion, type Motion, type MotionOptions, move } from './motion.js'
export {
  blend,
  compress,
  flare,
  motionBlur,
  type Noise,
  recolour,
  rescale,
  sharpen,
  soften,
} from './noise.js'
export { batchOf, drawSample, type LabelledFace, labelMask, type MaskSample, plainSample } from './sample.js'
export { xseg, xsegPretraining } from './xseg.js'
