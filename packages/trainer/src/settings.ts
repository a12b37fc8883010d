import { defineOptions, type OptionsOf } from '@dfl/core'
import { lossOptions } from '@dfl/nn'

/** What a train step is built for besides its model: DeepFaceLab's settings of losses and of what learns, with its limits. */
export const settingOptions = defineOptions({
  ...lossOptions,
  blurOutMask: {
    type: 'boolean',
    default: false,
    description: 'Blur what lies around the face in what is to be painted. Needs exact masks.',
  },
  clipgrad: {
    type: 'number',
    default: 0,
    min: 0,
    description:
      "Largest length of a batch's gradient, against collapse; DeepFaceLab's switch stands for 1, 0 for any.",
  },
  lrDropout: {
    type: 'number',
    default: 0,
    min: 0,
    max: 1,
    description:
      "Share of the weights that learn in an iteration, drawn anew each time; DeepFaceLab's switch stands for 0.3, 0 for all.",
  },
  lrCosineIterations: {
    type: 'number',
    default: 0,
    min: 0,
    integer: true,
    description:
      'Iterations of one swing of the learning rate down to 0 and back; DeepFaceLab has 500 with its dropout.',
  },
})

/** The values of `settingOptions`. */
export type StepSettings = OptionsOf<typeof settingOptions>
