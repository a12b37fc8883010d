import { hashSeed, Random } from '@dfl/core'
import type { tf } from '@dfl/engine'
import { dropRates } from '@dfl/nn'

const ROWS = 'lrDropout/rows'
const COLUMNS = 'lrDropout/columns'

/** Shapes of the random lines that decide which values of parameters of these shapes learn. */
export function lotShapes(shapes: readonly (readonly number[])[]): Record<string, readonly number[]> {
  const width = (shape: readonly number[]) => shape.at(-1) ?? 1
  const height = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1) / width(shape)
  return { [ROWS]: [Math.max(...shapes.map(height)), 1], [COLUMNS]: [1, Math.max(...shapes.map(width))] }
}

/** The learning rate of each value of a parameter: 0 where it does not learn this time. */
export const droppedRate = (
  given: Readonly<Record<string, tf.Tensor>>,
  shape: readonly number[],
  { rate, path, share }: { rate: string; path: string; share: number },
) =>
  dropRates(given[rate]!, shape, {
    rows: given[ROWS]!,
    columns: given[COLUMNS]!,
    share,
    scale: 900 + (hashSeed(path) % 20_000) / 100,
  })

/** Random lines of these shapes, the same for the same iteration. */
export const drawLots = (
  shapes: Readonly<Record<string, readonly number[]>>,
  { seed, iteration }: { seed: number; iteration: number },
): Record<string, Float32Array> =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const random = new Random(hashSeed(seed, name, iteration))
      return [name, Float32Array.from({ length: shape[0]! * shape[1]! }, () => random.uniform(1, 2))]
    }),
  )
