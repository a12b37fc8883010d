import { setImmediate } from 'node:timers/promises'
import { DflError, type FaceMeta, type FaceType, hashSeed, type MaskPolygon, Random, type Side } from '@dfl/core'
import { chooseDevice, type DeviceChoice } from '@dfl/engine'
import { type Faceset, openFaceset } from '@dfl/faceset'
import { toPixels } from '@dfl/image'
import { batchOf, drawSample, type LabelledFace, xseg } from '@dfl/model-xseg'
import type { ModelArchitecture } from '@dfl/nn'
import { createModel, hasModel, type Length, openModel, progressOf, type Recipe, train } from '@dfl/trainer'
import { type Stage, type StageContext, sayDuration } from '../events.js'
import type { Workspace } from '../workspace.js'

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
  device?: DeviceChoice
}

/** How far it came. */
export interface XsegResult {
  iterations: number
  seconds: number
  /** Faces with outlines that it learned from. */
  labelled: number
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

/**
 * Trains the masker of a workspace on those of its faces that have outlines drawn, a new one if there is none yet.
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
  const { faces, faceType } = await labelledFaces(workspace)
  const device = await chooseDevice(job.device ?? 'cpu')
  const isNew = !(await hasModel(folder))
  const options = job.resolution === undefined ? {} : { resolution: job.resolution }
  const run = isNew
    ? await createModel(folder, XSEG, { options, faceType, optimiser: 'rmsprop' })
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
    text: `XSeg ${resolution} px on ${faces.length} faces with outlines, ${isNew ? 'from zero' : `goes on from iteration ${iteration}`}`,
  }
  const began = performance.now()
  const make = (draw: number) => {
    const random = new Random(hashSeed(run.description.seed, draw))
    const side = () => {
      const draw = () => drawSample(faces, random.integer(faces.length), { random, resolution })
      const { warped, mask } = batchOf(Array.from({ length: perSide }, draw))
      return { warped, target: warped, mask }
    }
    return { src: side(), dst: side() } // Both people are one to it: a batch lies on both sides.
  }
  let ahead: { draw: number; batch: Promise<ReturnType<typeof make>> } | undefined
  const batches = async (draw: number) => {
    const batch = ahead?.draw === draw ? await ahead.batch : make(draw)
    // The next one is made while the device computes, when this thread has nothing else to do.
    ahead = { draw: draw + 1, batch: setImmediate().then(() => make(draw + 1)) }
    return batch
  }
  let loss = 0
  for await (const report of train(run, batches, {
    recipe: RECIPE,
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
  return { iterations, seconds, labelled: faces.length, loss, stopped }
}

/** Faces of both sides that have an outline drawn, as images in memory. */
async function labelledFaces(workspace: Workspace): Promise<{ faces: LabelledFace[]; faceType: FaceType }> {
  const faces: LabelledFace[] = []
  let faceType: FaceType | undefined
  for (const side of ['src', 'dst'] as Side[]) {
    const faceset = await openFaceset(workspace.faceset[side]).catch(() => undefined)
    for await (const face of faceset?.faces() ?? []) {
      if (!face.polygons?.some(({ kind }) => kind === 'include')) continue
      faceType ??= face.faceType
      if (face.faceType === faceType) faces.push(await labelled(faceset!, face, face.polygons))
    }
  }
  if (faceType && faces.length > 0) return { faces, faceType }
  throw new DflError(
    'NO_FACES',
    `Expected faces with outlines in \`${workspace.folder}\`, but got none. Draw some in labelme or VIA and read them with dfl faceset import-masks, or bring in a faceset of DeepFaceLab with its labels: dfl faceset import.`,
  )
}

const labelled = async (faceset: Faceset, face: FaceMeta, polygons: readonly MaskPolygon[]): Promise<LabelledFace> => ({
  image: toPixels(await faceset.readImage(face)),
  polygons,
})
