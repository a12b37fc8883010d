export type { Batch, SideBatch } from './batch.js'
export { loadCheckpoint, type Progress, saveCheckpoint } from './checkpoint.js'
export { type FoundRate, findLearningRate } from './find-learning-rate.js'
export { type Generation, goBackTo, type Kept, listCheckpoints } from './generations.js'
export type { MeasureEvent, MeasureOptions } from './measuring.js'
export {
  type CreateModelOptions,
  createModel,
  type FedEntry,
  type HistoryEntry,
  hasModel,
  type LogEntry,
  type ModelDescription,
  type ModelFolder,
  openModel,
} from './model-folder.js'
export {
  controlsOf,
  createPainter,
  createSwapPainter,
  type Painted,
  type Painter,
  type PainterOptions,
  type PreviewRows,
  previewRows,
  type SwapPainter,
  type Swapped,
} from './painter.js'
export {
  checkRecipe,
  isStaged,
  type Length,
  type Measured,
  type Phase,
  type PhaseEnd,
  phaseAt,
  progressOf,
  type Recipe,
  type StagedPhase,
  type StagedRecipe,
} from './recipe.js'
export { parseRecipe, readRecipe } from './recipe-file.js'
export { type StepSettings, settingOptions } from './settings.js'
export { type PlanOptions, planStep, type StepPlan } from './step-plan.js'
export { stepTime } from './step-time.js'
export {
  type BatchSource,
  type PreparedStep,
  type RunEvent,
  type SampleSettings,
  type TrainOptions,
  type TrainReport,
  train,
} from './train.js'
export { createTrainState, momentName, resetMoments } from './train-state.js'
export { createTrainStep, type StepLosses, type StepOptions, type TrainStep } from './train-step.js'
