import { parseArgs } from 'node:util'

/** One option of a benchmark, without the dashes; what it is given reaches the benchmark as text. */
export interface BenchOption {
  type: 'string' | 'boolean'
  /** Used where it is not given. */
  default?: string | boolean
  /** One line for `--help`. */
  about: string
}

type Values<T extends Readonly<Record<string, BenchOption>>> = {
  [K in keyof T]: T[K]['type'] extends 'boolean'
    ? boolean
    : T[K] extends { default: string }
      ? string
      : string | undefined
}

/** Thrown for `--help`: its message is the help text. */
export class HelpAsked extends Error {}

/**
 * What a benchmark is called with.
 *
 * @param files What may be given without a name, such as 'clip.mp4'; nothing where that is refused.
 * @throws HelpAsked for `--help`, and the errors of `parseArgs` for what is no option.
 */
export function benchArguments<const T extends Readonly<Record<string, BenchOption>>>(
  args: readonly string[],
  options: T,
  files = '',
): { values: Values<T>; positionals: readonly string[] } {
  if (args.includes('--help') || args.includes('-h')) throw new HelpAsked(helpOf(options, files))
  const known = Object.fromEntries(
    Object.entries(options).map(([name, { type, default: usual = type === 'boolean' ? false : undefined }]) => [
      name,
      usual === undefined ? { type } : { type, default: usual },
    ]),
  )
  const { values, positionals } = parseArgs({ args: [...args], options: known, allowPositionals: files !== '' })
  return { values: values as unknown as Values<T>, positionals }
}

function helpOf(options: Readonly<Record<string, BenchOption>>, files: string): string {
  const lines = Object.entries(options).map(([name, { type, default: usual, about }]): [string, string] => [
    `--${name}${type === 'string' ? ' <value>' : ''}`,
    typeof usual === 'string' && usual !== '' ? `${about} (default ${usual})` : about,
  ])
  lines.push(['--json', 'one JSON object as the last line of stdout'], ['--help', 'this text'])
  const width = Math.max(...lines.map(([label]) => label.length)) + 2
  const given = files === '' ? [] : [`Files: ${files}`, '']
  return [...given, ...lines.map(([label, about]) => `  ${label.padEnd(width)}${about}`)].join('\n')
}
