export { attentionMesh } from './attention-mesh.js'
export { type BlazeFaceOptions, blazeFace } from './blaze-face.js'
export { debugPicture } from './debug-picture.js'
export { type DetectFacesOptions, detectFaces } from './detect-faces.js'
export { dlibEmbedder, SAME_PERSON_DISTANCE } from './dlib-embedder.js'
export { type ExtractFacesetOptions, extractFaceset } from './extract-faceset.js'
export { faceLandmarker } from './face-landmarker.js'
export { followFaces, type Segment } from './follow-faces.js'
export { headMask } from './head-mask.js'
export { identityInPicture } from './only-person.js'
export {
  type OnnxDetectorOptions,
  type OnnxInput,
  type OnnxLandmarkerOptions,
  type OnnxOutputs,
  onnxDetector,
  onnxLandmarker,
} from './onnx-networks.js'
export { type ExtractOptions, extractOptions } from './options.js'
export type { Picture, PicturePart } from './picture.js'
export { type DrawnFace, type PlacedFaces, placeFaces } from './place-faces.js'
export { PROFILE_SIDE, profileInput, profileLandmarker } from './profile-landmarker.js'
export type { ExtractPart, ExtractProgress } from './progress.js'
export { regionOfLandmarks, regionOfProfile } from './region.js'
export { selfieSegmenter } from './selfie-segmenter.js'
export type {
  Detection,
  Embedder,
  Face,
  FaceDetector,
  FaceLandmarks,
  FaceRegion,
  Landmarker,
  Segmenter,
} from './types.js'
export { type WarpSamplesOptions, warpSamples } from './warp-samples.js'
