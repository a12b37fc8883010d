export { loadCheckpoint, type Progress, saveCheckpoint } from './checkpoint.js'
export {
  type CreateModelOptions,
  createModel,
  type HistoryEntry,
  hasModel,
  type LogEntry,
  type ModelDescription,
  type ModelFolder,
  openModel,
} from './model-folder.js'
export { createPainter, type Painted, type Painter, type PainterOptions, previewRows } from './painter.js'
export { type Length, type Phase, phaseAt, progressOf, type Recipe } from './recipe.js'
export { type BatchSource, type TrainOptions, type TrainReport, train } from './train.js'
export {
  type Batch,
  createTrainState,
  createTrainStep,
  momentName,
  resetMoments,
  type SideBatch,
  type StepLosses,
  type StepOptions,
  type TrainStep,
} from './train-step.js'
