import { hashSeed, Random } from '@dfl/core'
import type { ParamSpec } from '@dfl/nn'

/** First values of a weight: [rows, columns], a row for each number that goes in, a column for each that comes out. */
export type Draw = (random: Random, rows: number, columns: number) => Float32Array

/** Normal numbers of variance 2 / rows. Source: He et al. 2015, https://arxiv.org/abs/1502.01852 */
export const heNormal: Draw = (random, rows, columns) => {
  const deviation = Math.sqrt(2 / rows)
  return Float32Array.from({ length: rows * columns }, () => deviation * random.normal())
}

/**
 * Columns that are orthogonal to each other, or rows where there are fewer of them, each √2 long: what leaky rectifiers halve
 * comes out as large as it went in.
 *
 * Source: Saxe, McClelland and Ganguli 2014, https://arxiv.org/abs/1312.6120
 */
export const orthogonal: Draw = (random, rows, columns) => {
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)]
  const vectors: Float64Array[] = []
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => random.normal())
    // Gram and Schmidt, as it goes along: what is there is taken off before the next is compared.
    for (const other of vectors) {
      const along = dot(vector, other)
      for (let i = 0; i < length; i++) vector[i]! -= along * other[i]!
    }
    const size = Math.sqrt(dot(vector, vector))
    vectors.push(vector.map((value) => value / size))
  }
  const out = new Float32Array(rows * columns)
  vectors.forEach((vector, v) => {
    vector.forEach((value, i) => {
      out[rows >= columns ? i * columns + v : v * columns + i] = Math.SQRT2 * value
    })
  })
  return out
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** The weights of a model drawn in such a way; what is no weight (biases) keeps its own first values. */
export function drawn(params: ParamSpec, draw: Draw, seed: number): Record<string, Tensor> {
  const weights = Object.entries(params).filter(([, { init }]) => init === 'glorot-uniform')
  return Object.fromEntries(
    weights.map(([path, { shape }]) => {
      const columns = shape.at(-1)!
      const rows = shape.reduce((a, b) => a * b, 1) / columns
      return [path, { shape, data: draw(new Random(hashSeed(seed, path)), rows, columns) }]
    }),
  )
}

/** A parameter's values. */
export interface Tensor {
  data: Float32Array
  shape: readonly number[]
}
