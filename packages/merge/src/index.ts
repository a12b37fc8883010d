export {
  type FrameToPackage,
  overOf,
  type PackagedFace,
  type PackagedFrame,
  packageFrame,
} from './compositor-package.js'
export type { FacesOf } from './faces-of-frames.js'
export { FRAME_ISSUES, type FrameIssue, type FrameIssueKind, type FrameReport } from './frame-report.js'
export type { MergedFaceReport } from './mask-fit.js'
export {
  cutFace,
  type FaceCrop,
  type FaceNotes,
  type FaceToMerge,
  type Masker,
  type MergeFace,
  type MergeStage,
  type Patch,
  type PlacedFace,
  type Swap,
  type Swapper,
  startMerge,
} from './merge-face.js'
export { type MergedFrame, type MergeFrameOptions, mergeFrame, pasteFaces } from './merge-frame.js'
export {
  MASK_FITS,
  MERGE_MODES,
  type MergeMode,
  type MergeOptions,
  mergeOptions,
  mergeStages,
} from './merge-options.js'
export type { FrameSpan } from './merge-plan.js'
export { collectReport, type IssueSpan, type MergeReport, type ShotReport } from './merge-report.js'
export { readSettings, type SettingsEntry, settingsOf } from './merge-settings.js'
export { type MergeProgress, type MergeVideoOptions, mergeVideo } from './merge-video.js'
export type { StageSeconds } from './merged-frames.js'
export { type MergePreview, openPreview, type PreviewedFrame } from './open-preview.js'
export { COLOR_TRANSFERS, type ColorTransfer, colorTransfer } from './stages/color-transfer.js'
export { type Feather, feather } from './stages/feather.js'
export { fillUncovered } from './stages/fill-uncovered.js'
export { grain } from './stages/grain.js'
export { histMatch } from './stages/hist-match.js'
export { keepBehind } from './stages/keep-behind.js'
export { blur, erode, MASK_MODES, type MaskMode, mask } from './stages/mask.js'
export { motionBlur } from './stages/motion-blur.js'
export { multiBand } from './stages/multi-band.js'
export { overlay } from './stages/overlay.js'
export { behind, placedFace } from './stages/placed-face.js'
export { rawPredict, rawRgb } from './stages/raw.js'
export { reshape } from './stages/reshape.js'
export { scaleFace } from './stages/scale-face.js'
export { seamless } from './stages/seamless.js'
export { steadyMask } from './stages/steady-mask.js'
export { colorDegrade, degrade, denoise, sharpen, superResolution } from './stages/texture.js'
