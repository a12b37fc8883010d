import { hashSeed, Random, type Side } from '@dfl/core'
import { drawAugmentation, noAugmentation } from './augment.js'
import { type CutInput, type CutSpec, cutFace, type FaceCut } from './cut-face.js'
import { createSideBatch, drawSample, type SideBatch } from './draw-sample.js'

/** What all batches of a sampler have in common. Plain data: it is sent to worker threads. */
export interface MakerSettings {
  seed: number
  cut: Record<Side, CutSpec>
  flip: Record<Side, number>
  hsvPower: Record<Side, number>
  randomWarp: boolean
  warpPower: number
  /** Whether sample i of dst is turned, mirrored and warped as sample i of src is. */
  paired: boolean
}

/** The faces of one batch. Without a step, samples are left as they are. */
export interface BatchJob {
  step?: number
  cuts: Record<Side, FaceCut[]>
}

/** A face to be cut. */
export interface CutJob extends CutInput {
  side: Side
}

/** Does the work of a sampler, here or in worker threads. Its results depend on the jobs and settings alone. */
export interface SampleMaker extends AsyncDisposable {
  cut(job: CutJob): Promise<FaceCut>
  draw(job: BatchJob): Promise<Record<Side, SideBatch>>
}

/** What a sampler's thread can be asked for. */
export const sampleJobs = (settings: MakerSettings) => ({
  cut: (job: CutJob) => runCut(job, settings),
  draw: (job: BatchJob) => runDraw(job, settings),
})

/** The jobs by name. */
export type SampleJobs = ReturnType<typeof sampleJobs>

/** The face of a job, cut as its side is. */
const runCut = ({ side, ...face }: CutJob, settings: MakerSettings): FaceCut => cutFace(face, settings.cut[side])

/** The samples of both sides. Sample i of a step and side has random numbers of its own. */
function runDraw({ step, cuts }: BatchJob, settings: MakerSettings): Record<Side, SideBatch> {
  const { seed, flip, hsvPower, randomWarp, warpPower, paired } = settings
  const drawSide = (side: Side): SideBatch => {
    const spec = settings.cut[side]
    const { resolution } = spec
    const out = createSideBatch(cuts[side].length, spec)
    const options = { resolution, randomWarp, warpPower, flip: flip[paired ? 'src' : side], hsvPower: hsvPower[side] }
    cuts[side].forEach((cut, i) => {
      const augmentation =
        step === undefined
          ? noAugmentation
          : drawAugmentation(new Random(hashSeed(seed, 'sample', paired ? 'src' : side, step, i)), options)
      drawSample(out, i, cut, spec, augmentation)
    })
    return out
  }
  return { src: drawSide('src'), dst: drawSide('dst') }
}
