import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { median } from '@dfl/core'

/** Where and when numbers were measured. */
export interface Circumstances {
  /** ISO 8601. */
  date: string
  node: string
  platform: string
  cpu: string
  cores: number
  memoryGb: number
  /** Processes that wanted a core, mean of the last minute before the start. Above 0.5 something else was running. */
  loadBefore: number
}

/** This machine, now. */
export function circumstances(): Circumstances {
  return {
    date: new Date().toISOString(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: round(totalmem() / 2 ** 30, 1),
    loadBefore: round(loadavg()[0]!, 2),
  }
}

/** The circumstances in one line, with a warning where the machine was busy. */
export function describeCircumstances({ date, node, platform, cpu, cores, memoryGb, loadBefore }: Circumstances) {
  const line = `${date.slice(0, 16).replace('T', ' ')} UTC, ${cpu}, ${cores} cores, ${memoryGb} GB, ${platform}, Node ${node}`
  const busy = `The machine was busy before the start (load ${loadBefore}): trust no number below, measure again when it is idle.`
  return loadBefore > 0.5 ? `${line}\n${busy}` : line
}

/** What a benchmark found: for people, and as the one JSON object that `--json` prints. */
export interface Outcome {
  text: string
  data: Readonly<Record<string, unknown>>
}

/** What every benchmark is handed. */
export interface BenchContext {
  /** Shows one line about what goes on, until the next: cheap enough to call for every frame. */
  say(line: string): void
  /** Shows lines that stay, for people: what is known before the end. */
  tell(lines: string): void
}

/** A number with at most so many digits after the point. */
export function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits))
}

/** Rows as text, in columns: the first on the left, the others on the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const all = [head, ...rows.map((row) => row.map(String))]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  return [line(all[0]!), widths.map((width) => '-'.repeat(width)).join('  '), ...all.slice(1).map(line)].join('\n')
}

/** Calls each of the works in turn, `rounds` times over, so that whatever disturbs the machine meets all of them. */
export async function interleaved<T>(rounds: number, works: readonly (() => Promise<T>)[]): Promise<T[][]> {
  const results: T[][] = works.map(() => [])
  for (let turn = 0; turn < rounds; turn++) for (const [i, work] of works.entries()) results[i]!.push(await work())
  return results
}

/** The median of each of the named numbers of several runs. */
export function medians<K extends string>(runs: readonly Readonly<Record<K, number>>[]): Record<K, number> {
  const names = Object.keys(runs[0]!) as K[]
  return Object.fromEntries(names.map((name) => [name, round(median(runs.map((run) => run[name])))])) as Record<
    K,
    number
  >
}
