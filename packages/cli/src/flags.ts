import type { OptionSpec, OptionTable } from '@dfl/core'

/** A length of time in seconds, written as 90s, 10m or 1h30m. */
interface DurationSpec {
  type: 'duration'
  description: string
}

/** One flag of a command. */
export interface Flag {
  /** As it is typed, without the dashes: 'face-type'. */
  name: string
  /** The option it sets: 'faceType'. */
  option: string
  /** What packages call it in their messages, where that is something else. */
  calledBy?: readonly string[]
  spec: OptionSpec | DurationSpec
  /** What stands for its value in help texts: 'clip', 'file', 'n'. */
  placeholder: string
  required: boolean
  /** Takes several values, in a row or each after the flag; they come as a list. */
  repeats?: boolean
  /** Whether help texts name the default. False where the default depends on something else. */
  showDefault: boolean
}

/** Flags under one heading; their values reach the command under `key`. */
export interface FlagGroup {
  key: string
  title: string
  flags: readonly Flag[]
  /** Where the flags are explained, such as 'dfl merge --help all'; only their names are listed then. */
  toldBy?: string
  /** Only named in the usual help text, and explained by `--help all`. */
  detail?: boolean
}

interface TextFlag extends Pick<Flag, 'calledBy' | 'repeats'> {
  placeholder?: string
  required?: boolean
}

/** 'faceType' → 'face-type'. */
export const kebab = (name: string): string =>
  name.replace(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3-$2$4').toLowerCase()

/** A flag for a path or another text. */
export function textFlag(
  option: string,
  description: string,
  { placeholder = 'text', required, calledBy, repeats }: TextFlag = {},
): Flag {
  return {
    name: kebab(option),
    option,
    ...(calledBy ? { calledBy } : {}),
    ...(repeats ? { repeats } : {}),
    spec: { type: 'string', default: '', description },
    placeholder,
    required: required ?? false,
    showDefault: false,
  }
}

/** A flag for one of a few words. */
export function choiceFlag(
  option: string,
  description: string,
  { choices, required }: { choices: readonly string[]; required?: boolean },
): Flag {
  return {
    name: kebab(option),
    option,
    spec: { type: 'choice', default: '', choices, description },
    placeholder: option,
    required: required ?? false,
    showDefault: false,
  }
}

/** A flag for a length of time. */
export const durationFlag = (option: string, description: string): Flag => ({
  name: kebab(option),
  option,
  spec: { type: 'duration', description },
  placeholder: 'duration',
  required: false,
  showDefault: false,
})

/** A flag that is off unless it is given; or one that is on unless `--no-` stands before its name. */
export const switchFlag = (option: string, description: string, on = false): Flag => ({
  name: kebab(option),
  option,
  spec: { type: 'boolean', default: on, description },
  placeholder: '',
  required: false,
  showDefault: on,
})

/** A flag for a learning rate. */
export const rateFlag = (option: string, description: string): Flag => ({
  name: kebab(option),
  option,
  spec: { type: 'number', default: 0, min: 1e-8, max: 1, description },
  placeholder: 'n',
  required: false,
  showDefault: false,
})

/** A flag for a whole number of at least `min`. */
export const countFlag = (option: string, description: string, min = 1): Flag => ({
  name: kebab(option),
  option,
  spec: { type: 'number', default: min, min, integer: true, description },
  placeholder: 'n',
  required: false,
  showDefault: false,
})

/**
 * A flag for every option of a table: `faceType` becomes `--face-type`, with the table's limits and sentence.
 *
 * @param change `without`: options that get no flag; `rename`: names of flags that differ; `showDefaults`: false where
 * another table decides the defaults.
 */
export function tableFlags(
  table: OptionTable,
  change: { without?: readonly string[]; rename?: Readonly<Record<string, string>>; showDefaults?: boolean } = {},
): Flag[] {
  const { without = [], rename = {}, showDefaults = true } = change
  return Object.entries(table)
    .filter(([option]) => !without.includes(option))
    .map(([option, spec]) => ({
      name: rename[option] ?? kebab(option),
      option,
      spec,
      placeholder: placeholderOf(option, spec),
      required: false,
      showDefault: showDefaults && spec.default !== '',
    }))
}

function placeholderOf(option: string, spec: OptionSpec): string {
  if (spec.type === 'boolean') return ''
  if (spec.type === 'number') return 'n'
  return /folder/i.test(option) ? 'folder' : 'name'
}

/** Seconds of '90s', '10m', '1h30m', '90' (seconds); nothing for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s?)?$/.exec(text.trim())
  if (!match || text.trim() === '') return undefined
  const [, hours = 0, minutes = 0, seconds = 0] = match
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return total > 0 ? total : undefined
}
