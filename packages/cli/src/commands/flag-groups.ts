import { PRECISIONS } from '@dfl/engine'
import { extractOptions } from '@dfl/extract'
import { SAMPLER_OPTIONS } from '@dfl/faceset'
import { VIDEO_OPTIONS } from '@dfl/media'
import { mergeOptions } from '@dfl/merge'
import { OPTIMISERS } from '@dfl/nn'
import { settingOptions } from '@dfl/trainer'
import { FACE_ARCHITECTURES } from '../architectures.js'
import type { Given } from '../arguments.js'
import {
  choiceFlag,
  countFlag,
  durationFlag,
  type Flag,
  type FlagGroup,
  rateFlag,
  switchFlag,
  tableFlags,
  textFlag,
} from '../flags.js'
import { type MergeJob, parseControls } from '../merge-job.js'
import type { TrainJob } from '../train-job.js'
import { fromScratchFlag, presetFlag, xsegFlag } from './shared-flags.js'

/** Options of the sampler that a recipe decides, or that make no sense for SRC and DST. */
const BY_RECIPE = ['seed', 'randomWarp', 'eyesMouth', 'paired']

/** Options of extraction that are right for nearly all footage. */
const SEARCH = ['firstFrame', 'lastFrame', 'minScore', 'rotations', 'tiles', 'detectEvery', 'embedEvery']

/** Flags of extraction; without those that make no sense for both sides at once where `both` is meant. */
export function extractGroups({ both = false } = {}): FlagGroup[] {
  const flags = tableFlags(extractOptions, {
    without: both ? ['side', 'debugFolder', 'smooth', 'gaps', 'person', 'firstFrame', 'lastFrame'] : ['side'],
  })
  const isSearch = ({ option }: Flag) => SEARCH.includes(option)
  return [
    { key: 'extract', title: 'Faces', flags: flags.filter((flag) => !isSearch(flag)) },
    { key: 'extract', title: 'Search', detail: true, flags: flags.filter(isSearch) },
  ]
}

/** Flags of how a model is trained. */
export const trainGroup: FlagGroup = {
  key: 'train',
  title: 'Training',
  flags: [
    presetFlag(),
    textFlag('recipe', "A recipe over the preset's, by file or by name in the config. Stays; 'preset' goes back.", {
      placeholder: 'file',
    }),
    rateFlag('learningRate', "Highest learning rate; the recipe's rates are brought in proportion to it."),
    fromScratchFlag(),
    textFlag('pretrain', 'Learn from this faceset of many people, while given.', {
      placeholder: 'folder',
    }),
  ],
}

/** Flags of how a training computes, and how often it is saved. */
export const checkpointGroup: FlagGroup = {
  key: 'train',
  title: 'Precision and checkpoints',
  detail: true,
  flags: [
    choiceFlag('precision', 'Floats of training; mixed is for devices that are quicker in 16 bits (default float32).', {
      choices: PRECISIONS,
    }),
    durationFlag('saveEvery', 'How often a checkpoint is written (default 30s).'),
    durationFlag('backupEvery', 'How often a backup is kept, of which the last 24 stay.'),
  ],
}

/** Flags of what a model is shown. */
export const samplesGroup: FlagGroup = {
  key: 'samples',
  title: 'Samples',
  detail: true,
  flags: tableFlags(SAMPLER_OPTIONS, { without: BY_RECIPE }).map((flag) => {
    if (flag.option === 'batchSize') return { ...flag, showDefault: false }
    // On in the program: a person would ask for it.
    return flag.option === 'rareExpressions'
      ? { ...flag, spec: { ...flag.spec, default: true } as typeof flag.spec }
      : flag
  }),
}

/** Flags of losses and of what learns, in all phases. */
export const settingsGroup: FlagGroup = {
  key: 'settings',
  title: 'Losses, over those of the recipe, as long as they are given',
  detail: true,
  flags: [
    ...tableFlags(settingOptions, { showDefaults: false }),
    {
      ...switchFlag('randomWarp', 'Distort what the model sees. Off late in training, for sharpness.', true),
      showDefault: false,
    },
  ],
}

/** Flags of the model's options. */
export const modelGroup: FlagGroup = {
  key: 'model',
  title: 'Model, over the preset; fixed once the model exists',
  detail: true,
  flags: [
    textFlag(
      'architecture',
      `One of ${FACE_ARCHITECTURES.map(({ name }) => name).join(', ')}, or one of your own from the config (default df).`,
      {
        placeholder: 'name',
      },
    ),
    ...tableFlags(Object.assign({}, ...[...FACE_ARCHITECTURES].reverse().map(({ options }) => options)), {
      showDefaults: false,
    }),
    choiceFlag('optimiser', 'What it learns by (default adabelief).', { choices: Object.keys(OPTIMISERS) }),
    countFlag('seed', 'Same seed and same iterations, same model.', 0),
  ],
}

const COLOUR = ['colorTransfer', 'motionBlur', 'sharpen', 'denoise', 'degrade', 'colorDegrade', 'grain']
const OUTPUT = [...Object.keys(VIDEO_OPTIONS), 'format']

/** Flags of merging. `preset` of the video encoder is called `--encoder-preset` here. */
export const mergeGroups: readonly FlagGroup[] = [
  {
    key: 'merge',
    title: 'Shape and mask',
    detail: true,
    flags: [
      ...tableFlags(mergeOptions, { without: [...COLOUR, ...OUTPUT] }),
      xsegFlag(),
      textFlag('control', "What the model is told besides the face, such as AMP's morph=0.5; see dfl model info.", {
        placeholder: 'name=n',
      }),
    ],
  },
  {
    key: 'merge',
    title: 'Colour and texture',
    detail: true,
    flags: tableFlags(mergeOptions).filter(({ option }) => COLOUR.includes(option)),
  },
  {
    key: 'merge',
    title: 'Output',
    detail: true,
    flags: tableFlags(mergeOptions, { rename: { preset: 'encoder-preset' } }).filter(({ option }) =>
      OUTPUT.includes(option),
    ),
  },
]

/** What the flags of `mergeGroups` ask for. */
export function mergeJobOf({
  xseg,
  control,
  ...options
}: Readonly<Record<string, unknown>> = {}): Pick<MergeJob, 'xseg' | 'controls' | 'options'> {
  return {
    ...(xseg === undefined ? {} : { xseg: xseg as string }),
    ...(control === undefined ? {} : { controls: parseControls(control as string) }),
    options,
  }
}

/** A training as the flags ask for it. `time` and `iterations` are in the group `main`. */
export function trainJobOf({ main = {}, train = {}, samples = {}, settings = {}, model = {} }: Given): TrainJob {
  const { preset, recipe, learningRate, fromScratch, pretrain, precision, saveEvery, backupEvery } = train
  const { architecture, optimiser, seed, ...options } = model
  const job: Record<string, unknown> = {
    ...{ seconds: main.time, iterations: main.iterations, device: main.device },
    ...{ preset, recipe, learningRate, fromScratch, pretrain, precision, architecture, optimiser, seed },
    ...{ saveEverySeconds: saveEvery, backupEverySeconds: backupEvery },
    ...{ settings, model: options, sampler: samples },
  }
  return job as TrainJob
}
