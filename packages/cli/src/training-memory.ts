import { totalmem } from 'node:os'
import type { MemoryEstimate } from '@dfl/engine'
import type { TrainOptions, TrainReport } from '@dfl/trainer'
import type { NoticeEvent, WarningEvent } from './events.js'

/** The reports of a training, and before the first of them what its steps will take. Only the first phase is told of. */
export async function* afterMemory(
  start: (told: Pick<TrainOptions, 'onPrepared'>) => AsyncGenerator<TrainReport>,
): AsyncGenerator<TrainReport | MemoryEstimate> {
  let tell: (memory: MemoryEstimate) => void = () => {}
  const told = new Promise<MemoryEstimate>((resolve) => {
    tell = resolve
  })
  const reports = start({ onPrepared: tell })
  try {
    const first = reports.next()
    const memory = await Promise.race([told, first.then(() => undefined)])
    if (memory) yield memory
    const { done, value } = await first
    if (!done) yield value
    yield* reports
  } finally {
    await reports.return(undefined)
  }
}

/**
 * What a train step takes, for people; a warning where less is free.
 *
 * @param free  Bytes that are free now, when the state is in memory already.
 */
export function sayMemory(
  { state, next, activations, total }: MemoryEstimate,
  { iteration, free = freeMemory() }: { iteration: number; free?: number },
): NoticeEvent | WarningEvent {
  const gb = (bytes: number) => (bytes / 1e9).toFixed(1)
  const parts = `${gb(state)} weights and the optimiser's, ${gb(next)} gradients, ${gb(activations)} activations`
  const text = `takes about ${gb(total)} GB of memory: ${parts}`
  if (next + activations <= free)
    return { event: 'notice', kind: 'memory', iteration, text, detail: { state, next, activations, total } }
  return {
    event: 'warning',
    text: `Training ${text}. Only ${gb(free)} GB are free now: it may become very slow, or be ended by the system. Close other programs, or take a smaller --batch-size.`,
  }
}

/** Bytes that this process can still have: what the system keeps for files counts as free, a container's limit holds. */
function freeMemory(): number {
  // macOS gives up what it keeps and compresses the rest; what it calls free says nothing.
  return process.platform === 'darwin' ? totalmem() : process.availableMemory()
}
