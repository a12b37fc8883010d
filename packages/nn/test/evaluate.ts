import { compile, State, type tf } from '@dfl/engine'
import { expect } from 'vitest'

interface Given {
  shape: readonly number[]
  data: ArrayLike<number>
}

/** What a function of tensors gives for these ones: row-major values and their shape, by name. */
export async function evaluate<T extends string>(
  given: Readonly<Record<string, Given>>,
  fn: (tensors: Record<string, tf.Tensor>) => Record<T, tf.Tensor>,
): Promise<Record<T, { data: Float32Array; shape: readonly number[] }>> {
  const inputs = Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape]))
  await using compiled = await compile((_, tensors) => ({ outputs: fn(tensors) }), { inputs }, { threads: 1 })
  const values = Object.fromEntries(Object.entries(given).map(([name, { data }]) => [name, data]))
  return (await compiled.run(new State(), values)) as Record<T, { data: Float32Array; shape: readonly number[] }>
}

/** Fails unless all values agree to `tolerance`. */
export function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-5): void {
  expect(got.length).toBe(wanted.length)
  Array.from(wanted).forEach((value, i) => {
    if (!(Math.abs(got[i]! - value) <= tolerance)) expect.fail(`value ${i} is ${got[i]}, but ${value} is right`)
  })
}
