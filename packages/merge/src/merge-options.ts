import { defineOptions, type OptionsOf, resolveOptions } from '@dfl/core'
import { IMAGE_FORMATS, VIDEO_OPTIONS } from '@dfl/media'
import type { MergeStage } from './merge-face.js'
import { COLOR_TRANSFERS, type ColorTransfer, colorTransfer } from './stages/color-transfer.js'
import { blur, erode, MASK_MODES, type MaskMode, mask } from './stages/mask.js'
import { overlay } from './stages/overlay.js'

/** What can be set about how faces are put back into frames and how the result is written. */
export const mergeOptions = defineOptions({
  mask: {
    type: 'choice',
    default: 'learned-prd*learned-dst',
    choices: MASK_MODES,
    description: 'Which mask says where the new face goes.',
  },
  insideHull: {
    type: 'boolean',
    default: false,
    description: "Keep the mask inside the outline of DST's landmarks.",
  },
  erode: {
    type: 'number',
    default: 0,
    min: -100,
    max: 100,
    unit: 'px of a 256 px face',
    description: 'Make the mask smaller all round; negative numbers make it larger.',
  },
  blur: {
    type: 'number',
    default: 16,
    min: 0,
    max: 200,
    unit: 'px of a 256 px face',
    description: "Width of the mask's soft edge.",
  },
  colorTransfer: {
    type: 'choice',
    default: 'rct',
    choices: COLOR_TRANSFERS,
    description: "How the new face takes on the colours of DST's.",
  },
  smoothSeconds: {
    type: 'number',
    default: 0.25,
    min: 0,
    max: 10,
    unit: 's',
    description: 'Over how long the change of colour is averaged, so that it does not flicker; 0 switches this off.',
  },
  ...VIDEO_OPTIONS,
  format: {
    type: 'choice',
    default: 'png',
    choices: IMAGE_FORMATS,
    description: 'Of the images, where the result is a folder of images.',
  },
})

/** The values of `mergeOptions`. */
export type MergeOptions = OptionsOf<typeof mergeOptions>

/**
 * The usual chain of stages: mask, erode, blur, colour transfer, overlay.
 *
 * @throws DflError `BAD_OPTION` that names every wrong value at once.
 */
export function mergeStages(given: Partial<MergeOptions> = {}): MergeStage[] {
  const options = resolveOptions(mergeOptions, given)
  return [
    mask(options.mask as MaskMode, { insideHull: options.insideHull }),
    erode(options.erode),
    blur(options.blur),
    colorTransfer(options.colorTransfer as ColorTransfer, { smoothSeconds: options.smoothSeconds }),
    overlay(),
  ]
}
