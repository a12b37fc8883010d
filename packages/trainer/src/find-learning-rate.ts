import { DflError } from '@dfl/core'
import { type DeviceChoice, type Precision, State } from '@dfl/engine'
import type { ModelFolder } from './model-folder.js'
import type { BatchSource } from './train.js'
import { createTrainStep } from './train-step.js'

/** What was found. */
export interface FoundRate {
  /** The rate at which the loss falls fastest, a good one to begin with. */
  learningRate: number
  /** Losses of both sides together, smoothed, over the rates that were tried. */
  tried: readonly { learningRate: number; loss: number }[]
}

const FROM = 1e-6
const TO = 1e-1
/** A smoothed loss so many times the lowest ends the search. */
const WORSE = 3
const SMOOTHING = 0.15

/**
 * The learning rate at which a model learns fastest: its rate grows from 1e-6 over some iterations until the loss breaks away.
 * It learns on a copy of the weights, which stay as they are.
 *
 * Source: Smith 2017, https://arxiv.org/abs/1506.01186
 */
export async function findLearningRate(
  run: ModelFolder,
  batches: BatchSource,
  {
    batchSize,
    iterations = 150,
    device,
    precision,
    threads,
  }: {
    batchSize: number
    iterations?: number
    device?: DeviceChoice
    precision?: Precision
    threads?: number
  },
): Promise<FoundRate> {
  if (iterations < 20)
    throw new DflError(
      'BAD_OPTION',
      `Expected at least 20 for \`iterations\`, but got ${iterations}. Fewer show no slope.`,
    )
  await run.state.download()
  const state = new State(run.state.snapshot())
  await using step = await createTrainStep(run.model, {
    ...{ batchSize, optimiser: run.optimiser, randomWarp: true, device, precision, threads },
  })
  const tried: { learningRate: number; loss: number }[] = []
  let mean = 0
  for (let i = 0; i < iterations; i++) {
    const learningRate = FROM * (TO / FROM) ** (i / (iterations - 1))
    const { src, dst, skipped } = await step.run(state, await batches(i, { randomWarp: true }), learningRate, i)
    mean = i === 0 ? src + dst : mean + SMOOTHING * (src + dst - mean)
    if (!Number.isFinite(mean)) break
    if (skipped) continue
    tried.push({ learningRate, loss: mean })
    if (mean > WORSE * Math.min(...tried.map(({ loss }) => loss))) break
  }
  return { learningRate: steepest(tried), tried }
}

/** Where the loss falls most over a stretch of rates; a tenth of the last rate where it falls nowhere. */
function steepest(tried: FoundRate['tried']): number {
  const reach = 8
  let best = { fall: 0, learningRate: (tried.at(-1)?.learningRate ?? TO) / 10 }
  for (let i = 2 * reach; i + reach < tried.length; i++) {
    const fall = tried[i - reach]!.loss - tried[i + reach]!.loss
    if (fall > best.fall) best = { fall, learningRate: tried[i]!.learningRate }
  }
  return best.learningRate
}
