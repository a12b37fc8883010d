import { DflError } from './errors.js'

interface Base<T> {
  default: T
  /** One sentence for help texts and docs. */
  description: string
  /** True when a model that exists can no longer change it. */
  fixed?: boolean
  /** Unit, for help texts: 'px', 's'. */
  unit?: string
}

/** One option: its default, its limits or choices, and one sentence. */
export type OptionSpec =
  | (Base<number> & { type: 'number'; min?: number; max?: number; integer?: boolean; multipleOf?: number })
  | (Base<boolean> & { type: 'boolean' })
  | (Base<string> & { type: 'string' })
  | (Base<string> & { type: 'choice'; choices: readonly string[] })

/** All options of a package or model, by name. */
export type OptionTable = Readonly<Record<string, OptionSpec>>

type ValueOf<S> = S extends { type: 'number' }
  ? number
  : S extends { type: 'boolean' }
    ? boolean
    : S extends { type: 'choice'; choices: readonly (infer C)[] }
      ? C
      : string

/** The values that an option table describes. */
export type OptionsOf<T extends OptionTable> = { [K in keyof T]: ValueOf<T[K]> }

/** Gives `table` back with its literal types kept. */
export function defineOptions<const T extends OptionTable>(table: T): T {
  return table
}

/**
 * The given values over the table's defaults.
 *
 * Values of `undefined` count as not given.
 *
 * @throws DflError `BAD_OPTION` that names every wrong value of the call at once.
 */
export function resolveOptions<T extends OptionTable>(table: T, given: Partial<OptionsOf<T>> = {}): OptionsOf<T> {
  const problems: string[] = []
  const out: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(table)) out[name] = spec.default
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    const spec = table[name]
    if (!spec) problems.push(`There is no option \`${name}\`. Known here: ${Object.keys(table).join(', ')}.`)
    else {
      const expected = violation(spec, value)
      if (expected) problems.push(`Expected ${expected} for \`${name}\`, but got ${show(value)}.`)
      else out[name] = value
    }
  }
  if (problems.length > 0) throw new DflError('BAD_OPTION', problems.join('\n'), { data: { problems } })
  return out as OptionsOf<T>
}

const show = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value))

/** What was expected, in words, if `value` breaks the rules of `spec`; otherwise nothing. */
function violation(spec: OptionSpec, value: unknown): string | undefined {
  if (spec.type === 'boolean') return typeof value === 'boolean' ? undefined : 'true or false'
  if (spec.type === 'string') return typeof value === 'string' ? undefined : 'text'
  if (spec.type === 'choice')
    return spec.choices.includes(value as string) ? undefined : `one of ${spec.choices.join(', ')}`
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, integer, multipleOf } = spec
  const ok =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    value >= min &&
    value <= max &&
    (!integer || Number.isInteger(value)) &&
    (!multipleOf || value % multipleOf === 0)
  if (ok) return undefined
  const kind = multipleOf ? `a multiple of ${multipleOf}` : integer ? 'a whole number' : 'a number'
  const unit = spec.unit ? ` ${spec.unit}` : ''
  const low = Number.isFinite(min)
  const high = Number.isFinite(max)
  if (low && high) return `${kind} between ${min} and ${max}${unit}`
  return low ? `${kind} of at least ${min}${unit}` : high ? `${kind} of at most ${max}${unit}` : kind
}
