import { availableParallelism } from 'node:os'
import { benchArguments } from './bench-arguments.js'
import { type Comparison, compare, comparisonText } from './compare.js'
import { findPython, PYTORCH } from './python.js'
import { type BenchContext, type Outcome, table } from './report.js'
import { type StepProfile, stepProfile } from './step-profile.js'
import { engineCases } from './train-cases.js'

/** The architectures that the engine is measured with, at three sizes and two batches, beside PyTorch or op by op. */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values } = benchArguments(args, {
    cases: {
      type: 'string',
      default: '',
      about: 'such as df-ud or df-ud/64/4, with commas between them; all if not given',
    },
    pairs: { type: 'string', default: '5', about: 'how many pairs of runs' },
    steps: { type: 'string', default: '1', about: 'iterations of a run' },
    threads: { type: 'string', default: String(availableParallelism()), about: 'threads of both sides' },
    profile: { type: 'boolean', about: 'where the time goes, op by op; without PyTorch' },
    'no-install': { type: 'boolean', about: 'do not install PyTorch where there is none' },
  })
  const cases = engineCases(values.cases.split(',').filter(Boolean), Number(values.threads))
  if (values.profile) {
    const profiles: StepProfile[] = []
    for (const one of cases) profiles.push(await stepProfile(one, Number(values.pairs), context))
    return { text: profiles.map(profileText).join('\n\n'), data: { threads: Number(values.threads), profiles } }
  }
  const python = await findPython(PYTORCH, !values['no-install'])
  const turns = { pairs: Number(values.pairs), steps: Number(values.steps) }
  const found: Comparison[] = []
  for (const one of cases) found.push(await compare(one, python, turns, context))
  return {
    text: comparisonText(found, python, values.threads, turns.pairs),
    data: {
      threads: Number(values.threads),
      ...turns,
      ...('missing' in python ? { skipped: python.missing } : {}),
      cases: found,
    },
  }
}

function profileText({ name, ms, parts, largest }: StepProfile): string {
  const share = (part: number) => `${((100 * part) / ms).toFixed(1)} %`
  return [
    `${name}: ${ms.toFixed(0)} ms an iteration, slowed down a little by being watched`,
    table(
      ['part', 'calls', 'ms', 'share'],
      parts.map((part) => [part.name, part.calls ?? '', part.ms.toFixed(1), share(part.ms)]),
    ),
    table(
      ['largest ops', 'calls', 'ms', 'share'],
      largest.map((part) => [part.name, part.calls ?? '', part.ms.toFixed(1), share(part.ms)]),
    ),
  ].join('\n\n')
}
