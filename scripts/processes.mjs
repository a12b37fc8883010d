import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { constants } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'

/**
 * The exit code of a JavaScript program run in the foreground with this one's terminal.
 *
 * Ctrl-C in a terminal reaches the program by itself, together with this one, which only waits for it to finish; where
 * there is no terminal, SIGINT is passed on, once, as are SIGTERM and SIGHUP always. On Windows nothing is: the console
 * tells all programs in it by itself, and a signal sent from here would end the program before it has saved.
 */
export async function runProgram(file, args, cwd = process.cwd()) {
  const child = spawn(process.execPath, [file, ...args], { cwd, stdio: 'inherit' })
  const terminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)
  let interrupted = false
  const passOn = (signal) => process.platform !== 'win32' && child.kill(signal)
  const handlers = {
    SIGINT: () => {
      if (!terminal && !interrupted) passOn('SIGINT')
      interrupted = true
    },
    SIGTERM: () => passOn('SIGTERM'),
    SIGHUP: () => passOn('SIGHUP'),
  }
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler)
  try {
    return await exitCode(child)
  } finally {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler)
  }
}

/** Runs a JavaScript program without showing its output, unless it fails: then all of it is in the error. */
export async function runQuietly(file, args, { cwd, env = process.env }) {
  const child = spawn(process.execPath, [file, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = []
  child.stdout.on('data', (chunk) => output.push(chunk))
  child.stderr.on('data', (chunk) => output.push(chunk))
  const code = await exitCode(child)
  if (code !== 0) throw new Error(Buffer.concat(output).toString('utf8').trimEnd())
}

/** npm's own program file, so that it can be run with this Node on every system, without a shell. */
export function npmCli() {
  const started = process.env.npm_execpath ?? ''
  const folders = [dirname(process.execPath), ...(process.env.PATH ?? '').split(delimiter)]
  const found = [
    started,
    ...folders.map((dir) => join(dir, 'npm')), // a link to the program
    ...folders.map((dir) => join(dir, 'node_modules/npm/bin/npm-cli.js')), // where Windows has it
  ].find((file) => existsSync(file) && basename(realpathSync(file)) === 'npm-cli.js')
  if (!found)
    throw new Error('Expected npm to be installed, but found none. Install Node together with npm and try again.')
  return realpathSync(found)
}

function exitCode(child) {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]))
  })
}
