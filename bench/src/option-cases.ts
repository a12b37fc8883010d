import { ARCHITECTURES } from '@dfl/cli'
import { FACE_TYPES, type FaceType, type OptionsOf, type OptionTable } from '@dfl/core'
import { SAMPLER_OPTIONS } from '@dfl/faceset'
import { faceLosses, type LossSettings, type ModelArchitecture, OPTIMISERS, type OptimiserName } from '@dfl/nn'
import { type StepSettings, settingOptions } from '@dfl/trainer'

/** How a small model is trained: what is another than in the study's common run, `COMMON`. */
export interface Setup {
  architecture?: string
  options?: Readonly<Record<string, unknown>>
  faceType?: FaceType
  /** Shows only as many faces of each side as both have. */
  asMany?: boolean
  samples?: Partial<OptionsOf<typeof SAMPLER_OPTIONS>>
  settings?: Partial<StepSettings>
  /** Weights of losses instead of their own, by name; 0 for one that is looked at and not learnt. */
  weights?: Readonly<Record<string, number>>
  optimiser?: OptimiserName
  /** A rate, or 'found' for the one that `findLearningRate` names. */
  learningRate?: number | 'found'
  warmUpIterations?: number
  accumulate?: number
  /** Factors on the learning rate of parts of the network. */
  rates?: Readonly<Record<string, number>>
}

/** One option, and the number that shows whether it does what it says. */
export interface OptionCase {
  /** Of `optionNames`, with what comes after a colon to tell several of one option apart. */
  name: string
  with: Setup
  without: Setup
  /** Name of a measure of `trainSetup` or `compareRuns`; two names compare numbers of different kind. */
  measure: string | readonly [before: string, after: string]
  moves: 'up' | 'down' | 'not'
}

/** DF, as small as it still learns something in 200 iterations. */
export const COMMON = {
  architecture: 'df',
  options: { resolution: 64, aeDims: 32, eDims: 8, dDims: 8, dMaskDims: 4 },
  faceType: 'full_face',
  asMany: false,
  samples: { batchSize: 4, seed: 1, workers: 0 },
  settings: {},
  weights: {},
  optimiser: 'adabelief',
  learningRate: 1e-3,
  warmUpIterations: 30,
  accumulate: 1,
  rates: {},
} as const satisfies Required<Setup>

/** A setup with what it leaves out taken from the common run; the small network's numbers go to options of that name. */
export function withCommon(setup: Setup) {
  const { options } = architectureNamed(setup.architecture ?? COMMON.architecture)
  const small = Object.fromEntries(Object.entries(COMMON.options).filter(([name]) => name in options))
  return {
    ...COMMON,
    ...setup,
    options: { ...small, ...setup.options },
    samples: { ...COMMON.samples, ...setup.samples },
    settings: { ...setup.settings },
    weights: { ...setup.weights },
    rates: { ...setup.rates },
  }
}

/** One of the architectures that come with the program. */
export const architectureNamed = (name: string): ModelArchitecture => ARCHITECTURES.find((one) => one.name === name)!

/**
 * Everything that must be studied, from the tables of the code: 'settings/ganPower', 'samples/matchColors=rct', 'df/deep',
 * 'optimiser/adam', 'face-type/head', 'loss/dssim'. What the common run has already is left out.
 */
export function optionNames(): string[] {
  const seen = new Set<unknown>()
  const fresh = (table: OptionTable) => Object.entries(table).filter(([, spec]) => !seen.has(spec) && seen.add(spec))
  const ofTable = (of: string, table: OptionTable) =>
    fresh(table).flatMap(([name, spec]) =>
      spec.type === 'choice'
        ? spec.choices.filter((one) => one !== spec.default).map((one) => `${of}/${name}=${one}`)
        : [`${of}/${name}`],
    )
  const isNew = (name: string, common: string) => name !== common
  return [
    ...ARCHITECTURES.map(({ name }) => `architecture/${name}`),
    ...ARCHITECTURES.flatMap(({ name, options }) => ofTable(name, options)),
    ...FACE_TYPES.filter((name) => isNew(name, COMMON.faceType)).map((name) => `face-type/${name}`),
    ...lossNames().map((name) => `loss/${name}`),
    ...ofTable('settings', settingOptions),
    ...ofTable('samples', SAMPLER_OPTIONS),
    ...Object.keys(OPTIMISERS)
      .filter((name) => isNew(name, COMMON.optimiser))
      .map((name) => `optimiser/${name}`),
  ]
}

/** Names of all losses that any architecture has with any setting. */
function lossNames(): string[] {
  const on = Object.entries(settingOptions).map(([name, spec]) => [name, spec.type === 'number' ? 1 : spec.default])
  const settings = { ...Object.fromEntries(on), ganPatchSize: 16, ganDims: 4, maskedTraining: true }
  const names = ARCHITECTURES.flatMap((architecture) => {
    const model = architecture.build(smallest(architecture.options))
    const given = { ...settings, resolution: 256, codeShape: model.codeShape ?? [8, 8, 8] } as LossSettings
    return (model.losses ?? faceLosses)(given).map(({ name }) => name)
  })
  return [...new Set(names)]
}

/** Defaults of a table, with the smallest sizes there are. */
const smallest = (table: OptionTable) =>
  Object.fromEntries(
    Object.entries(table).map(([name, spec]) => [
      name,
      spec.type === 'number' && /Dims$/.test(name) ? (spec.min ?? spec.default) : spec.default,
    ]),
  ) as OptionsOf<OptionTable>

const set = (settings: Setup['settings']): Setup => ({ settings })
const draw = (samples: Setup['samples']): Setup => ({ samples })
const df = (options: Setup['options']): Setup => ({ options })
const liae = (options: Setup['options'] = {}): Setup => ({ architecture: 'saehd', options })
const amp = (options: Setup['options'] = {}): Setup => ({ architecture: 'amp', options: { interDims: 64, ...options } })
const xseg = (options: Setup['options'] = {}): Setup => ({ architecture: 'xseg', options: { baseDims: 8, ...options } })

type Measure = OptionCase['measure']
/** With the option the measure is larger, or smaller, or what it was. */
const moving =
  (moves: OptionCase['moves']) =>
  (name: string, measure: Measure, withIt: Setup, without: Setup = {}): OptionCase => ({
    ...{ name, measure, moves, with: withIt, without },
  })
const [up, down, same] = [moving('up'), moving('down'), moving('not')]
/** The loss falls. */
const learns = (name: string, setup: Setup) => down(name, ['first loss', 'loss'], setup, setup)
/** The loss gets smaller than where it is looked at and not learnt. */
const matters = (name: string, side: string, withIt: Setup = {}, without?: Setup) =>
  down(`loss/${name}`, `${side}/${name}`, withIt, without ?? { ...withIt, weights: { [name]: 0 } })

/** With a window for the face, and without. */
const inWindow = [
  df({ resolution: 128, encoderResolution: 64, faceWindow: true }),
  df({ resolution: 128, encoderResolution: 64 }),
] as const

/** A critic that judges, and that nothing is learnt from. */
const judged = { ganPower: 1e-6 }
const eyesAndMouth = 'eyes and mouth, share'
const critic = "critic's parameters"

/** The study. A new option gets a line here; `training/…` are options of a run, which no table has. */
export const OPTION_CASES: readonly OptionCase[] = [
  learns('architecture/df', {}),
  learns('architecture/saehd', liae()),
  learns('architecture/amp', amp()),
  learns('architecture/xseg', xseg()),

  up('df/resolution', 'memory MB', df({ resolution: 96 })),
  down('df/encoderResolution', 'memory MB', df({ resolution: 128, encoderResolution: 64 }), df({ resolution: 128 })),
  up('df/faceWindow', 'parameters', ...inWindow),
  learns('df/faceWindow: learns', { ...inWindow[0], faceType: 'head' }),
  up('df/aeDims', 'parameters', df({ aeDims: 64 })),
  up('df/eDims', 'parameters', df({ eDims: 16 })),
  up('df/dDims', 'parameters', df({ dDims: 12 })),
  up('df/dMaskDims', 'parameters', df({ dMaskDims: 8 })),
  down('df/pixelNorm', 'error inside', {}, df({ pixelNorm: false })),
  down('df/subpixel', 'memory MB', {}, df({ subpixel: false })),
  up('df/deep', 'parameters', df({ deep: true })),
  learns('df/deep: learns', df({ deep: true })),
  learns('df/cosine', { ...df({ cosine: true }), learningRate: 1e-4 }),
  same('saehd/archi=df', 'loss', liae({ archi: 'df' })),
  learns('saehd/archi=df: liae without u and d', liae({ pixelNorm: false, subpixel: false })),
  learns('saehd/archi=df: liae-udt', liae({ deep: true })),
  learns('saehd/archi=df: liae-udc', { ...liae({ cosine: true }), learningRate: 1e-4 }),
  down('saehd/archi=df: inter_AB rests', 'inter_AB moved', { ...liae(), ...draw({ randomWarp: false }) }, liae()),
  up('amp/resolution', 'memory MB', amp({ resolution: 96 }), amp()),
  up('amp/interDims', 'parameters', amp({ interDims: 128 }), amp()),
  down('amp/morphFactor', 'people differ', amp({ morphFactor: 0.1 }), amp()),
  up('xseg/resolution', 'memory MB', xseg({ resolution: 128 }), xseg()),
  up('xseg/baseDims', 'parameters', xseg(), xseg({ baseDims: 4 })),

  up('face-type/half_face', eyesAndMouth, { faceType: 'half_face' }),
  up('face-type/midfull_face', eyesAndMouth, { faceType: 'midfull_face' }),
  down('face-type/whole_face', eyesAndMouth, { faceType: 'whole_face' }),
  down('face-type/head', eyesAndMouth, { faceType: 'head' }),

  matters('dssim', 'src'),
  matters('dssim_fine', 'src', amp(), { ...amp(), weights: { dssim: 0, dssim_fine: 0 } }),
  matters('mse', 'src'),
  matters('mask', 'src'),
  matters('surroundings', 'src'),
  matters('eyes_mouth', 'src', set({ eyesMouthPrio: 300 })),
  matters('face_style', 'dst', set({ faceStylePower: 10 })),
  matters('bg_style', 'dst', set({ bgStylePower: 10 })),
  matters('true_face', 'src', set({ trueFacePower: 1 })),
  matters('gan', 'src', set({ ganPower: 1 })),
  matters('cross_entropy', 'src', xseg()),
  matters('smoothness', 'src', { ...set(judged), weights: { smoothness: 1e-3 } }, set(judged)),

  down('settings/maskedTraining', 'error outside', set({ maskedTraining: false })),
  down('settings/eyesMouthPrio', 'error of eyes and mouth', set({ eyesMouthPrio: 300 })),
  down('settings/faceStylePower', "swap's colour from DST's", set({ faceStylePower: 100 })),
  down('settings/bgStylePower', "swap's surroundings from DST's", set({ bgStylePower: 100 })),
  up('settings/trueFacePower', 'true_face/critic', set({ trueFacePower: 1 }), set({ trueFacePower: 1e-6 })),
  up('settings/ganPower', 'detail', set({ ganPower: 1 })),
  up('settings/ganPatchSize', critic, set({ ...judged, ganPatchSize: 32 }), set(judged)),
  up('settings/ganDims', critic, set({ ...judged, ganDims: 32 }), set(judged)),
  down(
    'settings/blurOutMask',
    'src/around',
    set({ maskedTraining: false, blurOutMask: true }),
    set({ maskedTraining: false }),
  ),
  down('settings/clipgrad', 'mean gradient', set({ clipgrad: 1 })),
  down('settings/lrDropout', 'share learning', set({ lrDropout: 0.3 })),
  down('settings/lrCosineIterations', 'last step', set({ lrCosineIterations: 400 })),

  up('samples/seed', 'other targets of src', draw({ seed: 2 })),
  up('samples/batchSize', 'memory MB', draw({ batchSize: 8 })),
  down('samples/randomWarp', 'seen from target', draw({ randomWarp: false })),
  up('samples/randomWarp: sharpens', 'detail', draw({ randomWarp: false })),
  down('samples/warpPower', 'seen from target', draw({ warpPower: 0.5 })),
  up('samples/flipSrc', 'other targets of src', draw({ flipSrc: 0.4 })),
  up('samples/flipDst', 'other targets of dst', draw({ flipDst: 0.4 })),
  up('samples/hsvPower', 'other inputs of src', draw({ hsvPower: 0.1 })),
  ...SAMPLER_OPTIONS.matchColors.choices
    .filter((matchColors) => matchColors !== 'none')
    .map((matchColors) =>
      down(`samples/matchColors=${matchColors}`, "SRC's colours from DST's", draw({ matchColors })),
    ),
  down('samples/uniformYaw', 'commonest yaw, share', draw({ uniformYaw: true })),
  down('samples/rareExpressions', 'commonest opening, share', draw({ rareExpressions: true })),
  up('samples/paired', 'same place of both', { asMany: true, ...draw({ paired: true }) }, { asMany: true }),
  up('samples/eyesMouth', 'masks of eyes and mouth', draw({ eyesMouth: true })),
  up('samples/cacheMegabytes', 'faces decoded again', draw({ cacheMegabytes: 0 })),
  same('samples/prefetch', 'other targets of src', draw({ prefetch: 0 })),
  same('samples/workers', 'other targets of src', draw({ workers: 1 })),

  learns('optimiser/rmsprop', { optimiser: 'rmsprop' }),
  learns('optimiser/adam', { optimiser: 'adam' }),

  down('training/learningRate', 'last step', { learningRate: 1e-4 }),
  down('training/learningRate: found', 'loss', { learningRate: 'found' }, { learningRate: 1e-5 }),
  down('training/warmUpIterations', 'first steps', {}, { warmUpIterations: 0 }),
  down('training/accumulate', 'memory MB', { accumulate: 2 }),
  down('training/rates', 'encoder moved', { rates: { 'encoder/': 0 } }),
]
