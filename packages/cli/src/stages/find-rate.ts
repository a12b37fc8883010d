import { type FoundRate, findLearningRate, hasModel, openModel } from '@dfl/trainer'
import { faceArchitectures } from '../architectures.js'
import { NO_CONFIG } from '../config.js'
import type { Stage, StageContext } from '../events.js'
import { openPeople, openSamples } from '../samples.js'
import { openSides } from '../sides.js'
import { presetOf, type TrainJob } from '../train-job.js'
import type { Workspace } from '../workspace.js'
import { newModel } from '../workspace-model.js'

/**
 * The rate at which the workspace's model learns fastest, a new one if there is none yet: see `findLearningRate`. The weights
 * stay as they are.
 *
 * @throws DflError as `trainStage`.
 */
export async function* findRateStage(
  workspace: Workspace,
  job: TrainJob,
  { config = NO_CONFIG }: StageContext = {},
): Stage<FoundRate> {
  const sides = await openSides(workspace)
  const isNew = !(await hasModel(workspace.model))
  const preset = presetOf(workspace, job, isNew)
  const { faceType } = sides.src.info
  const run = isNew
    ? (await newModel(workspace, job, { preset, faceType, config })).run
    : await openModel(workspace.model, faceArchitectures(config))
  const sampling = { ...preset.samples, ...job.sampler }
  const batchSize = sampling.batchSize ?? preset.batchSize
  yield {
    event: 'stage',
    stage: 'train',
    state: 'started',
    text: 'looks for a learning rate, on a copy of the weights',
  }
  const people = await openPeople(run, config, faceType)
  await using samples = openSamples(
    run,
    { sides, people, augmentations: config.augmentations },
    { options: sampling, batchSize, eyesMouth: false, first: { randomWarp: true } },
  )
  const began = performance.now()
  const found = await findLearningRate(run, samples.batch, {
    batchSize,
    device: job.device,
    precision: job.precision,
  })
  const { tried } = found
  yield {
    event: 'stage',
    stage: 'train',
    state: 'finished',
    text: `tried ${tried.length} rates from ${tried[0]!.learningRate.toExponential(0)} to ${tried.at(-1)!.learningRate.toExponential(0)}`,
    seconds: (performance.now() - began) / 1000,
  }
  return found
}
