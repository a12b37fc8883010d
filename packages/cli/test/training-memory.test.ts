import { expect, it } from 'vitest'
import { sayMemory } from '../src/training-memory.js'

const memory = { state: 3e8, next: 1e8, activations: 8e8, base: 1e8, total: 1.3e9 }

it('what a training takes is one line, and a warning where what it still needs is not free', () => {
  expect(sayMemory(memory, { iteration: 7, free: 9e8 })).toMatchObject({
    event: 'notice',
    iteration: 7,
    text: "takes about 1.3 GB of memory: 0.3 weights and the optimiser's, 0.1 gradients, 0.8 activations",
  })
  expect(sayMemory(memory, { iteration: 7, free: 8e8 })).toEqual({
    event: 'warning',
    text: "Training takes about 1.3 GB of memory: 0.3 weights and the optimiser's, 0.1 gradients, 0.8 activations. Only 0.8 GB are free now: it may become very slow, or be ended by the system. Close other programs, or take a smaller --batch-size.",
  })
})
