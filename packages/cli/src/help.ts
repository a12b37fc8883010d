import { limitsOf } from './arguments.js'
import { EXIT_CODES } from './exit-codes.js'
import type { Flag, FlagGroup } from './flags.js'

/** What help texts need to know of a command. */
export interface Described {
  name: string
  /** One line for the list of commands. */
  summary: string
  /** What follows the name in the usage line. */
  usage: string
  /** Sentences, each a paragraph. */
  about: readonly string[]
  groups: readonly FlagGroup[]
  /** Words that an option takes, with what each means. */
  words?: { title: string; list: readonly (readonly [word: string, meaning: string])[] }
  /** Command lines and what they do. */
  examples: readonly (readonly [line: string, meaning: string])[]
  /** Commands in it that are chosen by a second word; their names begin with its own. */
  verbs?: readonly Described[]
}

/** The help text of the whole program. */
export function programHelp(commands: readonly Described[], { columns = 80, version = '' } = {}): string {
  return [
    `dfl ${version} – face replacement for film, VFX and research`.replace('  ', ' '),
    '',
    'Usage: dfl <command> [options]',
    '',
    'Commands',
    ...list(
      commands.map(({ name, summary }) => [name, summary] as const),
      columns,
    ),
    '',
    'The short way',
    '  dfl run --src a.mp4 --dst b.mp4 --out c.mp4 --time 10m',
    '',
    'The same step by step; each can be repeated, and goes on where it was stopped',
    '  dfl extract --side src --input a.mp4',
    '  dfl extract --side dst --input b.mp4',
    '  dfl train --time 10m',
    '  dfl merge --input b.mp4 --out c.mp4',
    '',
    'Exit codes',
    ...EXIT_CODES.flatMap(([code, meaning]) => entry(`  ${String(code).padStart(3)}`, meaning, 7, columns)),
    '',
    'dfl <command> --help tells the options of a command; --help all, rare ones too.',
    '',
  ].join('\n')
}

/** The help text of one command. With `all`, options that are rarely needed are explained too, not only named. */
export function commandHelp(command: Described, { columns = 80, all = false } = {}): string {
  const { name, summary, usage, about, groups, words, examples, verbs = [] } = command
  const more = `dfl ${name} --help all`
  const told = groups.map((group) => (group.detail && !all ? { toldBy: more, ...group } : group))
  const labels = told.flatMap(({ flags, toldBy }) => (toldBy ? [] : flags.map(labelOf)))
  const indent = Math.min(32, Math.max(...labels.map((label) => label.length)) + 4)
  return [
    `dfl ${name} – ${summary}`,
    '',
    ...wrap(`Usage: dfl ${name} ${usage}`, columns, 7 + `dfl ${name} `.length),
    ...about.flatMap((text) => ['', ...wrap(text, columns)]),
    ...(verbs.length === 0
      ? []
      : [
          '',
          'Verbs',
          ...list(
            verbs.map((verb) => [verb.name.slice(name.length + 1), verb.summary] as const),
            columns,
          ),
        ]),
    ...(words ? ['', words.title, ...list(words.list, columns)] : []),
    ...told.flatMap(({ title, flags, toldBy }, i) => {
      if (flags.length === 0) return []
      if (!toldBy) {
        const known = new Set(words?.list.map(([word]) => word))
        return [
          '',
          title,
          ...flags.flatMap((flag) => entry(`  ${labelOf(flag)}`, sentenceOf(flag, known), indent, columns)),
        ]
      }
      const names = flags.map((flag) => labelOf(flag).split(' ')[0]).join(' ')
      const isFirst = told[i - 1]?.toldBy !== toldBy
      return [
        ...(isFirst ? ['', `More options, explained by ${toldBy}`] : []),
        ...wrap(`  ${title.split(/[,;]/)[0]}: ${names}`, columns, 4),
      ]
    }),
    '',
    examples.length === 1 ? 'Example' : 'Examples',
    ...examples.flatMap(([line, meaning]) => [`  ${line}`, ...wrap(`      ${meaning}`, columns, 6)]),
    '',
  ].join('\n')
}

/** Words, and beside each what it means. */
function list(words: readonly (readonly [word: string, meaning: string])[], columns: number): string[] {
  const width = Math.max(...words.map(([word]) => word.length))
  return words.flatMap(([word, meaning]) => entry(`  ${word.padEnd(width)}`, meaning, width + 4, columns))
}

function labelOf({ name, placeholder, spec }: Flag): string {
  if (spec.type === 'boolean' && spec.default) return `--[no-]${name}`
  return placeholder ? `--${name} <${placeholder}>` : `--${name}`
}

/** The option's sentence, then what it takes and what it is without. Choices that were told before are not told again. */
function sentenceOf({ spec, showDefault, required }: Flag, known: ReadonlySet<string>): string {
  const notes: string[] = []
  if (spec.type === 'choice' && !spec.choices.every((choice) => known.has(choice))) notes.push(spec.choices.join(' | '))
  if (spec.type === 'number' && !(spec.integer && spec.min === 1 && spec.max === undefined))
    notes.push(shortLimits(limitsOf(spec)))
  if (required) notes.push('required')
  if (showDefault && 'default' in spec && spec.default !== false)
    notes.push(`default ${spec.default === true ? 'on' : spec.default}`)
  const kept = notes.filter((note) => note !== '')
  return kept.length > 0 ? `${spec.description} (${kept.join('; ')})` : spec.description
}

const shortLimits = (text: string) =>
  text
    .replace(/^a (whole )?number ?/, '')
    .replace(/^of at (least|most)/, 'at $1')
    .replace(/^between (\S+) and /, '$1 to ')

/** A label, and its text beside it, or below it where the label is long. */
function entry(label: string, text: string, indent: number, columns: number): string[] {
  const lines = wrap(`${' '.repeat(indent)}${text}`, columns, indent)
  if (label.length + 2 > indent) return [label, ...lines]
  return [label + lines[0]!.slice(label.length), ...lines.slice(1)]
}

/** Lines of at most `columns` characters; those after the first are indented. */
function wrap(text: string, columns: number, indent = 0): string[] {
  const width = Math.min(Math.max(columns, 40), 100)
  const start = /^ */.exec(text)![0]
  const lines: string[] = []
  let line = start
  for (const word of text.trim().split(/\s+/)) {
    const empty = line.trim() === ''
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ' '.repeat(indent) + word
    } else line += empty ? word : ` ${word}`
  }
  return [...lines, line]
}
