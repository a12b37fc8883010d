import { defineOptions } from '@dfl/core'

/** How samples are drawn from two facesets. */
export const SAMPLER_OPTIONS = defineOptions({
  seed: { type: 'number', default: 0, integer: true, description: 'Same seed, same batches.' },
  batchSize: {
    type: 'number',
    default: 8,
    min: 1,
    max: 1024,
    integer: true,
    description: 'Samples of each side in a batch.',
  },
  randomWarp: {
    type: 'boolean',
    default: true,
    description: 'Distort what the model sees, so that it learns to straighten it.',
  },
  warpPower: { type: 'number', default: 1, min: 0, max: 1.5, description: 'Strength of the random warp.' },
  flipSrc: { type: 'number', default: 0, min: 0, max: 1, description: 'Probability of mirroring a src sample.' },
  flipDst: { type: 'number', default: 0, min: 0, max: 1, description: 'Probability of mirroring a dst sample.' },
  hsvPower: {
    type: 'number',
    default: 0,
    min: 0,
    max: 0.3,
    description: 'Random change of hue, saturation and value of what the model sees of src.',
  },
  matchColors: {
    type: 'choice',
    default: 'none',
    choices: ['none', 'rct', 'lct', 'mkl', 'idt', 'sot'],
    description:
      "Give each src sample the colours of a dst sample, in DeepFaceLab's words for how. rct is quick, idt and sot are slow.",
  },
  uniformYaw: {
    type: 'boolean',
    default: false,
    description: 'Show all head yaws equally often. Needs faces with a pose.',
  },
  rareExpressions: {
    type: 'boolean',
    default: false,
    description:
      'Show rare openings of eyes and mouth, such as blinks, more often than they occur. Not with uniform yaw.',
  },
  paired: {
    type: 'boolean',
    default: false,
    description: 'Show of dst the face at the same place of its faceset as of src, turned, mirrored and warped alike.',
  },
  eyesMouth: { type: 'boolean', default: false, description: 'Also make the mask of eyes and mouth.' },
  cacheMegabytes: {
    type: 'number',
    default: 2048,
    min: 0,
    unit: 'MB',
    description: 'Memory for decoded faces. What does not fit is decoded again and again, a few faces at each step.',
  },
  prefetch: { type: 'number', default: 2, min: 0, max: 64, integer: true, description: 'Batches made ahead.' },
  workers: {
    type: 'number',
    default: 1,
    min: 0,
    max: 64,
    integer: true,
    description: 'Threads that make samples; 0 makes them in the calling thread. The batches are the same.',
  },
})
