/** Groups of `size` items; the last may be smaller. */
export async function* batches<T>(items: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = []
  for await (const item of items) {
    group.push(item)
    if (group.length === size) {
      yield group
      group = []
    }
  }
  if (group.length > 0) yield group
}

/** All items in an array. */
export async function collect<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const out: T[] = []
  for await (const item of items) out.push(item)
  return out
}

/** The first `count` items; closes the source after them. */
export async function* take<T>(items: AsyncIterable<T> | Iterable<T>, count: number): AsyncGenerator<T> {
  if (count <= 0) return
  let n = 0
  for await (const item of items) {
    yield item
    if (++n >= count) return
  }
}

/** The same items, with up to `count` of them made before they are asked for. Closes the source when left early. */
export async function* prefetch<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  yield* mapConcurrent(items, async (item) => item, count)
}

/**
 * The results of `work` in the order of the items, with up to `concurrency` of them under way at once.
 *
 * An error of the source or of `work` is thrown at its place in the order. Leaving the loop early closes the source.
 */
export async function* mapConcurrent<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T, index: number) => Promise<R> | R,
  concurrency: number,
): AsyncGenerator<R> {
  const iterator: AsyncIterator<T> | Iterator<T> =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  type Outcome = { value: R } | { error: unknown }
  const pending: Promise<Outcome>[] = []
  let index = 0
  let exhausted = false
  let failure: { error: unknown } | undefined
  const fill = async () => {
    while (!exhausted && pending.length < Math.max(1, concurrency)) {
      try {
        const next = await iterator.next()
        if (next.done) exhausted = true
        else {
          const i = index++
          pending.push(
            (async () => {
              try {
                return { value: await work(next.value, i) }
              } catch (error) {
                return { error }
              }
            })(),
          )
        }
      } catch (error) {
        exhausted = true
        failure = { error }
      }
    }
  }
  try {
    await fill()
    while (pending.length > 0) {
      const outcome = await pending.shift()!
      if ('error' in outcome) throw outcome.error
      const refill = fill()
      yield outcome.value
      await refill
    }
    if (failure) throw failure.error
  } finally {
    if (!exhausted) await iterator.return?.()
    await Promise.allSettled(pending)
  }
}
