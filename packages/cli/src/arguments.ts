import { DflError, isDflError, type OptionSpec, resolveOptions } from '@dfl/core'
import { type Flag, type FlagGroup, parseDuration } from './flags.js'

type Value = string | number | boolean | readonly string[]

/** The values that were given, by group and option. Nothing stands for what was not given: defaults come later. */
export type Given = Readonly<Record<string, Readonly<Record<string, Value>>>>

/**
 * What a command line says, checked against the flags of its command.
 *
 * Takes `--name value`, `--name=value`, `--switch` and `--no-switch`, and `--name a b` of flags that take several values.
 *
 * @throws DflError `BAD_OPTION` that names every wrong, unknown and missing flag at once.
 */
export function parseArguments(args: readonly string[], groups: readonly FlagGroup[]): Given {
  const known = new Map(groups.flatMap(({ key, flags }) => flags.map((flag) => [flag.name, { key, flag }] as const)))
  const given: Record<string, Record<string, Value>> = Object.fromEntries(groups.map(({ key }) => [key, {}]))
  const problems: string[] = []
  const seen = new Set<string>()

  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!
    if (!argument.startsWith('--')) {
      problems.push(`Expected an option that begins with --, but got '${argument}'.`)
      continue
    }
    const [typed, inline] = split(argument.slice(2))
    const negated = typed.startsWith('no-') && !known.has(typed) && known.get(typed.slice(3))?.flag.placeholder === ''
    const name = negated ? typed.slice(3) : typed
    const found = known.get(name)
    if (!found) {
      problems.push(`There is no option --${typed}.${suggestion(typed, [...known.keys()])}`)
      if (inline === undefined && isValue(args[i + 1])) i++
      continue
    }
    const { key, flag } = found
    if (seen.has(name) && !flag.repeats) problems.push(`Expected --${name} once, but got it twice.`)
    seen.add(name)
    if (flag.spec.type === 'boolean') {
      if (inline !== undefined && !['true', 'false'].includes(inline))
        problems.push(`Expected true or false for \`--${name}\`, but got '${inline}'.`)
      given[key]![flag.option] = (inline ?? 'true') === 'true' ? !negated : negated
      continue
    }
    const text = inline ?? (isValue(args[i + 1]) ? args[++i] : undefined)
    if (text === undefined || text === '') {
      problems.push(`Expected ${expectedFor(flag)} for \`--${name}\`, but got nothing.`)
      continue
    }
    if (flag.repeats) {
      const values = [text]
      while (inline === undefined && isValue(args[i + 1])) values.push(args[++i]!)
      given[key]![flag.option] = [...((given[key]![flag.option] as readonly string[] | undefined) ?? []), ...values]
      continue
    }
    const value = read(flag, text)
    if ('problem' in value) problems.push(value.problem)
    else given[key]![flag.option] = value.value
  }
  for (const { flag } of known.values())
    if (flag.required && !seen.has(flag.name))
      problems.push(`Expected --${flag.name} <${flag.placeholder}>, but it was not given. ${flag.spec.description}`)
  if (problems.length > 0) throw new DflError('BAD_OPTION', problems.join('\n'), { data: { problems } })
  return given
}

/**
 * The message of an error in the words of the command line: what packages call `minSize` is `--min-size` there. Names that are
 * no flag of the command stay as they are, and so do those of keys in a file, which the error's `data.file` tells.
 *
 * A single word may as well be somebody's folder: it is a flag only where the message speaks of an option.
 */
export function inFlags(error: unknown, groups: readonly FlagGroup[]): string {
  const message = error instanceof Error ? error.message : String(error)
  if (isDflError(error) && error.data.file !== undefined) return message
  const flags = groups.flatMap((group) => group.flags)
  const names = new Map(
    flags.flatMap(({ option, name, calledBy = [] }) => [option, ...calledBy].map((called) => [called, name])),
  )
  return message.replace(/(\b(?:for|as|another|lower|smaller|Leave) )?`([a-z][A-Za-z]*)`/g, (quoted, before, called) =>
    names.has(called) && (before || /[A-Z]/.test(called)) ? `${before ?? ''}\`--${names.get(called)}\`` : quoted,
  )
}

/** `typed` against what is known: " Did you mean --crf?" where something is near. */
export function suggestion(typed: string, known: readonly string[], dashes = '--'): string {
  const near = known
    .map((name) => ({ name, distance: name.startsWith(typed) && typed.length > 2 ? 1 : editDistance(typed, name) }))
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(Math.min(name.length, typed.length) / 3)))
    .sort((a, b) => a.distance - b.distance)[0]
  return near ? ` Did you mean ${dashes}${near.name}?` : ''
}

function split(text: string): [name: string, value: string | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** Negative numbers are values; everything else that begins with a dash is the next option. */
const isValue = (text: string | undefined): text is string =>
  text !== undefined && (!text.startsWith('-') || /^-\d/.test(text) || text === '-')

function read(flag: Flag, text: string): { value: string | number } | { problem: string } {
  const { name, spec } = flag
  if (spec.type === 'duration') {
    const seconds = parseDuration(text)
    if (seconds !== undefined) return { value: seconds }
    return { problem: `Expected ${expectedFor(flag)} for \`--${name}\`, but got '${text}'.` }
  }
  const value = spec.type === 'number' ? Number(text) : text
  if (Number.isNaN(value)) return { problem: `Expected ${expectedFor(flag)} for \`--${name}\`, but got '${text}'.` }
  try {
    resolveOptions({ [`--${name}`]: spec }, { [`--${name}`]: value })
    return { value }
  } catch (error) {
    if (!isDflError(error, 'BAD_OPTION')) throw error
    return { problem: error.message }
  }
}

/** What a flag takes, in words: 'a number between 0 and 51'. */
function expectedFor({ spec }: Flag): string {
  if (spec.type === 'duration') return 'a time such as 90s, 10m or 1h30m'
  if (spec.type === 'choice') return `one of ${spec.choices.join(', ')}`
  if (spec.type === 'number') return limitsOf(spec)
  return spec.type === 'boolean' ? 'true or false' : 'a value'
}

/** The limits of a number in words: 'a whole number of at least 1'. */
export function limitsOf({ min, max, integer, multipleOf, unit }: OptionSpec & { type: 'number' }): string {
  const kind = multipleOf ? `a multiple of ${multipleOf}` : integer ? 'a whole number' : 'a number'
  const inUnit = unit ? ` ${unit}` : ''
  if (min !== undefined && max !== undefined) return `${kind} between ${min} and ${max}${inUnit}`
  if (min !== undefined) return `${kind} of at least ${min}${inUnit}`
  return max !== undefined ? `${kind} of at most ${max}${inUnit}` : `${kind}${inUnit}`
}

/** Letters to insert, drop, change or swap to get from one word to another. Source: Damerau 1964, https://doi.org/10.1145/363958.363994 */
function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)])
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1)
      rows[i]![j] = best
    }
  return rows[a.length]![b.length]!
}
