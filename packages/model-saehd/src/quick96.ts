import type { OptionsOf } from '@dfl/core'
import type { saehd } from './saehd.js'

/** A network and how DeepFaceLab trains it. */
interface Preset {
  options: Partial<OptionsOf<typeof saehd.options>>
  faceType: 'full_face'
  batchSize: number
  optimiser: 'rmsprop'
  learningRate: number
  /** Share of the weights that learn in an iteration. */
  lrDropout: number
}

/**
 * DeepFaceLab's Quick96: DF of fixed dimensions for a quick look.
 *
 * DeepFaceLab also repeats every third batch without warping; here a phase of a recipe says whether faces are warped.
 */
export const quick96: Preset = {
  options: { archi: 'df', resolution: 96, aeDims: 128, eDims: 64, dDims: 64, dMaskDims: 16 },
  faceType: 'full_face',
  batchSize: 4,
  optimiser: 'rmsprop',
  learningRate: 2e-4,
  lrDropout: 0.3,
}
