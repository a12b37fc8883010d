import { Random } from '@dfl/core'
import { compile, State, type Traceable } from '@dfl/engine'
import { describe, expect, it } from 'vitest'
import { adaBelief, type Optimiser, rmsProp } from '../src/index.js'
import { expectClose } from './evaluate.js'

const SIZE = 5
const STEPS = 20
const gradients = (() => {
  const random = new Random(4)
  return Array.from({ length: STEPS }, () => Array.from({ length: SIZE }, (_, i) => random.normal() * 10 ** (i - 2)))
})()
const start = [0.5, -1, 2, 0, 10]
const rate = (step: number) => 0.01 / (1 + step / 10)

/** Parameters after each step of a compiled optimiser. */
async function trained(optimiser: Optimiser): Promise<number[][]> {
  const shapes = Object.fromEntries(['param', ...optimiser.moments].map((name) => [name, [SIZE]]))
  const fn: Traceable = ({ param, ...moments }, { gradient, learningRate }) => {
    const next = optimiser.update(param!, gradient!, moments, learningRate!)
    return { state: { param: next.param, ...next.moments }, outputs: {} }
  }
  await using compiled = await compile(fn, { state: shapes, inputs: { gradient: [SIZE], learningRate: [] } })
  const zeros = { data: Array(SIZE).fill(0), shape: [SIZE] }
  const state = new State({
    ...Object.fromEntries(optimiser.moments.map((name) => [name, zeros])),
    param: { data: start, shape: [SIZE] },
  })
  const out: number[][] = []
  for (const [step, gradient] of gradients.entries()) {
    await compiled.run(state, { gradient, learningRate: [rate(step)] })
    out.push(Array.from(state.get('param').data))
  }
  return out
}

/** The same for one value, with `update` as the paper writes it, in double precision. */
function reference(update: (gradient: number, rate: number) => number, i: number): number[] {
  let param = start[i]!
  return gradients.map((gradient, step) => (param -= update(gradient[i]!, rate(step))))
}

/** Zhuang et al. 2020, algorithm 2, without bias correction and with ε outside of the root only. */
function adaBeliefOfThePaper(beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6) {
  let [m, s] = [0, 0]
  return (g: number, rate: number) => {
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * (g - m) ** 2
    return (rate * m) / (Math.sqrt(s) + epsilon)
  }
}

/** Tieleman and Hinton 2012, lecture 6.5. */
function rmsPropOfTheLecture(rho = 0.9, epsilon = 1e-6) {
  let a = 0
  return (g: number, rate: number) => {
    a = rho * a + (1 - rho) * g ** 2
    return (rate * g) / (Math.sqrt(a) + epsilon)
  }
}

describe.each([
  ['AdaBelief', adaBelief(), () => adaBeliefOfThePaper()],
  [
    'AdaBelief with other decays',
    adaBelief({ beta1: 0.5, beta2: 0.9, epsilon: 1e-3 }),
    () => adaBeliefOfThePaper(0.5, 0.9, 1e-3),
  ],
  ['RMSprop', rmsProp(), () => rmsPropOfTheLecture()],
  ['RMSprop with other decays', rmsProp({ rho: 0.5, epsilon: 1e-3 }), () => rmsPropOfTheLecture(0.5, 1e-3)],
] as const)('%s', (_, optimiser, formula) => {
  it('moves parameters as its formula says, step after step', async () => {
    const got = await trained(optimiser)
    for (let i = 0; i < SIZE; i++)
      expectClose(
        got.map((step) => step[i]!),
        reference(formula(), i),
        1e-4,
      )
    expect(got.at(-1)).not.toEqual(got[0])
  })
})
