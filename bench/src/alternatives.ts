import { type DflConfig, presetNamed, type TrainJob } from '@dfl/cli'
import type { OptionsOf } from '@dfl/core'
import { df } from '@dfl/model-df'
import { quick96, saehd } from '@dfl/model-saehd'
import { faceLosses, type ModelArchitecture } from '@dfl/nn'
import type { Phase, Recipe } from '@dfl/trainer'
import { type Draw, heNormal, orthogonal } from './initialisers.js'

/** One change of how a model is trained, to be compared with how it is trained otherwise. */
export interface Alternative {
  /** `weights/…` starts from the weights that come with `@dfl/cli`, `scratch/…` and `dfl/…` from random ones. */
  name: string
  /** What is another than in the line it is compared with, in a few words. */
  change: string
  /** What `trainStage` is asked for besides the time. */
  job: Omit<TrainJob, 'seconds' | 'iterations'>
  /** Recipes and architectures that the job names. */
  config?: DflConfig
  /** Architecture of the model instead of DF's, where it may begin with start weights too. */
  architecture?: ModelArchitecture
  /** How first weights are drawn instead of Glorot's uniform numbers. */
  draw?: Draw
  /** A first part of the time, as a share, is trained with other options; what both networks have in common is kept. */
  smallFirst?: { model: Readonly<Record<string, unknown>>; share: number; recipe: string }
}

const quick = presetNamed('quick')
const fromScratch = { preset: 'quick', fromScratch: true } as const
const fromWeights = { preset: 'quick' } as const

/** The recipe of a job, each phase changed. */
const vary = (recipe: Recipe, name: string, change: (phase: Phase) => Phase | Phase[]): Recipe => ({
  ...recipe,
  name,
  phases: recipe.phases.flatMap(change),
})

const MASK_OFF = { 'decoder_src/mask_': 0, 'decoder_dst/mask_': 0 }

/** The mask learns in the first third of the run only: later phases compute no gradient for it. */
function maskEarly(recipe: Recipe, name: string): Recipe {
  const at = 1 / 3
  let begin = 0
  return vary(recipe, name, (phase) => {
    const { until, learningRate, rates } = phase
    const inside = (at - begin) / (until - begin)
    begin = until
    const still = { ...phase, rates: { ...MASK_OFF, ...rates } }
    if (inside <= 0) return still
    if (inside >= 1) return phase
    const [from, to] = learningRate
    const there = to + ((from - to) * (1 + Math.cos(Math.PI * inside))) / 2
    return [
      { ...phase, until: at, learningRate: [from, there] },
      { ...still, name: `${phase.name}, mask kept`, learningRate: [there, to] },
    ]
  })
}

/** DF trained without some of its losses. */
const dfWithout = (...names: string[]): ModelArchitecture => ({
  ...(df as unknown as ModelArchitecture),
  name: `df-without-${names.join('-')}`,
  build: (options) => ({
    ...df.build(options as OptionsOf<typeof df.options>),
    losses: (settings) => faceLosses(settings).filter(({ name }) => !names.includes(name)),
  }),
})

/** One phase at one rate, as DeepFaceLab trains. */
const evenly = (name: string, learningRate: number, change: Partial<Phase> = {}): Recipe => ({
  name,
  assumes: 'As DeepFaceLab has it.',
  phases: [
    { name, until: 1, learningRate: [learningRate, learningRate], randomWarp: true, eyesMouthPrio: 0, ...change },
  ],
})

const asQuick96 = {
  config: { recipes: [evenly('quick96', quick96.learningRate, { lrDropout: quick96.lrDropout })] },
  job: {
    ...fromScratch,
    recipe: 'quick96',
    optimiser: quick96.optimiser,
    sampler: { batchSize: quick96.batchSize, rareExpressions: false },
  },
} as const

const asSaehd = {
  config: { recipes: [evenly('saehd', 5e-5)] },
  job: {
    ...fromScratch,
    recipe: 'saehd',
    architecture: saehd.name,
    sampler: { batchSize: 8, flipDst: 0.4, rareExpressions: false },
  },
} as const

/** DeepFaceLab's own dimensions: the defaults of the options, which a preset would replace. */
const saehdDefaults = Object.fromEntries(Object.entries(saehd.options).map(([name, spec]) => [name, spec.default]))

const warmed = quick.recipe
const started = quick.recipeFromWeights!
const [learn, settle] = warmed.phases as [Phase, Phase]
const [fast, slow] = learn.learningRate
const between = Math.sqrt(fast * slow)

const growing: readonly Recipe[] = [
  { ...warmed, name: 'small', phases: [{ ...learn, until: 1, learningRate: [fast, between] }] },
  {
    ...warmed,
    name: 'grown',
    phases: [
      { ...learn, until: 0.7, learningRate: [between, slow] },
      { ...settle, until: 1 },
    ],
  },
]

/** What is compared, the lines that the others are compared with first. */
export const ALTERNATIVES: readonly Alternative[] = [
  { name: 'weights/quick', change: 'preset quick as it is', job: fromWeights },
  { name: 'scratch/quick', change: 'the same from random weights', job: fromScratch },
  {
    name: 'dfl/quick96',
    change: 'Quick96: its network and its recipe',
    ...asQuick96,
    job: { ...asQuick96.job, architecture: saehd.name, model: quick96.options },
  },
  { name: 'dfl/quick96-small', change: "Quick96's recipe for the network of quick", ...asQuick96 },
  {
    name: 'dfl/saehd',
    change: "SAEHD's defaults: LIAE-UD 128 px, batch 8",
    ...asSaehd,
    job: { ...asSaehd.job, model: saehdDefaults },
  },
  { name: 'dfl/saehd-small', change: "SAEHD's recipe, LIAE-UD of quick's dimensions", ...asSaehd },

  {
    name: 'scratch/he',
    change: "initialiser: He's normal numbers",
    job: fromScratch,
    draw: heNormal,
  },
  { name: 'scratch/orthogonal', change: 'initialiser: orthogonal', job: fromScratch, draw: orthogonal },
  {
    name: 'scratch/rmsprop',
    change: 'optimiser: RMSprop, at most 2e-4',
    job: { ...fromScratch, optimiser: 'rmsprop', learningRate: 2e-4 },
  },
  { name: 'scratch/adam', change: 'optimiser: Adam', job: { ...fromScratch, optimiser: 'adam' } },
  { name: 'scratch/no-dssim', change: 'losses: no DSSIM', job: fromScratch, architecture: dfWithout('dssim') },
  { name: 'scratch/no-mse', change: 'losses: no MSE of the face', job: fromScratch, architecture: dfWithout('mse') },
  {
    name: 'scratch/no-eyes-mouth',
    change: 'losses: eyes and mouth as the rest',
    job: { ...fromScratch, settings: { eyesMouthPrio: 0 } },
  },
  { name: 'scratch/no-warp', change: 'warp: none', job: { ...fromScratch, settings: { randomWarp: false } } },
  { name: 'scratch/half-warp', change: 'warp: half', job: { ...fromScratch, sampler: { warpPower: 0.5 } } },
  { name: 'scratch/strong-warp', change: 'warp: one and a half', job: { ...fromScratch, sampler: { warpPower: 1.5 } } },
  {
    name: 'scratch/mask-early',
    change: 'mask: learns in the first third only',
    job: { ...fromScratch, recipe: 'mask-early' },
    config: { recipes: [maskEarly(warmed, 'mask-early')] },
  },
  {
    name: 'scratch/grown',
    change: 'resolution: 96 px for half of the time, then 192',
    job: { ...fromScratch, recipe: 'grown' },
    config: { recipes: growing },
    smallFirst: { model: { resolution: 96 }, share: 0.5, recipe: 'small' },
  },
  { name: 'scratch/96px', change: 'resolution: 96 px', job: { ...fromScratch, model: { resolution: 96 } } },
  {
    name: 'scratch/sees-all',
    change: 'resolution: the encoder, too, sees 192 px',
    job: { ...fromScratch, model: { encoderResolution: 192 } },
  },
  {
    name: 'scratch/cold',
    change: 'no warm-up',
    job: { ...fromScratch, recipe: 'cold' },
    config: { recipes: [{ ...warmed, name: 'cold', warmUpIterations: 0 }] },
  },

  {
    name: 'weights/all-at-once',
    change: 'all parts learn alike from the beginning',
    job: { ...fromWeights, recipe: 'all-at-once' },
    config: { recipes: [vary(started, 'all-at-once', ({ rates, ...phase }) => phase)] },
  },
  { name: 'weights/warp', change: 'warp: whole', job: { ...fromWeights, settings: { randomWarp: true } } },
  {
    name: 'weights/no-eyes-mouth',
    change: 'losses: eyes and mouth as the rest',
    job: { ...fromWeights, settings: { eyesMouthPrio: 0 } },
  },
  {
    name: 'weights/whole-square',
    change: 'losses: outside of the mask, too',
    job: { ...fromWeights, settings: { maskedTraining: false } },
  },
  { name: 'weights/no-dssim', change: 'losses: no DSSIM', job: fromWeights, architecture: dfWithout('dssim') },
  {
    name: 'weights/rmsprop',
    change: 'optimiser: RMSprop, at most 2e-4',
    job: { ...fromWeights, optimiser: 'rmsprop', learningRate: 2e-4 },
  },
  {
    name: 'weights/96px',
    change: 'resolution: 96 px',
    job: { ...fromWeights, model: { resolution: 96 } },
  },
  {
    name: 'weights/wider',
    change: 'decoders one and a half times as wide, from random weights',
    job: { ...fromWeights, model: { dDims: 24 } },
  },
  { name: 'weights/adam', change: 'optimiser: Adam', job: { ...fromWeights, optimiser: 'adam' } },
  { name: 'weights/half-rate', change: 'half the learning rate', job: { ...fromWeights, learningRate: fast / 2 } },
  { name: 'weights/double-rate', change: 'twice the learning rate', job: { ...fromWeights, learningRate: 2 * fast } },
  {
    name: 'weights/any-face',
    change: 'samples: rare expressions no more often',
    job: { ...fromWeights, sampler: { rareExpressions: false } },
  },
  {
    name: 'weights/mask-early',
    change: 'mask: learns in the first third only',
    job: { ...fromWeights, recipe: 'mask-early' },
    config: { recipes: [maskEarly(started, 'mask-early')] },
  },
]
