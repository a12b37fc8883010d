import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { median } from '@dfl/core'
import { encodeSafetensors } from '@dfl/engine'
import { ROOT } from './footage.js'
import type { Python } from './python.js'
import { type BenchContext, round, table } from './report.js'
import { type StepProcess, startSteps, type Turn } from './step-process.js'
import { firstTensors, type TrainCase } from './train-cases.js'

/** Threads spin for a while after their work: this long until the other side finds the cores free. */
const PAUSE_MS = 300

/** One case on both sides. */
export interface Comparison extends Pick<TrainCase, 'name' | 'about' | 'network' | 'batchSize'> {
  ours: Measured
  pytorch?: Measured & { version: string }
  /** Median of `ratios`: ours / PyTorch. */
  ratio?: number
  ratios?: number[]
  /** Largest relative difference of the two sides' losses over the first three steps: whether they do the same work. */
  lossDifference?: number
}

/** One side of a case. */
export interface Measured {
  /** Median over the turns. */
  ms: number
  msOfTurns: number[]
  peakMegabytes?: number
}

/** The case's iterations here and in PyTorch, each in a process of its own, taking turns. */
export async function compare(
  one: TrainCase,
  python: Python,
  { pairs, steps }: { pairs: number; steps: number },
  { say }: BenchContext,
): Promise<Comparison> {
  const folder = await mkdtemp(join(tmpdir(), 'dfl-bench-'))
  try {
    const files = [join(folder, 'case.json'), join(folder, 'tensors.safetensors')]
    await writeFile(files[0]!, JSON.stringify(one))
    await writeFile(files[1]!, encodeSafetensors(firstTensors(one)))
    say(`${one.name}: starting`)
    await using ours = await startSteps(process.execPath, [join(ROOT, 'bench', 'dist', 'step-program.js'), ...files])
    await using theirs =
      'path' in python
        ? await startSteps(python.path, [join(ROOT, 'bench', 'python', 'train_step.py'), ...files])
        : undefined
    const sides = [ours, ...(theirs ? [theirs] : [])]
    const warmUps = await inTurns(sides, 3)
    const turns: Turn[][] = []
    for (let pair = 0; pair < pairs; pair++) {
      say(`${one.name}: pair ${pair + 1} of ${pairs}`)
      turns.push(await inTurns(sides, steps))
    }
    const measured = sides.map((_, side) => measuredOf(turns.map((turn) => turn[side]!)))
    const { name, about, network, batchSize } = one
    const alone = { name, about, network, batchSize, ours: measured[0]! }
    if (!theirs) return alone
    const ratios = turns.map(([a, b]) => round(median(a!.ms) / median(b!.ms)))
    const [a, b] = warmUps.map(({ losses }) => losses)
    return {
      ...alone,
      pytorch: { ...measured[1]!, version: theirs.versions.torch! },
      ratio: round(median(ratios)),
      ratios,
      lossDifference: Math.max(...a!.map((loss, i) => Math.abs(loss - b![i]!) / b![i]!)),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function inTurns(sides: readonly StepProcess[], steps: number): Promise<Turn[]> {
  const turns: Turn[] = []
  for (const side of sides) {
    await setTimeout(PAUSE_MS)
    turns.push(await side.steps(steps))
  }
  return turns
}

function measuredOf(turns: readonly Turn[]): Measured {
  const msOfTurns = turns.map(({ ms }) => round(median(ms), 1))
  const peak = turns.at(-1)!.peakMegabytes
  return { ms: round(median(msOfTurns), 1), msOfTurns, ...(peak === null ? {} : { peakMegabytes: round(peak, 0) }) }
}

/** Comparisons as a table, and in words how they came about. */
export function comparisonText(found: readonly Comparison[], python: Python, threads: string, pairs: number): string {
  const or = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? '–'
  const torch = found.find(({ pytorch }) => pytorch)?.pytorch
  return [
    table(
      ['case', 'ours ms', 'PyTorch ms', 'ratio', 'of the pairs', 'ours MB', 'PyTorch MB', 'losses differ by'],
      found.map(({ name, ours, pytorch, ratio, ratios, lossDifference }) => [
        name,
        or(ours.ms, 0),
        or(pytorch?.ms, 0),
        or(ratio, 2),
        ratios ? `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}` : '–',
        or(ours.peakMegabytes, 0),
        or(pytorch?.peakMegabytes, 0),
        lossDifference?.toExponential(0) ?? '–',
      ]),
    ),
    '',
    'missing' in python
      ? `PyTorch was skipped: ${python.missing}.`
      : `PyTorch ${torch?.version}. Both sides ran ${threads} threads and took turns; each number is the median of ${pairs} turns, ratio the median of their ratios (ours / PyTorch, smaller is better).`,
  ].join('\n')
}
