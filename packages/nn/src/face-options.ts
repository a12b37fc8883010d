import { DflError, defineOptions } from '@dfl/core'

/** The options that DeepFaceLab's architectures share; each fixed once a model exists. */
export const faceModelOptions = defineOptions({
  resolution: {
    type: 'number',
    default: 128,
    min: 32,
    max: 640,
    multipleOf: 16,
    unit: 'px',
    fixed: true,
    description: 'Side R of the images the model sees and paints.',
  },
  aeDims: {
    type: 'number',
    default: 256,
    min: 16,
    max: 1024,
    integer: true,
    fixed: true,
    description: 'Size of the code between encoder and decoders.',
  },
  eDims: {
    type: 'number',
    default: 64,
    min: 8,
    max: 256,
    multipleOf: 2,
    fixed: true,
    description: 'Channels of the encoder at its first level.',
  },
  dDims: {
    type: 'number',
    default: 64,
    min: 8,
    max: 256,
    multipleOf: 2,
    fixed: true,
    description: 'Channels of the face decoders at their last level, halved.',
  },
  dMaskDims: {
    type: 'number',
    default: 22,
    min: 4,
    max: 256,
    multipleOf: 2,
    fixed: true,
    description: 'Channels of the mask decoders at their last level, halved.',
  },
  pixelNorm: {
    type: 'boolean',
    default: true,
    fixed: true,
    description: "Normalise the code ('u'): likeness grows faster.",
  },
  subpixel: {
    type: 'boolean',
    default: true,
    fixed: true,
    description: "Paint the last doubling with four convolutions ('d'): a third of the work.",
  },
  deep: {
    type: 'boolean',
    default: false,
    fixed: true,
    description: "One more level and residual blocks in the encoder ('t').",
  },
  cosine: { type: 'boolean', default: false, fixed: true, description: "x · cos(x) as the activation ('c')." },
})

/**
 * Nothing, if the levels of the variant fit the resolution.
 *
 * @throws DflError `BAD_OPTION` with the nearest resolutions that do.
 */
export function checkLevels({
  resolution,
  deep,
  subpixel,
}: {
  resolution: number
  deep: boolean
  subpixel: boolean
}): void {
  if (!(deep || subpixel) || resolution % 32 === 0) return
  throw new DflError(
    'BAD_OPTION',
    `Expected a multiple of 32 for \`resolution\` with \`${deep ? 'deep' : 'subpixel'}\`, but got ${resolution}. Use ${resolution - 16} or ${resolution + 16}.`,
  )
}
