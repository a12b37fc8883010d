import { type OptionsOf, Random, resolveOptions } from '@dfl/core'
import type { MemoryEstimate } from '@dfl/engine'
import { df } from '@dfl/model-df'
import { OPTIMISERS, type OptimiserName } from '@dfl/nn'
import { createTrainState, createTrainStep, type SideBatch, stepTime } from '@dfl/trainer'
import { PRESETS, type Preset, sameNetwork } from './presets.js'
import { freeMemory } from './training-cost.js'

/** What it takes here to train a network. */
export interface NetworkCost {
  memory: MemoryEstimate
  /** Milliseconds of an iteration; nothing where less memory is free than it takes. */
  ms?: number
}

/** What the presets take on this machine, those of the same network together. Takes some seconds for each network. */
export async function* presetCosts(): AsyncGenerator<NetworkCost & { presets: readonly string[] }> {
  const isFirst = (preset: Preset) => PRESETS.find((other) => sameNetwork(other, preset)) === preset
  for (const first of PRESETS.filter(isFirst)) {
    const { architecture, batchSize, optimiser } = first
    const presets = PRESETS.filter((other) => sameNetwork(other, first))
    yield { presets: presets.map(({ name }) => name), ...(await networkCost(architecture, batchSize, optimiser)) }
  }
}

/** What it takes to train a DF of these options, while all of it learns. Its weights and pictures are random. */
export async function networkCost(
  given: Partial<OptionsOf<typeof df.options>>,
  batchSize: number,
  learnsBy: OptimiserName = 'adabelief',
): Promise<NetworkCost> {
  const model = df.build(resolveOptions(df.options, given) as OptionsOf<typeof df.options>)
  const optimiser = OPTIMISERS[learnsBy]()
  await using step = await createTrainStep(model, { batchSize, optimiser, randomWarp: true })
  const { memory } = step.compiled
  if (memory.total + memory.state > freeMemory()) return { memory }
  const random = new Random(1)
  const plane = batchSize * model.resolution ** 2
  const noise = (count: number) => Float32Array.from({ length: count }, () => random.uniform())
  const side = (): SideBatch => ({ warped: noise(3 * plane), target: noise(3 * plane), mask: noise(plane) })
  const ms = await stepTime(step, createTrainState(model, optimiser, 1), { src: side(), dst: side() })
  return { memory, ms }
}
