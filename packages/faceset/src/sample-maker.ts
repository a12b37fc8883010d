import { hashSeed, Random, type Side } from '@dfl/core'
import { drawAugmentation, noAugmentation } from './augment.js'
import { type CutInput, type CutSpec, cutFace, type FaceCut } from './cut-face.js'
import { createSideBatch, drawSample, type SamplePixels, type SideBatch } from './draw-sample.js'
import { type MatchColors, matchColors } from './match-colors.js'

/** What all batches of a sampler have in common. Plain data: it is sent to worker threads. */
export interface MakerSettings {
  seed: number
  cut: Record<Side, CutSpec>
  flip: Record<Side, number>
  hsvPower: Record<Side, number>
  /** How colours of src samples become those of dst samples. */
  matchColors: MatchColors
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
  const drawSide = (side: Side, recolour?: (sample: SamplePixels, i: number) => void): SideBatch => {
    const spec = settings.cut[side]
    const { resolution } = spec
    const out = createSideBatch(cuts[side].length, spec)
    const options = { resolution, randomWarp, warpPower, flip: flip[paired ? 'src' : side], hsvPower: hsvPower[side] }
    cuts[side].forEach((cut, i) => {
      const augmentation =
        step === undefined
          ? noAugmentation
          : drawAugmentation(new Random(hashSeed(seed, 'sample', paired ? 'src' : side, step, i)), options)
      drawSample(out, i, { cut, spec, augmentation, recolour: recolour && ((sample) => recolour(sample, i)) })
    })
    return out
  }
  const dst = drawSide('dst')
  // A preview shows faces as they are.
  if (step === undefined || settings.matchColors === 'none') return { src: drawSide('src'), dst }
  const change = matchColors(settings.matchColors)
  const { resolution } = settings.cut.dst
  const size = 3 * resolution * resolution
  const src = drawSide('src', (sample, i) => {
    // Batches are drawn at random: the dst sample beside it is any.
    const at = (i % cuts.dst.length) * size
    change(sample, dst.target.subarray(at, at + size), resolution)
  })
  return { src, dst }
}
