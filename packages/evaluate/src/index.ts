export type { FaceAnalysis, FaceTrack } from './analysis.js'
export { type ImageError, imageError } from './image-error.js'
export { type Jitter, jitter } from './jitter.js'
export { type Likeness, type LikenessInput, likeness } from './likeness.js'
