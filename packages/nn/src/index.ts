export { gan, trueFace } from './adversarial.js'
export type {
  Code,
  Control,
  Controls,
  Decoded,
  FaceModel,
  Initialiser,
  ModelArchitecture,
  ParamSpec,
  Params,
} from './architecture.js'
export {
  type Block,
  type CodeMap,
  chain,
  codeMap,
  type FaceInter,
  faceDecoder,
  faceEncoder,
  faceInter,
  resBlock,
  upBlock,
  type Variant,
} from './blocks.js'
export { blurOutMask, gaussianBlur, softOutline } from './blur.js'
export { checkImages } from './check-images.js'
export {
  DFL_FACE_TYPES,
  type DflParts,
  type DflPlace,
  type DflTensor,
  dflBlockName,
  dflColours,
  weightsFromDfl,
} from './dfl-weights.js'
export { type DfmOptions, exportDfm } from './dfm.js'
export { codeDiscriminator, patchDiscriminator, patchStrides, receptiveField } from './discriminators.js'
export {
  backgroundStyle,
  eyesMouth,
  faceLosses,
  faceStyle,
  lossOptions,
  masks,
  pixels,
  smoothness,
  structure,
  surroundings,
} from './face-losses.js'
export { checkLevels, faceModelOptions } from './face-options.js'
export { halfWeights } from './half-weights.js'
export { countParams, initialise } from './initialise.js'
export {
  type Activation,
  activation,
  conv,
  convParams,
  convTogether,
  dense,
  denseParams,
  depthToSpace,
  pixelNorm,
} from './layers.js'
export type { Critic, Learning, Loss, LossSettings, SideView, Views } from './loss.js'
export { crossEntropy, dssim, dssimWindows, meanAbsoluteError, meanSquaredError, totalVariation } from './losses.js'
export {
  adaBelief,
  adam,
  clipGradients,
  dropRates,
  OPTIMISERS,
  type Optimiser,
  type OptimiserName,
  rmsProp,
} from './optimisers.js'
export {
  blurPool,
  convTranspose,
  convTransposeParams,
  filterResponse,
  filterResponseParams,
} from './segmentation.js'
export { encodeTogether, sidesOf } from './sides.js'
