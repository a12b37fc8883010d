import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCase } from './our-steps.js'
import { type BenchContext, round } from './report.js'
import { firstTensors, type TrainCase } from './train-cases.js'

/** A part of an iteration. */
interface Part {
  name: string
  /** Calls in one iteration. */
  calls?: number
  /** Milliseconds of one iteration. */
  ms: number
}

/** Where the time of an iteration goes. */
export interface StepProfile {
  name: string
  /** Milliseconds of an iteration, mean. */
  ms: number
  /** Kernels of the graph by op, and what is around them: together the whole iteration. */
  parts: Part[]
  /** The ops that take longest, with their shapes. */
  largest: Part[]
}

/** Iterations before those that count. */
const WARM_UPS = 2

/** What ONNX Runtime writes for each call of a kernel and for each run. */
interface ProfileEvent {
  name: string
  cat: string
  /** Microseconds. */
  dur: number
  args: { op_name?: string; input_type_shape?: Record<string, number[]>[] }
}

/** Takes iterations of a case with ONNX Runtime's profiler on, in this process. */
export async function stepProfile(one: TrainCase, steps: number, { say }: BenchContext): Promise<StepProfile> {
  const folder = await mkdtemp(join(tmpdir(), 'dfl-bench-'))
  try {
    const { step, dispose } = await startCase(one, firstTensors(one), join(folder, 'profile'))
    let ms = 0
    for (let i = 0; i < WARM_UPS + steps; i++) {
      say(`${one.name}: step ${i + 1} of ${WARM_UPS + steps}`)
      const began = performance.now()
      await step()
      if (i >= WARM_UPS) ms += (performance.now() - began) / steps
    }
    await dispose()
    const [file] = await readdir(folder)
    const events: ProfileEvent[] = JSON.parse(await readFile(join(folder, file!), 'utf8'))
    return { name: one.name, ms: round(ms, 1), ...partsOf(events, ms, steps) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function partsOf(events: readonly ProfileEvent[], ms: number, steps: number): Pick<StepProfile, 'parts' | 'largest'> {
  const runs = events.filter(({ name }) => name === 'model_run').slice(-steps)
  const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'))
  const counted = kernels.slice(-Math.round((kernels.length / (steps + WARM_UPS)) * steps))
  const sum = (of: readonly { dur: number }[]) => of.reduce((total, { dur }) => total + dur, 0) / 1000 / steps
  const grouped = (key: (event: ProfileEvent) => string): Part[] => {
    const groups = new Map<string, ProfileEvent[]>()
    for (const event of counted) groups.set(key(event), [...(groups.get(key(event)) ?? []), event])
    return [...groups]
      .map(([name, of]) => ({ name, calls: round(of.length / steps, 0), ms: round(sum(of)) }))
      .sort((a, b) => b.ms - a.ms)
  }
  const shapes = ({ args }: ProfileEvent) =>
    (args.input_type_shape ?? []).map((input) => Object.values(input)[0]!.join('·') || 'scalar').join(', ')
  const around = [
    { name: 'between ops', ms: round(sum(runs) - sum(counted)) },
    { name: 'before and after the graph, optimiser', ms: round(ms - sum(runs)) },
  ]
  return {
    parts: [...grouped(({ args }) => args.op_name ?? 'unknown'), ...around],
    largest: grouped((event) => `${event.args.op_name} (${shapes(event)})`).slice(0, 12),
  }
}
