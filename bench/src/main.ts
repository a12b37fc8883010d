import { patientCollector } from '@dfl/cli'
import { isDflError } from '@dfl/core'
import { HelpAsked } from './bench-arguments.js'
import { type BenchContext, circumstances, describeCircumstances, type Outcome } from './report.js'

/** A benchmark: what it is called with, and the module that does it, loaded only when it is asked for. */
interface Bench {
  summary: string
  load(): Promise<{ run(args: string[], context: BenchContext): Promise<Outcome> }>
}

const BENCHES: Readonly<Record<string, Bench>> = {
  train: { summary: 'one train iteration beside PyTorch on the same network', load: () => import('./train.js') },
  engine: {
    summary: 'the same for three architectures at three sizes and two batches, or where the time goes',
    load: () => import('./engine.js'),
  },
  extract: { summary: 'frames a second from a video to its faceset', load: () => import('./extract.js') },
  detection: {
    summary: 'faces found, and how well, in pictures that are hard to look at',
    load: () => import('./detection.js'),
  },
  merge: { summary: 'frames a second from a video to the merged video', load: () => import('./merge.js') },
  samples: { summary: 'training samples a second', load: () => import('./samples.js') },
  likeness: { summary: 'how soon a swap looks like SRC and does what DST does', load: () => import('./likeness.js') },
  recipes: { summary: 'ways to train, each for the same time on one pair', load: () => import('./recipes.js') },
  options: {
    summary: 'every option by itself: whether it trains, what it moves, what it costs',
    load: () => import('./options.js'),
  },
  quality: { summary: 'the whole pipeline on pairs whose true swap is known', load: () => import('./quality.js') },
  darkness: {
    summary: 'whether light that is weaker is told from skin that is darker',
    load: () => import('./darkness.js'),
  },
  forecast: { summary: 'whether what dfl check says before training comes true', load: () => import('./forecast.js') },
}

const USAGE = [
  'Usage: npm run bench -- <name> [options] [--json]',
  '',
  ...Object.entries(BENCHES).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`),
  '',
  'npm run bench -- <name> --help tells options, bench/README.md how to read the numbers. --json prints one JSON object as the last line of stdout.',
  '',
].join('\n')

async function main(): Promise<number> {
  const [name = '', ...rest] = process.argv.slice(2)
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
  if (!bench) {
    process.stderr.write(USAGE)
    return name === '' || name === '--help' ? 0 : 2
  }
  // As the programs are whose work is measured.
  patientCollector()
  const json = rest.includes('--json')
  const machine = circumstances()
  const status = statusLine()
  const { run } = await bench.load()
  const asked = run(
    rest.filter((arg) => arg !== '--json'),
    status,
  )
  const found = await asked.catch((error: unknown) => {
    if (error instanceof HelpAsked) return error
    throw error
  })
  status.clear()
  if (found instanceof HelpAsked) {
    process.stdout.write(`npm run bench -- ${name}: ${bench.summary}\n\n${found.message}\n`)
    return 0
  }
  const { text, data } = found
  const people = json ? process.stderr : process.stdout
  people.write(`${name}: ${bench.summary}\n${describeCircumstances(machine)}\n\n${text}\n`)
  if (json) process.stdout.write(`${JSON.stringify({ bench: name, ...machine, ...data })}\n`)
  return 0
}

/** Elsewhere than on a terminal, one is written this often at most. */
const LINE_MS = 15_000

/** A line of stderr that is written over and over; where stderr is no terminal, a new line now and then. */
function statusLine() {
  const { stderr } = process
  let last = performance.now()
  return {
    say(line: string) {
      if (stderr.isTTY) stderr.write(`\r\x1b[K${line.slice(0, stderr.columns - 1)}`)
      else if (performance.now() - last > LINE_MS) {
        stderr.write(`${line}\n`)
        last = performance.now()
      }
    },
    tell(lines: string) {
      this.clear()
      stderr.write(`${lines}\n`)
    },
    clear() {
      if (stderr.isTTY) stderr.write('\r\x1b[K')
    },
  }
}

/** Options that nobody knows, and errors of the packages, are said in a sentence; anything else is a fault of ours. */
const isUsers = (error: unknown): error is Error =>
  isDflError(error) || (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))

main().then(
  (code) => {
    process.exitCode = code
  },
  (error) => {
    process.stderr.write(`\n${isUsers(error) ? error.message : error.stack}\n`)
    process.exitCode = 1
  },
)
