#!/usr/bin/env node
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { DflError, isDflError } from '@dfl/core'
import { inFlags, parseArguments, suggestion } from './arguments.js'
import { patientCollector } from './collector.js'
import type { Command } from './commands/command.js'
import { facesetCommand } from './commands/faceset/faceset-command.js'
import { checkCommand, evaluateCommand } from './commands/insight-commands.js'
import { demoCommand, doctorCommand, runCommand } from './commands/job-commands.js'
import { modelCommand } from './commands/model-commands.js'
import { consentCommand, verifyCommand } from './commands/provenance-commands.js'
import { extractCommand, mergeCommand } from './commands/stage-commands.js'
import { trainCommand } from './commands/train-command.js'
import { xsegCommand } from './commands/xseg-command.js'
import { exitCodeOf, INTERRUPTED, inOurWords } from './exit-codes.js'
import { commandHelp, programHelp } from './help.js'
import { createTerminal, type Streams } from './terminal.js'

const COMMANDS: readonly Command[] = [
  runCommand,
  extractCommand,
  facesetCommand,
  modelCommand,
  checkCommand,
  xsegCommand,
  trainCommand,
  mergeCommand,
  evaluateCommand,
  verifyCommand,
  consentCommand,
  demoCommand,
  doctorCommand,
]

/**
 * Runs one command line and gives the exit code: see `EXIT_CODES`. Only this file prints errors.
 *
 * @param signal  Stops the command at the next frame or iteration, with everything saved.
 */
export async function main(args: readonly string[], streams: Streams, signal?: AbortSignal): Promise<number> {
  const debug = args.includes('--debug')
  const terminal = createTerminal(streams, { json: args.includes('--json') })
  const columns = streams.stdout.columns ?? 80
  try {
    const [name, ...rest] = args
    if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
      terminal.print(programHelp(COMMANDS, { columns, version: version() }))
      return 0
    }
    if (name === '--version' || name === '-v') {
      terminal.print(`${version()}\n`)
      return 0
    }
    const [first, ...more] = name === 'help' ? (rest as [string, ...string[]]) : [name, ...rest]
    const { command, flags } = verbOf(commandNamed(first), more)
    if (name === 'help' || flags.includes('--help') || flags.includes('-h')) {
      terminal.print(commandHelp(command, { columns, all: flags.includes('all') }))
      return 0
    }
    const given = parseArguments(named(flags, command.takes), command.groups)
    const { stopped, exitCode = 0 } = await command.run(given, { terminal, signal, stdin: streams.stdin })
    if (!stopped) return exitCode
    terminal.say('Stopped. Everything is saved: the same command goes on from here.')
    return INTERRUPTED
  } catch (thrown) {
    const error = inOurWords(thrown)
    const known = isDflError(error)
    const advice = known ? '' : '\nThis was not expected. Please report it, with what --debug shows.'
    const stack = debug && error instanceof Error ? `\n${error.stack}${causes(error)}` : ''
    const exitCode = exitCodeOf(error)
    const named = COMMANDS.find((command) => command.name === args[0])
    const verb = named?.verbs?.find((one) => one.name === `${args[0]} ${args[1]}`)
    const message = inFlags(error, (verb ?? named)?.groups ?? [])
    const hint = known && error.code === 'BAD_OPTION' && named
    terminal.error(`dfl: ${message}${advice}${hint ? `\nSee: dfl ${(verb ?? named).name} --help` : ''}${stack}`, {
      code: known ? error.code : 'UNEXPECTED',
      message,
      exitCode,
      ...(debug && error instanceof Error ? { stack: error.stack } : {}),
    })
    return exitCode
  }
}

/** Puts its name before a value that may stand without. */
const named = ([first, ...rest]: readonly string[], option?: string): readonly string[] =>
  first === undefined ? [] : option && !first.startsWith('-') ? [`--${option}`, first, ...rest] : [first, ...rest]

function commandNamed(name: string): Command {
  const command = COMMANDS.find((one) => one.name === name)
  if (command) return command
  const names = COMMANDS.map((one) => one.name)
  throw new DflError(
    'BAD_OPTION',
    `Expected one of the commands ${names.join(', ')}, but got '${name}'.${suggestion(name, names, '')} See: dfl --help`,
  )
}

/** The verb of a command that has some, such as `sort` in `dfl faceset sort`, and what follows it. */
function verbOf(command: Command, rest: readonly string[]): { command: Command; flags: readonly string[] } {
  const [verb, ...flags] = rest
  if (!command.verbs || verb === undefined || verb.startsWith('-')) return { command, flags: rest }
  const found = command.verbs.find((one) => one.name === `${command.name} ${verb}`)
  if (found) return { command: found, flags }
  const names = command.verbs.map((one) => one.name.slice(command.name.length + 1))
  throw new DflError(
    'BAD_OPTION',
    `Expected one of ${names.join(', ')} after \`dfl ${command.name}\`, but got '${verb}'.${suggestion(verb, names, '')}`,
  )
}

function causes(error: Error): string {
  return error.cause instanceof Error ? `\nCaused by ${error.cause.stack}${causes(error.cause)}` : ''
}

const version = (): string => createRequire(import.meta.url)('../package.json').version

/** Two presses closer than this are one: a wrapper such as npm passes on what the terminal sent already. */
const SAME_PRESS_MS = 300

/** A signal for the first Ctrl-C; the second one ends the process at once. */
function interruptible(): AbortSignal {
  const controller = new AbortController()
  let first = 0
  const interrupt = () => {
    if (!controller.signal.aborted) {
      first = Date.now()
      controller.abort()
      process.stderr.write('\nStopping as soon as everything is saved. Press Ctrl-C again to stop at once.\n')
    } else if (Date.now() - first > SAME_PRESS_MS) process.exit(INTERRUPTED)
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt)
  return controller.signal
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  patientCollector()
  // A reader that has seen enough, such as head, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  process.exitCode = await main(process.argv.slice(2), process, interruptible())
}
