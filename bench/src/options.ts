import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError, type FaceType, isDflError } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { openFaceset } from '@dfl/faceset'
import { benchArguments } from './bench-arguments.js'
import { demoClip, facesetOf, ROOT } from './footage.js'
import { OPTION_CASES, type OptionCase, type Setup, withCommon } from './option-cases.js'
import { type OptionRun, type Sides, trainSetup } from './option-run.js'
import { otherSamples } from './option-samples.js'
import { type BenchContext, type Outcome, round, table } from './report.js'

/** What an option did, or why it did not run. */
interface Found extends Pick<OptionCase, 'name' | 'moves'> {
  measure: string
  without?: number
  with?: number
  /** Whether the number moved as it must. */
  holds: boolean
  /** Whether all losses were numbers, without going back. */
  finite: boolean
  /** Processor time of an iteration, and its ratio to the run without. */
  cpuMs?: number
  timeRatio?: number
  failed?: string
}

/** Every option of every table, trained by itself against the same run without it. Runs are kept, and not made again. */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values } = benchArguments(args, {
    iterations: { type: 'string', default: '200', about: 'iterations of each training' },
    only: { type: 'string', about: 'those whose names begin so, with commas between them' },
    out: { type: 'string', about: 'output folder' },
  })
  const iterations = Number(values.iterations)
  const out = values.out ?? join(ROOT, 'workspace', `options-${iterations}`)
  await mkdir(out, { recursive: true })
  const sides = facesetsOf(context)
  const runOf = async (setup: Setup): Promise<OptionRun> => {
    const key = JSON.stringify({ iterations, ...withCommon(setup) })
    const kept = join(out, `${createHash('sha256').update(key).digest('hex').slice(0, 12)}.json`)
    if (await exists(kept)) return (JSON.parse(await readFile(kept, 'utf8')) as { run: OptionRun }).run
    const run = await trainSetup(setup, await sides(withCommon(setup).faceType), iterations)
    await writeFile(kept, `${JSON.stringify({ setup: JSON.parse(key), run })}\n`)
    return run
  }
  const cases = chosen(values.only)
  const found: Found[] = []
  for (const [i, one] of cases.entries()) {
    context.say(`${one.name} (${i + 1} of ${cases.length})`)
    found.push(await study(one, runOf))
  }
  return { text: describe(found, iterations), data: { iterations, out, options: found } }
}

/** The demo's faces, every fourth frame: those of heads for heads, of whole faces for all that is tighter. Extracted once. */
function facesetsOf(context: BenchContext): (faceType: FaceType) => Promise<Sides> {
  const open = new Map<FaceType, Promise<Sides>>()
  const extract = async (faceType: FaceType): Promise<Sides> => {
    const options = { label: `options-${faceType}`, faceType, everyNth: 4, embedEvery: 0, size: 256 } as const
    const of = async (side: 'src' | 'dst') => openFaceset(await facesetOf(demoClip(side), options, context))
    return { src: await of('src'), dst: await of('dst') }
  }
  return (faceType) => {
    const wide = faceType === 'head' ? 'head' : 'whole_face'
    if (!open.has(wide)) open.set(wide, extract(wide))
    return open.get(wide)!
  }
}

/** Cases whose name begins as one of those in the list; all without a list. */
function chosen(only: string | undefined): readonly OptionCase[] {
  if (only === undefined) return OPTION_CASES
  const wanted = only.split(',')
  const unknown = wanted.filter((name) => !OPTION_CASES.some((one) => one.name.startsWith(name)))
  if (unknown.length > 0)
    throw new DflError(
      'BAD_OPTION',
      `Expected beginnings of ${OPTION_CASES.map(({ name }) => name).join(', ')} for \`--only\`, but got ${unknown.join(', ')}. Correct them.`,
    )
  return OPTION_CASES.filter(({ name }) => wanted.some((one) => name.startsWith(one)))
}

async function study(one: OptionCase, runOf: (setup: Setup) => Promise<OptionRun>): Promise<Found> {
  const { name, moves, measure } = one
  const [before, after] = typeof measure === 'string' ? [measure, measure] : measure
  const told = { name, moves, measure: before === after ? before : `${before} → ${after}` }
  try {
    const without = await runOf(one.without)
    const withIt = await runOf(one.with)
    const others = otherSamples(without.seen, withIt.seen)
    const [a, b] = [
      before in others ? 0 : numberOf(without, before, name),
      after in others ? others[after]! : numberOf(withIt, after, name),
    ]
    return {
      ...told,
      ...{ without: round(a, 5), with: round(b, 5) },
      holds: moves === 'up' ? b > a : moves === 'down' ? b < a : a === b,
      finite: without.notFinite + withIt.notFinite === 0,
      cpuMs: round(withIt.cpuMsPerIteration, 1),
      timeRatio: round(withIt.cpuMsPerIteration / without.cpuMsPerIteration, 2),
    }
  } catch (error) {
    // That one option cannot be trained is a result, too: the others are tried all the same.
    if (isDflError(error)) return { ...told, holds: false, finite: false, failed: error.message }
    throw error
  }
}

function numberOf({ measures }: OptionRun, name: string, of: string): number {
  const value = measures[name]
  if (value !== undefined) return value
  throw new Error(`${of}: there is no measure ${name}, but ${Object.keys(measures).join(', ')}`)
}

function describe(found: readonly Found[], iterations: number): string {
  const short = (value: number | undefined) => (value === undefined ? '–' : Number(value.toPrecision(3)).toString())
  const rows = found.map(({ name, measure, without, with: after, holds, finite, timeRatio }) => [
    name,
    measure,
    short(without),
    short(after),
    holds ? 'yes' : 'NO',
    finite ? 'yes' : 'NO',
    timeRatio?.toFixed(2) ?? '–',
  ])
  const failures = found.flatMap(({ name, failed }) => (failed ? [`${name} failed: ${failed}`] : []))
  const held = found.filter(({ holds, finite }) => holds && finite).length
  return [
    table(['option', 'what it moves', 'without', 'with', 'as it must', 'finite', 'time'], rows),
    '',
    ...failures,
    `${held} of ${found.length} do what they say, over ${iterations} iterations of a small network on the demo's footage.`,
    'Time is the processor time of an iteration, samples included, against the run without.',
  ].join('\n')
}
