import { describe, expect, it } from 'vitest'
import { sayCost } from '../src/training-cost.js'

const cost = {
  memory: { state: 3e8, next: 1e8, activations: 8e8, base: 1e8, total: 1.3e9 },
  phase: 'learn',
  free: 2e9,
  ms: 108.2,
}
const at = { iteration: 100, seconds: 60, length: {}, device: 'cpu' }

describe('what a training takes', () => {
  it('is memory, the time of an iteration, and what that makes of the length', () => {
    const memory =
      "takes about 1.3 GB of memory (300 MB weights and the optimiser's, 100 MB gradients, 800 MB activations)"
    const notice = sayCost(cost, { ...at, length: { seconds: 360 } })
    expect(notice).toMatchObject({
      event: 'notice',
      kind: 'cost',
      text: `${memory} and 108 ms an iteration in phase learn: about 2800 in 5 min 00 s`,
      detail: { total: 1.3e9, msPerIteration: 108.2 },
    })
    expect(sayCost(cost, { ...at, length: { iterations: 1100 } }).text).toBe(
      `${memory} and 108 ms an iteration in phase learn: about 1 min 48 s for 1000`,
    )
    expect(sayCost(cost, at).text).toBe(`${memory} and 108 ms an iteration in phase learn`)
  })

  it('is its time alone on a device with memory of its own', () => {
    expect(sayCost(cost, { ...at, device: 'webgpu' })).toMatchObject({
      text: 'takes 108 ms an iteration in phase learn',
      detail: { msPerIteration: 108.2 },
    })
  })

  it('is a warning where that much memory is not free', () => {
    expect(sayCost({ ...cost, free: 8e8, ms: undefined }, at)).toEqual({
      event: 'warning',
      text: "Training takes about 1.3 GB of memory (300 MB weights and the optimiser's, 100 MB gradients, 800 MB activations). Only 800 MB are free now: it may become very slow, or be ended by the system. Close other programs, or take a smaller --batch-size.",
    })
  })
})
