import { DflError, isDflError, resolveOptions } from '@dfl/core'
import { readTextFile } from '@dfl/core/files'
import { type ImageFormat, type Shots, shotOf, VIDEO_OPTIONS, type VideoOptions } from '@dfl/media'
import { type MergeOptions, mergeOptions } from './merge-options.js'

/**
 * Settings for a place of the clip: from a frame on (`from`), in one shot (`shot`, counted from 1), or at a key frame (`key`).
 * Exactly one of the three is given; `note` is for people.
 */
export interface SettingsEntry extends Partial<MergeOptions> {
  from?: number
  shot?: number
  key?: number
  note?: string
}

const PLACES = ['from', 'shot', 'key'] as const

const OF_VIDEO: readonly string[] = Object.keys(VIDEO_OPTIONS)

/** The options that frames can have for themselves; the others are of the result as a whole. */
const FRAME_OPTIONS: readonly string[] = Object.keys(mergeOptions).filter(
  (name) => !OF_VIDEO.includes(name) && name !== 'format',
)

const picked = (options: MergeOptions, names: readonly string[]) =>
  Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)))

/** How the result is written: as a video, or as images. */
export const encodingOf = (options: MergeOptions): { video: Partial<VideoOptions>; format: ImageFormat | 'same' } => ({
  video: picked(options, OF_VIDEO),
  format: options.format as ImageFormat | 'same',
})

/** How faces are put back, without how the result is written. */
export const settingsOfFaces = (options: MergeOptions): Partial<MergeOptions> => picked(options, FRAME_OPTIONS)

/**
 * The settings in a file: `{ "format": 1, "settings": [{ "from": 120, "erode": 5 }, …] }`, as `settingsOf` takes them.
 *
 * @throws DflError `NO_SUCH_FILE`; `BAD_OPTION` that names every wrong entry and option at once.
 */
export async function readSettings(path: string): Promise<SettingsEntry[]> {
  const text = await readTextFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT' && cause.code !== 'EISDIR') throw cause
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a file of settings at \`${path}\`, but there is none. Check the path.`,
      { data: { path }, cause },
    )
  })
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch (cause) {
    const { message } = cause as Error
    const hint = message.includes("token '/'") ? ' JSON has no comments: write a "note" into an entry.' : ''
    throw bad(path, [`Expected JSON, but got '${message}'${lineOf(text, message)}.${hint}`])
  }
  const { format, settings } = (given ?? {}) as { format?: unknown; settings?: unknown }
  if (format !== 1 || !Array.isArray(settings))
    throw bad(path, ['Expected { "format": 1, "settings": [ … ] }, but got something else.'])
  const problems = settings.flatMap((entry: unknown, i) => problemsOf(entry, i))
  if (problems.length > 0) throw bad(path, problems)
  return settings as SettingsEntry[]
}

/**
 * The options of each frame, by its index.
 *
 * The options of the whole clip come first. What is set from a frame on is valid until another such entry changes it, as in
 * DFL. What a shot sets is valid in that shot only. Key frames stand above both: between two of them in one shot a number
 * goes evenly from one to the other; before the first and after the last it stays.
 *
 * @param clip `options`: of the whole clip.
 * @throws DflError `BAD_OPTION` that names every wrong entry, and those beyond the clip's last frame or shot.
 */
export function settingsOf(
  entries: readonly SettingsEntry[],
  { shots, options }: { shots: Shots; options: MergeOptions },
): (frame: number) => MergeOptions {
  if (entries.length === 0) return () => options
  const problems = entries.flatMap((entry, i) => [...problemsOf(entry, i), ...beyond(entry, shots)])
  problems.push(...twice(entries))
  if (problems.length > 0) throw bad('settings', problems)
  const carried = entries.filter(({ from }) => from !== undefined).sort((a, b) => a.from! - b.from!)
  const ofShots = grouped(entries, ({ shot }) => shot)
  const keysOfShots = grouped(
    entries.filter(({ key }) => key !== undefined),
    ({ key }) => shotOf(shots, key!),
  )
  let last: { key: string; options: MergeOptions } | undefined
  return (frame) => {
    const shot = shotOf(shots, frame)
    const found: Record<string, unknown> = { ...options }
    for (const entry of carried) if (entry.from! <= frame) Object.assign(found, valuesOf(entry))
    for (const entry of ofShots.get(shot) ?? []) Object.assign(found, valuesOf(entry))
    for (const [name, value] of between(keysOfShots.get(shot) ?? [], frame)) found[name] = value
    // The same object while nothing changes, so that stages need not be made anew.
    const key = JSON.stringify(found)
    if (last?.key !== key) last = { key, options: found as MergeOptions }
    return last.options
  }
}

/** The numbers that key frames of a shot give a frame of it. */
function between(keys: readonly SettingsEntry[], frame: number): Map<string, number> {
  const out = new Map<string, number>()
  const names = new Set(keys.flatMap((entry) => Object.keys(valuesOf(entry))))
  for (const name of names) {
    const points = keys
      .filter((entry) => name in entry)
      .map((entry) => ({ at: entry.key!, value: (entry as Record<string, unknown>)[name] as number }))
      .sort((a, b) => a.at - b.at)
    const after = points.findIndex(({ at }) => at >= frame)
    const [a, b] = [points[after < 0 ? points.length - 1 : Math.max(0, after - 1)]!, points[after]]
    if (!b || b.at <= frame || a.at >= frame) out.set(name, (b && b.at <= frame ? b : a).value)
    else {
      const value = a.value + ((b.value - a.value) * (frame - a.at)) / (b.at - a.at)
      const spec = mergeOptions[name as keyof typeof mergeOptions]
      out.set(name, 'integer' in spec && spec.integer ? Math.round(value) : value)
    }
  }
  return out
}

/** The options of an entry, without its place. */
function valuesOf({ from: _, shot: __, key: ___, note: ____, ...values }: SettingsEntry): Partial<MergeOptions> {
  return values
}

/** 'shot 3', 'key frame 310', 'frame 120 on'. */
function placeOf({ from, shot, key }: SettingsEntry): string {
  if (shot !== undefined) return `shot ${shot}`
  return key !== undefined ? `key frame ${key}` : `frame ${from} on`
}

/** What is wrong with one entry, each as a sentence that names the place and the option. */
function problemsOf(entry: unknown, index: number): string[] {
  const nth = `entry ${index + 1}`
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    return [`Expected { "from" or "shot" or "key": …, options } for ${nth}, but got ${JSON.stringify(entry)}.`]
  const given = entry as SettingsEntry
  const places = PLACES.filter((place) => given[place] !== undefined)
  if (places.length !== 1)
    return [
      `Expected one of "from", "shot" and "key" for ${nth}, but got ${places.length === 0 ? 'none' : places.join(' and ')}.`,
    ]
  const place = places[0]!
  const least = place === 'shot' ? 1 : 0
  const at: unknown = given[place]
  if (!Number.isInteger(at) || (at as number) < least)
    return [`Expected a whole number of at least ${least} for "${place}" of ${nth}, but got ${JSON.stringify(at)}.`]
  return Object.entries(valuesOf(given)).flatMap(([name, value]) => problemOf(name, value, given))
}

function problemOf(name: string, value: unknown, entry: SettingsEntry): string[] {
  const where = `\`${name}\` of ${placeOf(entry)}`
  const spec = mergeOptions[name as keyof typeof mergeOptions]
  if (!spec || !FRAME_OPTIONS.includes(name)) {
    const why = spec ? 'it is of the result as a whole' : 'there is no such option'
    return [`Expected one of ${FRAME_OPTIONS.join(', ')}, but got ${where}: ${why}.`]
  }
  if (entry.key !== undefined && spec.type !== 'number')
    return [`Expected a number at a key frame, but got ${where}. Set it with "from" or "shot".`]
  try {
    resolveOptions({ [name]: spec }, { [name]: value } as never)
    return []
  } catch (error) {
    if (!isDflError(error, 'BAD_OPTION')) throw error
    return [error.message.replace(`\`${name}\``, where)]
  }
}

/** Places that the clip does not have. */
function beyond(entry: SettingsEntry, { starts, frames }: Shots): string[] {
  const frame = entry.from ?? entry.key
  if (frame !== undefined && frame >= frames)
    return [`Expected a frame below ${frames}, but got ${placeOf(entry)}. The clip ends there.`]
  if (entry.shot !== undefined && entry.shot > starts.length)
    return [`Expected a shot from 1 to ${starts.length}, but got ${placeOf(entry)}. The clip has no more.`]
  return []
}

/** Options that are set twice for one place. */
function twice(entries: readonly SettingsEntry[]): string[] {
  const seen = new Set<string>()
  return entries.flatMap((entry) =>
    Object.keys(valuesOf(entry)).flatMap((name) => {
      const where = `\`${name}\` of ${placeOf(entry)}`
      if (seen.has(where)) return [`Expected ${where} once, but got it twice.`]
      seen.add(where)
      return []
    }),
  )
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const out = new Map<K, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = out.get(key)
    if (group) group.push(item)
    else out.set(key, [item])
  }
  return out
}

/** ', in line 4' where a parser's message tells a position. */
function lineOf(text: string, message: string): string {
  const position = /position (\d+)/.exec(message)?.[1]
  if (position === undefined || /line \d/.test(message)) return ''
  return `, in line ${text.slice(0, Number(position)).split('\n').length}`
}

const bad = (path: string, problems: readonly string[]) =>
  new DflError('BAD_OPTION', `${problems.join('\n')}\nChange this in \`${path}\`.`, { data: { file: path, problems } })
