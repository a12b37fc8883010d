import { presetNamed } from '@dfl/cli'
import { DflError, hashSeed, type OptionsOf, Random, resolveOptions } from '@dfl/core'
import type { SavedTensor } from '@dfl/engine'
import { df } from '@dfl/model-df'
import { type FaceModel, initialise } from '@dfl/nn'
import { buildLiae } from './liae.js'

type Network = OptionsOf<typeof df.options>

/** One network with its losses and its optimiser, as both sides get it. */
export interface TrainCase {
  name: string
  /** What it is, in one sentence. */
  about: string
  architecture: 'df' | 'liae'
  network: Network
  batchSize: number
  /** `mse`: 10·MSE of the masked face and of the mask. `dssim`: what training really uses, see `createTrainStep`. */
  loss: 'mse' | 'dssim'
  optimiser: 'rmsprop' | 'adabelief'
  learningRate: number
  threads: number
}

/**
 * The case of a name: `plain`, or a preset of the command line.
 *
 * @throws DflError `BAD_OPTION` when there is none.
 */
export function trainCase(name: string, threads: number): TrainCase {
  if (name === 'plain')
    return {
      name,
      architecture: 'df',
      about: 'DF without -u and -d, 64 px, masked MSE, RMSprop: the textbook network, for engines to be compared by',
      network: networkOf({
        ...{ resolution: 64, aeDims: 128, eDims: 48, dDims: 48, dMaskDims: 16 },
        ...{ pixelNorm: false, subpixel: false },
      }),
      batchSize: 4,
      loss: 'mse',
      optimiser: 'rmsprop',
      learningRate: 5e-5,
      threads,
    }
  const { architecture, batchSize } = presetNamed(name)
  const network = networkOf(architecture)
  return {
    name,
    architecture: 'df',
    about: `preset ${name}, ${network.resolution} px, DSSIM + MSE, AdaBelief: what dfl trains`,
    network,
    batchSize,
    loss: 'dssim',
    optimiser: 'adabelief',
    learningRate: 1e-4,
    threads,
  }
}

/** What the engine is measured with: names such as `df-ud/96/4`, of architecture, resolution and batch. */
const ARCHITECTURES = ['df', 'df-ud', 'liae-ud'] as const
const ENGINE_NAMES = ARCHITECTURES.flatMap((name) =>
  [64, 96, 128].flatMap((resolution) => [4, 8].map((batch) => `${name}/${resolution}/${batch}`)),
)

/**
 * The engine's cases whose names begin with one of the given parts, all of them if none is given.
 *
 * @throws DflError `BAD_OPTION` when a part begins none.
 */
export function engineCases(parts: readonly string[], threads: number): TrainCase[] {
  const isOf = (name: string, part: string) => name === part || name.startsWith(`${part}/`)
  for (const part of parts)
    if (!ENGINE_NAMES.some((name) => isOf(name, part)))
      throw new DflError(
        'BAD_OPTION',
        `Expected a case or its beginning for \`cases\`, but got '${part}'. There are ${ENGINE_NAMES.join(', ')}.`,
      )
  return ENGINE_NAMES.filter((name) => parts.length === 0 || parts.some((part) => isOf(name, part))).map((name) => {
    const [kind, resolution, batchSize] = name.split('/') as [string, string, string]
    const ud = kind.endsWith('-ud')
    return {
      name,
      about: `${kind}, ${resolution} px, batch ${batchSize}, DSSIM + MSE, AdaBelief`,
      architecture: kind.startsWith('liae') ? 'liae' : 'df',
      network: networkOf({
        ...{ resolution: Number(resolution), aeDims: 128, eDims: 48, dDims: 48, dMaskDims: 16 },
        ...{ pixelNorm: ud, subpixel: ud },
      }),
      batchSize: Number(batchSize),
      loss: 'dssim',
      optimiser: 'adabelief',
      learningRate: 1e-4,
      threads,
    }
  })
}

/** The network of a case. */
export function modelOf({ architecture, network }: Pick<TrainCase, 'architecture' | 'network'>): FaceModel {
  return architecture === 'liae' ? buildLiae(network) : df.build(network)
}

const networkOf = (options: Partial<Network>): Network => resolveOptions(df.options, options)

/**
 * First weights by path and one batch by 'batch/src/warped', the same in every run.
 *
 * Pictures are noise and masks an ellipse: time does not depend on what they show.
 */
export function firstTensors({ architecture, network, batchSize }: TrainCase): Record<string, SavedTensor> {
  const R = network.resolution
  const random = new Random(hashSeed(1, 'batch'))
  const noise = (): SavedTensor => ({
    data: Float32Array.from({ length: batchSize * R * R * 3 }, () => random.uniform(0, 1)),
    shape: [batchSize, R, R, 3],
  })
  const inside = (i: number) => ((i % R) / R - 0.5) ** 2 / 0.16 + ((Math.floor(i / R) % R) / R - 0.5) ** 2 / 0.2 < 1
  const ellipse = (): SavedTensor => ({
    data: Float32Array.from({ length: batchSize * R * R }, (_, i) => (inside(i) ? 1 : 0)),
    shape: [batchSize, R, R, 1],
  })
  const batch: Record<string, SavedTensor> = {}
  for (const side of ['src', 'dst']) {
    batch[`batch/${side}/warped`] = noise()
    batch[`batch/${side}/target`] = noise()
    batch[`batch/${side}/mask`] = ellipse()
  }
  return { ...initialise(modelOf({ architecture, network }).params, 1), ...batch }
}
