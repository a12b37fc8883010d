import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type JobThread, jobsHere, startThread } from '../src/threads.js'

/** The thread's module. It runs in Node itself, so it is made into one JavaScript file first. */
const MODULE = `
import { setTimeout as sleep } from 'node:timers/promises'
import { DflError } from ${JSON.stringify(fileURLToPath(new URL('../src/index.ts', import.meta.url)))}
import { answerJobs } from ${JSON.stringify(fileURLToPath(new URL('../src/threads.ts', import.meta.url)))}

const log = []
answerJobs((data) => ({
  add: (a, b) => a + b + data.more,
  sum: (numbers) => numbers.reduce((a, b) => a + b),
  ones: (count) => new Float32Array(count).fill(1),
  slowly: async (word, ms) => {
    log.push('begin ' + word)
    await sleep(ms)
    log.push('end ' + word)
    return [...log]
  },
  fail: () => {
    throw new DflError('BAD_SHAPE', 'Expected a square.', { data: { path: 'a.png' } })
  },
  secret: () => () => 0,
  die: () => process.exit(3),
  crash: () => new Promise(() => setTimeout(() => { throw new Error('out of memory') })),
}), { ones: (array) => [array.buffer] })
`

interface Jobs {
  add(a: number, b: number): number
  sum(numbers: Float32Array): number
  ones(count: number): Float32Array
  slowly(word: string, ms: number): Promise<string[]>
  fail(): void
  secret(): unknown
  die(): void
  crash(): void
}

let folder: string
let url: URL

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfl-threads-'))
  const entry = join(folder, 'entry.ts')
  await writeFile(entry, MODULE)
  await build({
    ...{ entryPoints: [entry], outfile: join(folder, 'entry.mjs'), bundle: true },
    ...{ platform: 'node', format: 'esm', target: 'node20' },
  })
  url = pathToFileURL(join(folder, 'entry.mjs'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const start = (): JobThread<Jobs> =>
  startThread<Jobs>(url, { name: 'test', data: { more: 100 }, advice: 'Start again.' })

describe('a thread', () => {
  it('gives the result of each job to the one who asked for it, and says how long it took there', async () => {
    await using thread = start()
    const [first, second] = await Promise.all([thread.ask('add', [1, 2]), thread.ask('add', [3, 4])])
    expect([first.result, second.result]).toEqual([103, 107])
    expect(first.seconds).toBeGreaterThanOrEqual(0)
    expect(thread.open).toBe(0)
  })

  it('does one job after the other', async () => {
    await using thread = start()
    const both = Promise.all([thread.ask('slowly', ['a', 20]), thread.ask('slowly', ['b', 0])])
    expect(thread.open).toBe(2)
    expect((await both)[1].result).toEqual(['begin a', 'end a', 'begin b', 'end b'])
  })

  it('takes the memory that is moved to it, and moves results back', async () => {
    await using thread = start()
    const numbers = Float32Array.of(1, 2, 3)
    expect((await thread.ask('sum', [numbers], [numbers.buffer])).result).toBe(6)
    expect(numbers.length).toBe(0)
    expect((await thread.ask('ones', [3])).result).toEqual(Float32Array.of(1, 1, 1))
  })

  it('passes an error on with its code and goes on', async () => {
    await using thread = start()
    await expect(thread.ask('fail', [])).rejects.toMatchObject({
      ...{ name: 'DflError', code: 'BAD_SHAPE', message: 'Expected a square.', data: { path: 'a.png' } },
    })
    await expect(thread.ask('secret', [])).rejects.toThrow(/could not be cloned/)
    expect((await thread.ask('add', [1, 1])).result).toBe(102)
  })

  it('refuses arguments that cannot be copied, and goes on', async () => {
    await using thread = start()
    await expect(thread.ask('add', [1, (() => 2) as never])).rejects.toThrow(/could not be cloned/)
    expect(thread.open).toBe(0)
    expect((await thread.ask('add', [1, 1])).result).toBe(102)
  })

  it.each([
    ['die', 'it ended with code 3'],
    ['crash', 'out of memory'],
  ] as const)('that stops by itself fails what is under way and all that follows: %s', async (job, reason) => {
    await using thread = start()
    const text = `Expected a running thread from \`${url.href}\`, but it stopped: ${reason}. Start again.`
    const waiting = thread.ask('add', [1, 1])
    const died = thread.ask(job, [])
    const behind = thread.ask('slowly', ['never', 0])
    behind.catch(() => {})
    expect((await waiting).result).toBe(102)
    await expect(died).rejects.toMatchObject({ code: 'BAD_STATE', message: text })
    await expect(behind).rejects.toThrow(text)
    await expect(thread.ask('add', [1, 1])).rejects.toThrow(text)
  })

  it('says so when its module cannot be run', async () => {
    const nowhere = new URL('./nowhere.mjs', url)
    await using thread = startThread<Jobs>(nowhere, { name: 'test', advice: 'Build it.' })
    await expect(thread.ask('add', [1, 1])).rejects.toThrow(
      /^Expected a running thread from `file:\/\/.*nowhere\.mjs`, but it stopped: Cannot find module .* Build it\.$/s,
    )
  })

  it('finishes what was asked before it is closed, and refuses what comes then', async () => {
    const thread = start()
    const underWay = thread.ask('slowly', ['a', 20])
    const closed = thread[Symbol.asyncDispose]()
    await expect(thread.ask('add', [1, 1])).rejects.toMatchObject({
      code: 'BAD_STATE',
      message: 'Expected an open thread for `test`, but got one that was closed. Start another.',
    })
    await closed
    expect((await underWay).result).toEqual(['begin a', 'end a'])
  })

  it('that dies while it is being closed does not hold up the closing', async () => {
    const thread = start()
    const died = thread.ask('die', []).catch((error) => error)
    await thread[Symbol.asyncDispose]()
    expect(await died).toMatchObject({ code: 'BAD_STATE' })
  })
})

describe('jobs without a thread', () => {
  it('are done one after the other, whether they succeed or not, and closed at the end', async () => {
    const log: string[] = []
    const thread = jobsHere({
      async slowly(word: string) {
        log.push(`begin ${word}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
        log.push(`end ${word}`)
        return word
      },
      fail() {
        throw new RangeError('too far')
      },
      async [Symbol.asyncDispose]() {
        log.push('closed')
      },
    })
    const [first, failed, last] = await Promise.allSettled([
      thread.ask('slowly', ['a']),
      thread.ask('fail', []),
      thread.ask('slowly', ['b']),
    ])
    expect(first).toMatchObject({ value: { result: 'a' } })
    expect(failed).toMatchObject({ reason: { name: 'RangeError', message: 'too far' } })
    expect(last).toMatchObject({ value: { result: 'b' } })
    expect(thread.open).toBe(0)
    await thread[Symbol.asyncDispose]()
    expect(log).toEqual(['begin a', 'end a', 'begin b', 'end b', 'closed'])
    await expect(thread.ask('slowly', ['c'])).rejects.toThrow(
      'Expected an open thread for `slowly`, but got one that was closed. Start another.',
    )
  })
})
