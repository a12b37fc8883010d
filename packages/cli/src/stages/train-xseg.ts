import { DflError, type OptionsOf } from '@dfl/core'
import { chooseDevice, type DeviceChoice } from '@dfl/engine'
import { xseg, xsegPretraining } from '@dfl/model-xseg'
import type { ModelArchitecture } from '@dfl/nn'
import { createModel, hasModel, type Length, openModel, progressOf, type Recipe, train } from '@dfl/trainer'
import { type Stage, type StageContext, sayDuration } from '../events.js'
import type { Workspace } from '../workspace.js'
import { labelledFaces, unlabelledFaces } from '../xseg-faces.js'

/** What a training of masks is asked for. */
export interface XsegJob {
  /** Folder of the model. */
  folder: string
  /** Training time of the whole run, all sittings together. */
  seconds?: number
  iterations?: number
  batchSize?: number
  /** Side of its images; fixed once the model exists. */
  resolution?: number
  /** A faceset to pretrain on, without outlines: its folder or packed file. */
  pretrain?: string
  device?: DeviceChoice
}

/** How far it came. */
export interface XsegResult {
  iterations: number
  seconds: number
  /** Faces that it learned from. */
  faces: number
  loss: number
  stopped: boolean
}

const XSEG = xseg as unknown as ModelArchitecture

/** DeepFaceLab's: RMSprop at 1e-4 throughout, three weights in ten at a time. */
const RECIPE: Recipe = {
  name: 'xseg',
  assumes: 'A few dozen faces with drawn outlines, of every pose, light and thing before a face that shall be masked.',
  phases: [{ name: 'learn', until: 1, learningRate: [1e-4, 1e-4], randomWarp: true, eyesMouthPrio: 0, lrDropout: 0.3 }],
}

const PRETRAINING: Recipe = {
  ...RECIPE,
  name: 'xseg-pretraining',
  assumes: 'Thousands of faces of many people, without outlines.',
}

/**
 * Trains the masker of a workspace on those of its faces that have outlines drawn, or pretrains it on any faces; a new one if
 * there is none yet.
 *
 * @throws DflError `NO_FACES` where no face has an outline, with what to do.
 */
export async function* trainXsegStage(
  workspace: Workspace,
  job: XsegJob,
  { signal }: StageContext = {},
): Stage<XsegResult> {
  const { folder, batchSize = 4 } = job
  const length: Length = { iterations: job.iterations, seconds: job.seconds }
  const faces = job.pretrain === undefined ? await labelledFaces(workspace) : await unlabelledFaces(job.pretrain)
  const device = await chooseDevice(job.device ?? 'cpu')
  const isNew = !(await hasModel(folder))
  const options = job.resolution === undefined ? {} : { resolution: job.resolution }
  const run = isNew
    ? await createModel(folder, XSEG, { options, faceType: faces.faceType, optimiser: 'rmsprop' })
    : await openModel(folder, [XSEG])
  const { resolution } = run.model
  const perSide = Math.ceil(batchSize / 2)
  if (job.resolution !== undefined && job.resolution !== resolution)
    throw new DflError(
      'OPTION_IS_FIXED',
      `Expected resolution ${resolution}, as the model in \`${folder}\` has it, but got ${job.resolution}. Leave it out, or train in another folder.`,
    )
  const { iteration } = run.progress
  yield {
    event: 'stage',
    stage: 'train',
    state: 'started',
    text: `XSeg ${resolution} px on ${faces.told}, ${isNew ? 'from zero' : `goes on from iteration ${iteration}`}`,
  }
  const began = performance.now()
  const { faceType, seed } = run.description
  await using batches = await faces.batches({ faceType, resolution, perSide, seed })
  // Both people are one to it: a batch lies on both sides.
  const model =
    job.pretrain === undefined
      ? run.model
      : xsegPretraining(run.description.options as unknown as OptionsOf<typeof xseg.options>)
  let loss = 0
  for await (const report of train({ ...run, model }, batches.of, {
    recipe: job.pretrain === undefined ? RECIPE : PRETRAINING,
    length,
    batchSize: perSide,
    signal,
    device,
    saveEverySeconds: 30,
  })) {
    loss = loss === 0 ? report.losses.src : loss + 0.05 * (report.losses.src - loss)
    const { dataMs, computeMs } = report
    yield {
      event: 'progress',
      ...{ stage: 'train', unit: 'iterations', done: report.iteration, total: length.iterations },
      share: length.iterations || length.seconds ? report.progress : undefined,
      perSecond: 1000 / (dataMs + computeMs),
      secondsLeft: report.secondsLeft,
      note: `${(dataMs + computeMs).toFixed(0)} ms (${dataMs.toFixed(0)} data + ${computeMs.toFixed(0)} compute)  loss ${loss.toFixed(3)}`,
      detail: { iteration: report.iteration, seconds: report.seconds, dataMs, computeMs, loss },
    }
  }
  const { iteration: iterations, seconds } = run.progress
  const stopped = signal?.aborted === true && progressOf(length, iterations, seconds) < 1
  yield {
    event: 'stage',
    stage: 'train',
    state: stopped ? 'stopped' : 'finished',
    text: `iteration ${iterations}, ${sayDuration(seconds)} of training, loss ${loss.toFixed(3)}`,
    seconds: (performance.now() - began) / 1000,
  }
  return { iterations, seconds, faces: faces.count, loss, stopped }
}
