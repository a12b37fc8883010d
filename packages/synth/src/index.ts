export { type Backdrops, backdropsOf } from './backdrops.js'
export { type ClipSpec, type ClipTruth, momentOf, renderFrame, truthOf, usualScene, writeClip } from './clip.js'
export type { DistanceMap, DistanceMaps } from './distance-maps.js'
export type { GrayPicture, GraySquare } from './gray-square.js'
export {
  type Expression,
  eyesForward,
  type HeadGeometry,
  type HeadModel,
  headModel,
  type Identity,
  MATERIAL,
  shapeOf,
} from './head-model.js'
export { loadHeadPack, PACK_VARIABLE, readHeadPack } from './head-pack.js'
export { CANONICAL_LOOK, type Color, type Look, lookOf, randomLook } from './look.js'
export {
  MATCHED_PAIRS,
  OTHER_PAIRS,
  type PairChange,
  type PairSpec,
  pairSpec,
  QUALITY_PAIRS,
  RENDERED_PAIRS,
  truthSpec,
  writePair,
} from './pairs.js'
export {
  expressionWeights,
  type FaceAction,
  type Moment,
  type Performance,
  type PerformanceRange,
  performance,
  USUAL_RANGE,
  type Weights,
} from './performance.js'
export { proceduralHead } from './procedural-head.js'
export { type ProfileHead, profileHead } from './profile-heads.js'
export { type ProfileSample, type ProfileSampleOptions, profileSample } from './profile-samples.js'
export { landmarksOf, type RenderedHead, renderHead } from './render-head.js'
export { type Light, type Scene, USUAL_SCENE } from './scene.js'
export { CANONICAL_IDENTITY, START_PEOPLE, type StartHead, type StartPerson, startHead } from './start-heads.js'
