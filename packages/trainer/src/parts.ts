/** Name of the sum of gradients over the parts of a batch. */
export const sumName = (path: string) => `sum:${path}`

/** The inputs of one of the parts of a batch: samples are cut out, what holds for the whole batch stays. */
export function partOf(
  feeds: Readonly<Record<string, ArrayLike<number>>>,
  part: number,
  parts: number,
): Record<string, ArrayLike<number>> {
  const cut = (data: ArrayLike<number>) => {
    const size = data.length / parts
    return Float32Array.from({ length: size }, (_, i) => data[part * size + i]!)
  }
  return Object.fromEntries(
    Object.entries(feeds).map(([name, data]) => [
      name,
      /^(learningRate|lrDropout|lossScale)/.test(name) ? data : cut(data),
    ]),
  )
}
