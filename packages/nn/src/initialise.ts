import { hashSeed, Random } from '@dfl/core'
import type { ParamSpec } from './architecture.js'

/**
 * First values of all parameters, the same for the same seed whatever else the model holds.
 *
 * 'glorot-uniform' draws from ±√(6 / (fan in + fan out)). Source: Glorot and Bengio 2010,
 * https://proceedings.mlr.press/v9/glorot10a.html
 */
export function initialise(
  params: ParamSpec,
  seed: number,
): Record<string, { data: Float32Array; shape: readonly number[] }> {
  const out: Record<string, { data: Float32Array; shape: readonly number[] }> = {}
  for (const [path, { shape, init }] of Object.entries(params)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
    if (init === 'ones') data.fill(1)
    if (typeof init === 'object') data.fill(init.constant)
    if (init === 'glorot-uniform') {
      const window = shape.slice(0, -2).reduce((a, b) => a * b, 1)
      const limit = Math.sqrt(6 / (window * (shape.at(-2)! + shape.at(-1)!)))
      const random = new Random(hashSeed(seed, path))
      for (let i = 0; i < data.length; i++) data[i] = random.uniform(-limit, limit)
    }
    out[path] = { data, shape }
  }
  return out
}

/** Number of values in all parameters. */
export function countParams(params: ParamSpec): number {
  return Object.values(params).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
}
