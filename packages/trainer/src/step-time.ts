import { median } from '@dfl/core'
import { State } from '@dfl/engine'
import type { Batch } from './batch.js'
import type { TrainStep } from './train-step.js'

/** Measured for so long, by at least one iteration and at most some. */
const SECONDS = 1
const MOST = 10

/**
 * Milliseconds that an iteration computes: the median of some that run on a copy of the state, after one that is not counted.
 * The state stays as it is. While it lasts the copy takes as much memory again.
 */
export async function stepTime(step: TrainStep, state: State, batch: Batch): Promise<number> {
  await state.download()
  const copy = new State(Object.fromEntries(state.names.map((name) => [name, state.get(name)])))
  await step.run(copy, batch, 0, 0)
  const times: number[] = []
  for (let spent = 0; times.length === 0 || (spent < 1000 * SECONDS && times.length < MOST); spent += times.at(-1)!) {
    const began = performance.now()
    await step.run(copy, batch, 0, 0)
    times.push(performance.now() - began)
  }
  await copy.withdraw() // A device of its own would keep it as long as the step.
  return median(times)
}
