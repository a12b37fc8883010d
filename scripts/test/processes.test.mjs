import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { npmCli, runQuietly } from '../processes.mjs'

let dir
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'dfl-processes-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function program(name, text) {
  const file = join(dir, name)
  writeFileSync(file, text)
  return file
}

/** Starts a process that runs `file` in the foreground, as scripts/run.mjs does, without a terminal. */
function inForeground(file, ...args) {
  return inForegroundOn(process.platform, file, ...args)
}

/** The same on a system that calls itself `platform`. */
function inForegroundOn(platform, file, ...args) {
  const module = pathToFileURL(join(import.meta.dirname, '../processes.mjs')).href
  const outer = program(
    'outer.mjs',
    `import { runProgram } from '${module}'
     Object.defineProperty(process, 'platform', { value: '${platform}' })
     process.exitCode = await runProgram(${JSON.stringify(file)}, process.argv.slice(2))`,
  )
  return spawn(process.execPath, [outer, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function ended(child) {
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  const [code, signal] = await once(child, 'close')
  return { code, signal, text }
}

test('a program gets its arguments, and its exit code is passed through', async () => {
  const file = program('args.mjs', 'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7')
  const { code, text } = await ended(inForeground(file, 'a b', '--json', '$HOME'))
  expect(code).toBe(7)
  expect(JSON.parse(text)).toEqual(['a b', '--json', '$HOME'])
})

describe.skipIf(process.platform === 'win32')('signals', () => {
  const graceful = `
    let count = 0
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
      if (++count > 1) process.exit(99)
      setTimeout(() => { console.log('finished after ' + signal); process.exit(3) }, 200)
    })
    setInterval(() => {}, 1000)
    console.log('ready')`

  test.each(['SIGINT', 'SIGTERM'])('%s reaches the program once, and its own ending is awaited', async (signal) => {
    const child = inForeground(program('graceful.mjs', graceful))
    const end = ended(child)
    await once(child.stdout, 'data')
    child.kill(signal)
    if (signal === 'SIGINT') child.kill(signal)
    expect(await end).toEqual({ code: 3, signal: null, text: `ready\nfinished after ${signal}\n` })
  })

  test('no signal is passed on where Windows would end the program by it', async () => {
    const file = program('short.mjs', "console.log('ready'); setTimeout(() => console.log('finished'), 400)")
    const child = inForegroundOn('win32', file)
    const end = ended(child)
    await once(child.stdout, 'data')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) child.kill(signal)
    expect(await end).toEqual({ code: 0, signal: null, text: 'ready\nfinished\n' })
  })

  test('a program that a signal ends gives 128 and the number of the signal', async () => {
    const file = program('killed.mjs', "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)")
    expect((await ended(inForeground(file))).code).toBe(128 + 9)
  })
})

describe('runQuietly', () => {
  test('says nothing where all went well', async () => {
    expect(await runQuietly(program('ok.mjs', "console.log('noise')"), [], { cwd: dir })).toBeUndefined()
  })

  test('gives everything that was printed where it failed', async () => {
    const file = program('bad.mjs', "console.log('one'); console.error('two'); process.exitCode = 1")
    const error = await runQuietly(file, [], { cwd: dir }).catch((reason) => reason)
    expect(error.message.split('\n').sort()).toEqual(['one', 'two'])
  })
})

describe('npmCli', () => {
  const before = { ...process.env }
  afterEach(() => {
    process.env = { ...before }
  })

  test('is the npm that started us', () => {
    process.env.npm_execpath = realpathSync(program('npm-cli.js', ''))
    expect(npmCli()).toBe(process.env.npm_execpath)
  })

  test('is the npm on the PATH where another package manager started us', () => {
    const place = join(dir, 'node_modules/npm/bin')
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'npm-cli.js'), '')
    process.env.npm_execpath = program('yarn.js', '')
    process.env.PATH = dir
    expect(basename(npmCli())).toBe('npm-cli.js')
  })
})
