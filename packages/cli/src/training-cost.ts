import { totalmem } from 'node:os'
import type { MemoryEstimate } from '@dfl/engine'
import type { Length, PreparedStep, TrainOptions, TrainReport } from '@dfl/trainer'
import { type NoticeEvent, sayDuration, type WarningEvent } from './events.js'

/** What a training takes on this machine: memory, and the time of an iteration where that was measured. */
export interface TrainingCost {
  memory: MemoryEstimate
  phase: string
  /** Bytes that were free for it when it was told. */
  free: number
  /** Milliseconds of an iteration; nothing where measuring it would take more memory than is free. */
  ms?: number
}

/** The reports of a training, and before the first of them what it will take. Only its first phase is told of. */
export async function* afterCost(
  start: (told: Pick<TrainOptions, 'onPrepared'>) => AsyncGenerator<TrainReport>,
  device: string,
): AsyncGenerator<TrainReport | TrainingCost> {
  let tell: (cost: TrainingCost) => void = () => {}
  const told = new Promise<TrainingCost>((resolve) => {
    tell = resolve
  })
  let known = false
  const onPrepared = async (step: PreparedStep) => {
    if (known) return
    known = true
    tell(await costOf(step, device))
  }
  const reports = start({ onPrepared })
  try {
    const first = reports.next()
    const cost = await Promise.race([told, first.then(() => undefined)])
    if (cost) yield cost
    const { done, value } = await first
    if (!done) yield value
    yield* reports
  } finally {
    await reports.return(undefined)
  }
}

async function costOf({ phase, memory, time }: PreparedStep, device: string): Promise<TrainingCost> {
  const free = freeMemory()
  const { state, next, activations } = memory
  // Measuring it takes a copy of the state besides.
  const fits = device !== 'cpu' || state + next + activations <= free
  return { memory, phase, free, ...(fits ? { ms: await time() } : {}) }
}

/** Where a run is, how long it shall be, and where it runs. */
interface RunAt {
  iteration: number
  seconds: number
  length: Length
  device: string
}

/** What a training takes, for people: memory and time before it starts; a warning where less memory is free. */
export function sayCost(
  { memory: { state, next, activations, total }, phase, free, ms }: TrainingCost,
  at: RunAt,
): NoticeEvent | WarningEvent {
  const memory = `about ${sayBytes(total)} of memory (${sayBytes(state)} weights and the optimiser's, ${sayBytes(next)} gradients, ${sayBytes(activations)} activations)`
  // How much memory a device of its own has is not known here.
  const isHere = at.device === 'cpu'
  if (isHere && next + activations > free)
    return {
      event: 'warning',
      text: `Training takes ${memory}. Only ${sayBytes(free)} are free now: it may become very slow, or be ended by the system. Close other programs, or take a smaller --batch-size.`,
    }
  const time = ms === undefined ? [] : [`${sayMs(ms)} an iteration in phase ${phase}${sayLength(ms, at)}`]
  return {
    event: 'notice',
    kind: 'cost',
    iteration: at.iteration,
    text: `takes ${[...(isHere ? [memory] : []), ...time].join(' and ')}`,
    detail: {
      ...(ms === undefined ? {} : { msPerIteration: Math.round(ms * 10) / 10 }),
      ...(isHere ? { state, next, activations, total } : {}),
    },
  }
}

/** An amount of memory as people say it: '253 MB', '1.3 GB'. */
export const sayBytes = (bytes: number): string =>
  bytes < 9.95e8 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`

/** The time of an iteration as people say it: '8.1 ms', '108 ms', '2.1 s'. */
export const sayMs = (ms: number): string => {
  if (ms >= 995) return sayDuration(ms / 1000)
  return `${ms.toFixed(ms < 9.95 ? 1 : 0)} ms`
}

/** What the time of an iteration makes of the length that was asked for. */
function sayLength(ms: number, { iteration, seconds, length }: RunAt): string {
  if (length.seconds !== undefined) {
    const left = Math.max(0, length.seconds - seconds)
    return `: about ${Number(((1000 * left) / ms).toPrecision(2))} in ${sayDuration(left)}`
  }
  if (length.iterations === undefined) return ''
  const left = Math.max(0, length.iterations - iteration)
  return `: about ${sayDuration((left * ms) / 1000)} for ${left}`
}

/** Bytes that this process can still have: what the system keeps for files counts as free, a container's limit holds. */
export function freeMemory(): number {
  // macOS gives up what it keeps and compresses the rest; what it calls free says nothing.
  return process.platform === 'darwin' ? totalmem() : process.availableMemory()
}
