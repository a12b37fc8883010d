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
