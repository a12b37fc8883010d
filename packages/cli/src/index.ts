export { ARCHITECTURES } from './architectures.js'
export { type CheckJob, type CheckResult, checkStage } from './check.js'
export { patientCollector } from './collector.js'
export { type Augmentation, type DflConfig, defineConfig, type LoadedConfig, loadConfig } from './config.js'
export { type DemoJob, type DemoResult, demoStages, describeMeasures } from './demo.js'
export { type Check, examine } from './doctor.js'
export { type EvaluateJob, type EvaluateResult, evaluateStage } from './evaluate.js'
export {
  clock,
  type NoticeEvent,
  type PreviewEvent,
  type ProgressEvent,
  type Stage,
  type StageContext,
  type StageEvent,
  type StageName,
  type StageReport,
  sayDuration,
  type WarningEvent,
} from './events.js'
export { exactLandmarks } from './exact-landmarks.js'
export { EXIT_CODES } from './exit-codes.js'
export { parseDuration } from './flags.js'
export { lockWorkspace } from './lock.js'
export { type MeasureJob, measureSwap, type SwapMeasures } from './measure.js'
export type { MergeJob } from './merge-job.js'
export { PRESETS, type Preset, type PresetQuestion, presetFor, presetNamed } from './presets.js'
export { previewPicture } from './preview.js'
export type { ProvenanceJob } from './provenance.js'
export { type RunJob, type RunResult, runStages, type StageTimes } from './run.js'
export { type ExtractJob, type ExtractResult, extractStage } from './stages/extract.js'
export { type MergeResult, mergeStage } from './stages/merge.js'
export { type TrainResult, trainStage } from './stages/train.js'
export { START_WEIGHTS, startWeights } from './start-weights.js'
export { openSwapper } from './swapper.js'
export type { TrainJob } from './train-job.js'
export {
  type ClipIdentity,
  type Extracted,
  type Merged,
  openWorkspace,
  type Workspace,
  type WorkspaceRecord,
} from './workspace.js'
