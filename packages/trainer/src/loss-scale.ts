import type { State } from '@dfl/engine'

/** Name of the input with what losses are multiplied by. */
export const LOSS_SCALE = 'lossScale'

/** Name of the output that is no number where a gradient is none. */
export const GRADIENTS = 'lossScale/gradients'

/** In the state: the scale, and how many steps were taken with it. It is saved with the optimiser's moments. */
const NAME = 'scale:loss'
const FIRST = 2 ** 15
const LARGEST = 2 ** 24
/** Steps after which a scale is doubled. */
const STEPS = 2000

/**
 * What losses are multiplied by in the next step of mixed precision, so that gradients do not vanish in 16-bit floats: a power
 * of two of at least 1. A state that has none yet begins with 32768.
 *
 * Source: Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740
 */
export function lossScaleOf(state: State): number {
  const known = state.has(NAME) ? state.get(NAME).data[0]! : 0
  if (known >= 1) return known
  state.set(NAME, { data: [FIRST, 0], shape: [2] })
  return FIRST
}

/** Halves the scale after a step whose gradients were no numbers, doubles it after 2000 steps that were sound. */
export function adjustLossScale(state: State, sound: boolean): void {
  const { data } = state.get(NAME)
  const [scale, steps] = data as unknown as [number, number]
  if (!sound) data.set([Math.max(1, scale / 2), 0])
  else data.set(steps + 1 < STEPS ? [scale, steps + 1] : [Math.min(LARGEST, 2 * scale), 0])
}
