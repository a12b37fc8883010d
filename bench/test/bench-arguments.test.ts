import { describe, expect, it } from 'vitest'
import { benchArguments } from '../src/bench-arguments.js'
import { run as runDetection } from '../src/detection.js'
import { run as runEngine } from '../src/engine.js'
import { run as runForecast } from '../src/forecast.js'
import { run as runLikeness } from '../src/likeness.js'

const quiet = { say() {}, tell() {} }

describe('benchArguments', () => {
  it('gives defaults and what is given, and refuses what is no option', () => {
    const options = {
      rounds: { type: 'string', default: '3', about: 'rounds' },
      out: { type: 'string', about: 'output folder' },
      fast: { type: 'boolean', about: 'quickly' },
    } as const
    expect(benchArguments(['--out', 'x'], options).values).toMatchObject({ rounds: '3', out: 'x', fast: false })
    expect(() => benchArguments(['--round', '3'], options)).toThrow("Unknown option '--round'")
    expect(() => benchArguments(['a.mp4'], options)).toThrow("Unexpected argument 'a.mp4'")
    expect(benchArguments(['a.mp4'], options, 'clips').positionals).toEqual(['a.mp4'])
  })

  it('tells the options of a benchmark for --help, with their defaults', async () => {
    const told = (run: typeof runEngine) => run(['--help'], quiet).catch((error: Error) => error.message)
    expect(await told(runEngine)).toMatch(
      /^ {2}--cases <value> +such as df-ud.*\n {2}--pairs <value> .*\(default 5\)$/m,
    )
    expect(await told(runDetection)).toMatch(/^Files: clips or pictures/)
    for (const run of [runForecast, runLikeness]) expect(await told(run)).toMatch(/--time <value> +training time/)
  })
})
