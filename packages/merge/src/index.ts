export type { FacesOf } from './faces-of-frames.js'
export {
  cutFace,
  type FaceCrop,
  type FaceNotes,
  type MergeFace,
  type MergeStage,
  type Patch,
  type Swap,
  type Swapper,
  startMerge,
} from './merge-face.js'
export { type MergedFrame, type MergeFrameOptions, mergeFrame, pasteFaces } from './merge-frame.js'
export { type MergeOptions, mergeOptions, mergeStages } from './merge-options.js'
export { type MergeProgress, type MergeVideoOptions, mergeVideo } from './merge-video.js'
export type { StageSeconds } from './merged-frames.js'
export { COLOR_TRANSFERS, type ColorTransfer, colorTransfer } from './stages/color-transfer.js'
export { blur, erode, MASK_MODES, type MaskMode, mask } from './stages/mask.js'
export { overlay } from './stages/overlay.js'
