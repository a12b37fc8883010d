export type { FaceAnalysis, FaceTrack } from './analysis.js'
export type { Advice, Choice } from './check/advice.js'
export { blurEffect } from './check/blur-effect.js'
export { type Check, type CheckSide, checkFaces, forecast } from './check/check-faces.js'
export { type Axis, type Coverage, coverage, type Gap, inTime, type Nearest } from './check/coverage.js'
export { evenly } from './check/evenly.js'
export { exposureStops, eyeWhite } from './check/eye-white.js'
export { type FaceShape, faceShape, type ShapeDifference, shapeDifference } from './check/face-shape.js'
export { fingerprintOf } from './check/fingerprint.js'
export { gazeSide } from './check/gaze.js'
export { type FaceLight, faceLight } from './check/light.js'
export { type Quality, qualityOf } from './check/quality.js'
export { resemblance } from './check/resemblance.js'
export { type FaceTraits, faceTraits } from './check/traits.js'
export { compareSheet } from './compare-sheet.js'
export { type Drift, driftToDst, type PoseAndMouth } from './during/drift.js'
export { nearestPictures } from './during/nearest-pictures.js'
export {
  type Evaluation,
  type EvaluationInput,
  evaluation,
  type FrameMetrics,
  frameMetrics,
  type TruthError,
} from './evaluation.js'
export { type ImageError, imageError } from './image-error.js'
export { type Jitter, jitter } from './jitter.js'
export { type Likeness, type LikenessInput, likeness } from './likeness.js'
export { type BorderAgreement, borderAgreement } from './metrics/border.js'
export { delayFrames } from './metrics/delay.js'
export { flicker } from './metrics/flicker.js'
export { type IdentityMetrics, identityMetrics } from './metrics/identity.js'
export { colorDifference, gmsd, uncoveredArea } from './metrics/perceptual.js'
export { type PerformanceError, performanceError } from './metrics/performance-error.js'
export { type CheckReportInput, checkReport, shownFaces } from './report/check-report.js'
export { evaluationAdvice } from './report/evaluation-advice.js'
export { evaluationReport } from './report/evaluation-report.js'
export { type Figure, figureCards, htmlReport, pictureSheet, type Section, tableOf } from './report/html.js'
export { correlation, rankCorrelation } from './statistics.js'
