import { defineOptions, type OptionsOf, resolveOptions } from '@dfl/core'
import { IMAGE_FORMATS, VIDEO_OPTIONS } from '@dfl/media'
import type { Masker, MergeStage } from './merge-face.js'
import { COLOR_TRANSFERS, type ColorTransfer, colorTransfer } from './stages/color-transfer.js'
import { feather } from './stages/feather.js'
import { fillUncovered } from './stages/fill-uncovered.js'
import { grain } from './stages/grain.js'
import { histMatch } from './stages/hist-match.js'
import { keepBehind } from './stages/keep-behind.js'
import { blur, erode, MASK_MODES, type MaskMode, mask } from './stages/mask.js'
import { motionBlur } from './stages/motion-blur.js'
import { multiBand } from './stages/multi-band.js'
import { overlay } from './stages/overlay.js'
import { rawPredict, rawRgb } from './stages/raw.js'
import { reshape } from './stages/reshape.js'
import { scaleFace } from './stages/scale-face.js'
import { seamless } from './stages/seamless.js'
import { steadyMask } from './stages/steady-mask.js'
import { colorDegrade, degrade, denoise, sharpen } from './stages/texture.js'

/** How the face is laid into its frame, in DFL's words; `multi-band` is new. */
export const MERGE_MODES = [
  'overlay',
  'hist-match',
  'seamless',
  'seamless-hist-match',
  'multi-band',
  'raw-rgb',
  'raw-predict',
  'original',
] as const

/** What is done where the new face and DST's differ in shape. */
export const MASK_FITS = ['none', 'reshape', 'fill', 'reshape+fill'] as const

/** One of `MERGE_MODES`. */
export type MergeMode = (typeof MERGE_MODES)[number]

const percent = (description: string, min = 0) =>
  ({ type: 'number', default: 0, min, max: 100, unit: '%', description }) as const

const featherSide = (description: string) =>
  ({ type: 'number', default: 0, min: 0, max: 128, unit: 'px of a 256 px face', description }) as const

/** What can be set about how faces are put back into frames and how the result is written. */
export const mergeOptions = defineOptions({
  mode: {
    type: 'choice',
    default: 'overlay',
    choices: MERGE_MODES,
    description: 'How the face is laid into its frame.',
  },
  mask: {
    type: 'choice',
    default: 'learned-prd*learned-dst',
    choices: MASK_MODES,
    description: 'Which mask says where the new face goes.',
  },
  fit: {
    type: 'choice',
    default: 'none',
    choices: MASK_FITS,
    description: "What to do where the new face and DST's differ in shape.",
  },
  insideHull: {
    type: 'boolean',
    default: false,
    description: "Keep the mask inside the outline of DST's face.",
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
  keepBehind: {
    type: 'boolean',
    default: true,
    description: "Leave what is behind DST's head as it is where the mask reaches past the head.",
  },
  featherTop: featherSide('Fade the mask from its upper edge.'),
  featherBottom: featherSide('Fade the mask from its lower edge.'),
  featherLeft: featherSide('Fade the mask from its left edge.'),
  featherRight: featherSide('Fade the mask from its right edge.'),
  faceScale: {
    type: 'number',
    default: 0,
    min: -50,
    max: 50,
    unit: '%',
    description: 'Make the face larger round its centre, or smaller.',
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
    description: 'Over how long the mask and the change of colour are averaged, against flicker; 0 switches this off.',
  },
  motionBlur: percent('Smear the face along its way, for this much of the time from frame to frame.'),
  sharpen: percent('Sharpen the face, or soften it with negative numbers.', -100),
  denoise: percent('Take grain off the face.'),
  degrade: percent('Lower the resolution of the face.'),
  colorDegrade: percent('Paint the face with few colours.'),
  grain: percent("Give the face the grain of DST's frame, as much of what it lacks."),
  ...VIDEO_OPTIONS,
  format: {
    type: 'choice',
    default: 'same',
    choices: ['same', ...IMAGE_FORMATS],
    description:
      "Of the images, where the result is a folder; 'same' is DST's own where it loses nothing, otherwise png.",
  },
})

/** The values of `mergeOptions`. */
export type MergeOptions = OptionsOf<typeof mergeOptions>

/**
 * The usual chain of stages: shape, mask, erode, blur, feather, colour transfer, texture, motion blur, scale, the mode's own,
 * filling and grain.
 *
 * `original` has none; `raw-rgb` and `raw-predict` show what the model painted and nothing else.
 *
 * @param tools `masker`: a trained XSeg, for the masks that name it.
 * @throws DflError `BAD_OPTION` that names every wrong value at once.
 */
export function mergeStages(given: Partial<MergeOptions> = {}, { masker }: { masker?: Masker } = {}): MergeStage[] {
  const options = resolveOptions(mergeOptions, given)
  const mode = options.mode as MergeMode
  if (mode === 'original') return []
  if (mode === 'raw-rgb') return [rawRgb()]
  if (mode === 'raw-predict') return [rawPredict()]
  const { featherTop: top, featherBottom: bottom, featherLeft: left, featherRight: right } = options
  const own: Record<typeof mode, MergeStage[]> = {
    overlay: [],
    'hist-match': [histMatch()],
    seamless: [seamless()],
    'seamless-hist-match': [seamless(), histMatch()],
    'multi-band': [multiBand()],
  }
  const { smoothSeconds } = options
  const finder = options.mask.includes('XSeg-dst') ? masker : undefined
  return [
    ...(options.fit.includes('reshape') ? [reshape({ seconds: smoothSeconds, masker: finder })] : []),
    mask(options.mask as MaskMode, { insideHull: options.insideHull, masker }),
    steadyMask(smoothSeconds),
    erode(options.erode),
    blur(options.blur),
    ...(options.keepBehind && options.mask !== 'full' ? [keepBehind()] : []),
    feather({ top, bottom, left, right }),
    colorTransfer(options.colorTransfer as ColorTransfer, { smoothSeconds }),
    denoise(options.denoise),
    degrade(options.degrade),
    sharpen(options.sharpen),
    colorDegrade(options.colorDegrade),
    motionBlur(options.motionBlur),
    scaleFace(options.faceScale),
    ...own[mode],
    ...(options.fit.includes('fill') ? [fillUncovered()] : []),
    grain(options.grain),
    overlay(),
  ]
}
