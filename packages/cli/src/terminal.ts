import { createInterface } from 'node:readline/promises'
import { clock, type ProgressEvent, STAGE_TITLES, type StageReport } from './events.js'

/** What the program writes to: a process's own streams, or a test's. */
export interface Output {
  write(text: string): unknown
  isTTY?: boolean
  columns?: number
}

export interface Streams {
  stdout: Output
  stderr: Output
  /** Where answers come from; nobody is asked without it. */
  stdin?: NodeJS.ReadableStream & { isTTY?: boolean }
}

/** Shows people, or with `json` programs, what happens. */
export interface Terminal {
  /** A report of a stage. */
  report(report: StageReport): void
  /** A line for people that is no result: stderr. */
  say(text: string): void
  /** The result: text for people on stdout, or with `json` one line `{ "event": …, … }` there. */
  result(text: string, data: Readonly<Record<string, unknown>>): void
  /** What the user answers, without spaces around it; nothing where nobody can be asked. */
  ask(question: string, signal?: AbortSignal): Promise<string | undefined>
  /** Text that was asked for, such as help: stdout. */
  print(text: string): void
  /** An error's sentence on stderr, and with `json` as a line on stdout too. */
  error(text: string, data: Readonly<Record<string, unknown>>): void
}

/** How often a status line changes on a terminal, elsewhere, and as a line of JSON. */
const REDRAW_MS = 100
const LINE_MS = 5000
const JSON_MS = 1000

/**
 * The program's face. On a terminal a progress line is redrawn in place; elsewhere a plain line comes every few seconds.
 *
 * @param options  `json`: machine-readable lines on stdout; everything for people goes to stderr either way, but results.
 */
export function createTerminal({ stdout, stderr, stdin }: Streams, { json = false } = {}): Terminal {
  const interactive = stderr.isTTY === true
  let drawn = false
  let lastDrawn = Number.NEGATIVE_INFINITY
  let lastJson = Number.NEGATIVE_INFINITY
  let pending: ProgressEvent | undefined

  const clear = () => {
    if (drawn) stderr.write('\r\x1b[2K')
    drawn = false
  }
  const say = (text: string) => {
    clear()
    stderr.write(`${harmless(text)}\n`)
  }
  const writeJson = (data: object) => stdout.write(`${JSON.stringify(data)}\n`)
  const draw = (event: ProgressEvent) => {
    lastDrawn = performance.now()
    if (!interactive) return say(progressLine(event, 0))
    clear()
    stderr.write(harmless(progressLine(event, (stderr.columns ?? 80) - 1)))
    drawn = true
  }
  const progress = (event: ProgressEvent) => {
    const now = performance.now()
    pending = event
    if (now - lastDrawn >= (interactive ? REDRAW_MS : LINE_MS)) draw(event)
    if (json && now - lastJson >= JSON_MS) {
      lastJson = now
      writeJson(machineForm(event))
    }
  }
  /** A stage's last numbers, before something else is said. */
  const settle = () => {
    if (pending && json) writeJson(machineForm(pending))
    pending = undefined
    lastDrawn = Number.NEGATIVE_INFINITY
    lastJson = Number.NEGATIVE_INFINITY
  }

  return {
    report(report) {
      if (report.event === 'progress') return progress(report)
      if (report.event === 'stage') {
        settle()
        say(`${MARKS[report.state]} ${STAGE_TITLES[report.stage].padEnd(12)} ${report.text}`)
        if (!interactive && report.state === 'started') lastDrawn = performance.now() - LINE_MS / 2
      } else if (report.event === 'warning') say(`! ${report.text}`)
      else if (report.event === 'notice') say(`  ${report.text}`)
      else if (!interactive) say(`  preview      ${report.path}`)
      if (json) writeJson(report)
    },
    say,
    result(text, data) {
      settle()
      clear()
      if (json) {
        if (text) stderr.write(`${harmless(text)}\n`)
        writeJson(data)
      } else if (text) stdout.write(`${harmless(text)}\n`)
    },
    async ask(question, signal) {
      if (json || !interactive || stdin?.isTTY !== true) return undefined
      clear()
      const lines = createInterface({ input: stdin, terminal: false })
      stderr.write(question)
      const line = await lines.question('', { ...(signal ? { signal } : {}) }).finally(() => lines.close())
      return line.trim()
    },
    print(text) {
      clear()
      stdout.write(harmless(text))
    },
    error(text, data) {
      clear()
      stderr.write(`${harmless(text)}\n`)
      if (json) writeJson({ event: 'error', ...data })
    },
  }
}

/** Text without what terminals take for orders: names in files, and of files, may hold anything. */
const harmless = (text: string) => text.replace(/[^\P{Cc}\n\t]/gu, '\ufffd')

const MARKS = { started: '>', finished: '+', skipped: '=', stopped: '-' } as const

const machineForm = ({ note: _, detail, ...event }: ProgressEvent) => ({ ...event, ...detail })

/** '  ━━━━━───── 412/900 frames  46 %  12.3/s  0:40 left  405 with a face', cut to `columns` unless that is 0. */
function progressLine(event: ProgressEvent, columns: number): string {
  const { unit, done, total, share, perSecond, secondsLeft, note } = event
  const count = total === undefined ? `${done} ${unit}` : `${done}/${total} ${unit}`
  const parts = [
    count,
    share === undefined ? '' : `${Math.floor(100 * share)} %`,
    unit === 'frames' ? `${perSecond.toFixed(1)}/s` : '',
    note,
    secondsLeft === undefined ? '' : `${clock(secondsLeft)} left`,
  ]
  const text = parts.filter((part) => part !== '').join('  ')
  if (columns === 0) return `  ${STAGE_TITLES[event.stage].padEnd(12)} ${text}`
  const room = columns - text.length - 4
  const bar = share === undefined || room < 10 ? '' : `${progressBar(share, Math.min(24, room))}  `
  return `  ${bar}${text}`.slice(0, Math.max(20, columns))
}

const progressBar = (share: number, width: number) => {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return '━'.repeat(full) + '─'.repeat(width - full)
}
