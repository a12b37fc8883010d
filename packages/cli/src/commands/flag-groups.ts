import type { DeviceChoice } from '@dfl/engine'
import { extractOptions } from '@dfl/extract'
import { SAMPLER_OPTIONS } from '@dfl/faceset'
import { mergeOptions } from '@dfl/merge'
import { FACE_ARCHITECTURES } from '../architectures.js'
import type { Given } from '../arguments.js'
import { choiceFlag, countFlag, durationFlag, type FlagGroup, switchFlag, tableFlags } from '../flags.js'
import { PRESETS } from '../presets.js'
import type { TrainJob } from '../stages/train.js'

/** Options of the sampler that a recipe decides, or that make no sense for SRC and DST. */
const BY_RECIPE = ['seed', 'randomWarp', 'eyesMouth', 'paired']

/** Flags of extraction; without those that make no sense for both sides at once where `both` is meant. */
export const extractGroup = ({ both = false } = {}): FlagGroup => ({
  key: 'extract',
  title: 'Extraction',
  flags: tableFlags(extractOptions, { without: both ? ['side', 'debugFolder', 'smooth', 'gaps', 'person'] : ['side'] }),
})

/** Flags of training that are not an option of the model. */
export const trainGroup: FlagGroup = {
  key: 'train',
  title: 'Training',
  flags: [
    choiceFlag('preset', `Network and recipe that go together; chosen by the training time if not given.`, {
      choices: PRESETS.map(({ name }) => name),
    }),
    choiceFlag('model', 'Architecture of a new model (default df).', {
      choices: FACE_ARCHITECTURES.map(({ name }) => name),
    }),
    switchFlag(
      'fromScratch',
      'Start a new model from random weights instead of those that learned other, rendered heads.',
    ),
    durationFlag('saveEvery', 'How often a checkpoint is written, which is what a crash costs at most (default 30s).'),
    ...tableFlags(SAMPLER_OPTIONS, { without: BY_RECIPE }).map((flag) => {
      if (flag.option === 'batchSize') return { ...flag, showDefault: false }
      // On in the program: a person would ask for it.
      return flag.option === 'rareExpressions'
        ? { ...flag, spec: { ...flag.spec, default: true } as typeof flag.spec }
        : flag
    }),
  ],
}

/** Flags of the model's options. */
export const modelGroup: FlagGroup = {
  key: 'model',
  title: 'Model, over the preset; fixed once the model exists',
  flags: [
    ...tableFlags(Object.assign({}, ...[...FACE_ARCHITECTURES].reverse().map(({ options }) => options)), {
      showDefaults: false,
    }),
    countFlag('seed', 'Same seed and same iterations, same model.', 0),
  ],
}

/** Flags of merging. `preset` of the video encoder is called `--encoder-preset` here. */
export const mergeGroup: FlagGroup = {
  key: 'merge',
  title: 'Merge',
  flags: tableFlags(mergeOptions, { rename: { preset: 'encoder-preset' } }),
}

/** A training as the flags ask for it. `time` and `iterations` are in the group `main`. */
export function trainJobOf({ main = {}, train = {}, model = {} }: Given): TrainJob {
  const { preset, model: architecture, fromScratch, saveEvery, ...sampler } = train
  const { seed, ...options } = model
  return {
    seconds: main.time as number | undefined,
    iterations: main.iterations as number | undefined,
    device: main.device as DeviceChoice | undefined,
    preset: preset as string | undefined,
    architecture: architecture as string | undefined,
    fromScratch: fromScratch as boolean | undefined,
    saveEverySeconds: saveEvery as number | undefined,
    seed: seed as number | undefined,
    model: options,
    sampler,
  }
}
