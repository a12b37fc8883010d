import { availableParallelism } from 'node:os'
import { benchArguments } from './bench-arguments.js'
import { type Comparison, compare, comparisonText } from './compare.js'
import { findPython, PYTORCH } from './python.js'
import type { BenchContext, Outcome } from './report.js'
import { trainCase } from './train-cases.js'

/** One train iteration here and in PyTorch: same network, weights, batch, losses and optimiser, taking turns. */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values } = benchArguments(args, {
    cases: { type: 'string', default: 'plain,quick', about: 'networks: plain, quick, film, with commas between them' },
    pairs: { type: 'string', default: '7', about: 'how many pairs of runs' },
    steps: { type: 'string', default: '3', about: 'iterations of a run' },
    threads: { type: 'string', default: String(availableParallelism()), about: 'threads of both sides' },
    'no-install': { type: 'boolean', about: 'do not install PyTorch where there is none' },
  })
  const cases = values.cases.split(',').map((name) => trainCase(name, Number(values.threads)))
  const python = await findPython(PYTORCH, !values['no-install'])
  const turns = { pairs: Number(values.pairs), steps: Number(values.steps) }
  const found: Comparison[] = []
  for (const one of cases) found.push(await compare(one, python, turns, context))
  const about = found.map(({ name, about }) => `${name}: ${about}`).join('\n')
  return {
    text: `${comparisonText(found, python, values.threads, turns.pairs)}\n\n${about}`,
    data: {
      threads: Number(values.threads),
      ...turns,
      ...('missing' in python ? { skipped: python.missing } : {}),
      cases: found,
    },
  }
}
