import { DflError, type FaceType, type OptionsOf } from '@dfl/core'
import type { df } from '@dfl/model-df'
import { quick96 } from '@dfl/model-saehd'
import type { OptimiserName } from '@dfl/nn'
import type { Phase, Recipe } from '@dfl/trainer'
import type { SampleOptions } from './samples.js'

/** A network and a way to train it that go together. */
export interface Preset {
  name: string
  /** What it is made for and what it assumes, in one sentence. */
  assumes: string
  /** Options of the architecture; the rest stay at their defaults. */
  architecture: Partial<OptionsOf<typeof df.options>>
  faceType: FaceType
  batchSize: number
  /** What a new model learns by; AdaBelief if not given. */
  optimiser?: OptimiserName
  /** How samples are drawn, where it is not as usual. */
  samples?: SampleOptions
  /** How a model learns that begins with random weights. */
  recipe: Recipe
  /** How one learns that begins with the weights that come with this package. */
  recipeFromWeights?: Recipe
}

/** The learning rates between which a recipe's main stretch falls, and then its end. */
const FAST = 5e-4
const SLOW = 1.5e-4
const LAST = 3e-5

/** As DeepFaceLab's switch: eyes and mouth follow DST sooner, the rest hardly later. */
const EYES_AND_MOUTH = 300

/** Without it, rates like these kill units in the first iterations. */
const WARM_UP_ITERATIONS = 300

const phase = (
  name: string,
  until: number,
  learningRate: Phase['learningRate'],
  change: Partial<Phase> = {},
): Phase => ({
  name,
  until,
  learningRate,
  randomWarp: true,
  eyesMouthPrio: 0,
  ...change,
})

/**
 * @param rate  How large the learning rates are, as a share of those of the small networks.
 * @param last  What is different in its end.
 */
const recipe = (name: string, assumes: string, rate = 1, last: Partial<Phase> = {}): Recipe => ({
  name,
  assumes,
  warmUpIterations: WARM_UP_ITERATIONS,
  phases: [
    phase('learn', 0.85, [rate * FAST, rate * SLOW], { eyesMouthPrio: EYES_AND_MOUTH }),
    phase('settle', 1, [rate * SLOW, rate * LAST], { eyesMouthPrio: EYES_AND_MOUTH, ...last }),
  ],
})

/** Beginnings of the paths of the decoders' first level, inside a decoder: an upscaling and the residual block after it. */
export const FIRST_LEVEL = ['up1/', 'res1/'] as const

/** Shares of the learning rate for what reads a face, which is all up to the first level of the decoders. */
const readingAt = (encoder: number, decoder: number) => ({
  'encoder/': encoder,
  'inter/': encoder,
  ...Object.fromEntries(
    ['src', 'dst'].flatMap((side) => FIRST_LEVEL.map((layer) => [`decoder_${side}/${layer}`, decoder])),
  ),
})

/** As it is. */
const KEPT = readingAt(0, 0)
/** Fitting itself a little to the two people. */
const SLOWLY = readingAt(0.05, 0.3)

/**
 * What the start weights know is how to tell what any head does from whose head it is, and the first level of a decoder is what
 * reads it. Where these learn with the rest, eyes follow DST less the longer it goes: SRC's decoder comes to expect what SRC
 * did at such a pose. So they stay as they are nearly to the end, and an iteration takes a fifth less. Nothing needs to be
 * distorted for it, and what is not distorted is painted sharp sooner.
 *
 * @param change  `until`: when low rates begin, and `joint`: from which they fall on, 0.85 and `SLOW` if not given. `atLast`: shares
 * of the learning rate from then on.
 */
const fromWeights = (
  { name, assumes, warmUpIterations, phases }: Recipe,
  { until = 0.85, joint = SLOW, atLast = SLOWLY }: { until?: number; joint?: number; atLast?: Phase['rates'] } = {},
): Recipe => {
  const [learn, settle] = phases.map((phase) => ({ ...phase, randomWarp: false }))
  return {
    name: `${name}, from start weights`,
    assumes,
    warmUpIterations,
    phases: [
      { ...learn!, name: 'decoders', until, learningRate: [FAST, joint], rates: KEPT },
      { ...settle!, learningRate: [joint, LAST], rates: atLast },
    ],
  }
}

/** The network that the start weights fit: small pictures show it what a face does, and it paints larger ones. */
const SMALL = { resolution: 192, encoderResolution: 96, aeDims: 64, eDims: 24, dDims: 16, dMaskDims: 8 }

const barely = 'For a look, in a minute or two, whether the two people go together.'
const quickly = 'For a first likeness within minutes on a CPU; a few hundred similar faces a side.'
const usually = 'For up to some hours on a CPU; a few hundred to some thousand faces a side.'
const thoroughly = "DeepFaceLab's own dimensions at 256 px, from random weights: for a GPU and a day."

const asDeepFaceLab =
  "DeepFaceLab's Quick96, for comparison, from random weights: for a GPU, or an hour and more on a CPU."

/** DeepFaceLab's Quick96: its network, at one even rate until it is stopped. */
const { archi: _, ...quick96Network } = quick96.options
const QUICK96: Preset = {
  name: 'quick96',
  assumes: asDeepFaceLab,
  architecture: quick96Network,
  faceType: quick96.faceType,
  batchSize: quick96.batchSize,
  optimiser: quick96.optimiser,
  samples: { rareExpressions: false },
  recipe: {
    name: 'quick96',
    assumes: asDeepFaceLab,
    phases: [phase('learn', 1, [quick96.learningRate, quick96.learningRate], { lrDropout: quick96.lrDropout })],
  },
}

/** From short to long, and one for comparison. */
export const PRESETS: readonly Preset[] = [
  {
    name: 'preview',
    assumes: barely,
    architecture: SMALL,
    faceType: 'full_face',
    batchSize: 4,
    recipe: recipe('preview', barely),
    recipeFromWeights: fromWeights(recipe('preview', barely), { atLast: KEPT }),
  },
  {
    name: 'quick',
    assumes: quickly,
    architecture: SMALL,
    faceType: 'full_face',
    batchSize: 4,
    recipe: recipe('quick', quickly),
    recipeFromWeights: fromWeights(recipe('quick', quickly)),
  },
  {
    name: 'standard',
    assumes: usually,
    architecture: SMALL,
    faceType: 'full_face',
    batchSize: 4,
    recipe: recipe('standard', usually),
    // It has the iterations to learn at low rates, which lose less of how eyes are read.
    recipeFromWeights: fromWeights(recipe('standard', usually), { until: 0.5, joint: 1e-4 }),
  },
  {
    name: 'film',
    assumes: thoroughly,
    architecture: { resolution: 256, encoderResolution: 128, aeDims: 256, eDims: 64, dDims: 64, dMaskDims: 22 },
    faceType: 'full_face',
    batchSize: 4,
    // Who trains that long wants it sharp: as practitioners do, the warp ends before the training does.
    recipe: recipe('film', thoroughly, 0.2, { randomWarp: false }),
  },
  QUICK96,
]

/** The longest training, on a CPU, that `quick` is chosen for. */
const QUICK = { seconds: 8 * 60, iterations: 2000 }

/** The shortest one, on a GPU, that `film` is chosen for: judged, not measured. */
const FILM = { seconds: 1.5 * 3600, iterations: 80_000 }

/** What is known when a preset is chosen. */
export interface PresetQuestion {
  /** Training time. */
  seconds?: number
  iterations?: number
  /** Where the network will run; 'cpu' if not given. */
  device?: string
}

/**
 * The preset for a training of that length.
 *
 * On a CPU never `film`: some iterations a second would be needed for it to become what it is for. On a GPU, which is taken to
 * be four times as fast, `film` from one and a half hours on and without a length.
 */
export function presetFor({ seconds, iterations, device = 'cpu' }: PresetQuestion): Preset {
  // What TensorFlow runs on is not known here, and it is no quicker than the CPU where it has no GPU.
  const onGpu = device !== 'cpu' && device !== 'tensorflow'
  const endless = seconds === undefined && iterations === undefined
  const isBelow = (limit: typeof QUICK, faster = 1) =>
    seconds === undefined ? (iterations ?? 0) <= limit.iterations : seconds * faster <= limit.seconds
  if (!endless && isBelow(QUICK, onGpu ? 4 : 1)) return presetNamed('quick')
  return presetNamed(onGpu && (endless || !isBelow(FILM)) ? 'film' : 'standard')
}

/**
 * The preset of a name.
 *
 * @throws DflError `BAD_OPTION` when there is none.
 */
export function presetNamed(name: string): Preset {
  const found = PRESETS.find((preset) => preset.name === name)
  if (found) return found
  const names = PRESETS.map((preset) => preset.name).join(', ')
  throw new DflError('BAD_OPTION', `Expected one of ${names} for \`preset\`, but got '${name}'. Choose one of them.`)
}

/** Whether two presets are the same network, so that a model of one can be trained as the other. */
export const sameNetwork = (a: Preset, b: Preset): boolean =>
  JSON.stringify([a.architecture, a.faceType]) === JSON.stringify([b.architecture, b.faceType])

/**
 * How a model of a preset learns.
 *
 * @param fromWeights  Whether it began with the weights that come with this package; `encoder`: but its decoders did not, so
 * that they have to learn in whole.
 * @param faceType  Of the faces that it learns. A head moves in its square as it turns, and there is more of it than the weights
 * know: all parts learn those.
 */
export function recipeOf(
  { recipe, recipeFromWeights }: Preset,
  fromWeights: boolean | 'encoder' = false,
  faceType: FaceType = 'full_face',
): Recipe {
  if (!fromWeights || !recipeFromWeights) return recipe
  const keeps = (path: string) => faceType !== 'head' && (fromWeights === true || !path.startsWith('decoder_'))
  const kept = (rates: Phase['rates'] = {}) => Object.fromEntries(Object.entries(rates).filter(([path]) => keeps(path)))
  return {
    ...recipeFromWeights,
    phases: recipeFromWeights.phases.map((phase) => ({ ...phase, rates: kept(phase.rates) })),
  }
}

/**
 * The share of a preset's learning rates at which a network learns that is wider than the preset's: that of the widths, since
 * each of an adaptive optimiser's steps moves a sum over as many more inputs. Narrower ones learn at the preset's own. A SAEHD of
 * 64 px with 64 dimensions had losses of 2.34 and 2.44 so after 250 iterations, at the rates of `quick` itself 2.49 and 2.53.
 *
 * @param options  Of the model; 1 where it does not have `eDims` and `dDims`.
 * Source: Yang et al. 2021, https://arxiv.org/abs/2203.03466, table 3: Adam's rate of hidden layers
 */
export function rateForWidth({ architecture }: Preset, options: Readonly<Record<string, unknown>>): number {
  const widthOf = ({ eDims, dDims }: Readonly<Record<string, unknown>>) => Math.sqrt(Number(eDims) * Number(dDims))
  const share = widthOf(architecture) / widthOf(options)
  return share < 1 ? share : 1
}

/** A recipe's longest stretch at one even rate, for a training without an end: it goes on until somebody stops it. */
export function withoutEnd({ name, assumes, warmUpIterations, phases }: Recipe): Recipe {
  const lengths = phases.map(({ until }, i) => until - (phases[i - 1]?.until ?? 0))
  const main = phases[lengths.indexOf(Math.max(...lengths))]!
  const even = Math.sqrt(main.learningRate[0] * main.learningRate[1])
  return {
    name: `${name}, without an end`,
    assumes,
    warmUpIterations,
    // What learns at last learns from the beginning: there is no telling when it ends.
    phases: [{ ...main, until: 1, learningRate: [even, even], rates: phases.at(-1)!.rates }],
  }
}
