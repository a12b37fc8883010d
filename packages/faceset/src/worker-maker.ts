import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { DflError, receivedError } from '@dfl/core'
import type { MakerSettings, SampleMaker } from './sample-maker.js'
import type { Reply, Request } from './sample-worker.js'

/** The worker's file in the built package, beside this one; undefined where only TypeScript sources are. */
export function builtWorkerUrl(): URL | undefined {
  const url = new URL('./sample-worker.js', import.meta.url)
  return existsSync(fileURLToPath(url)) ? url : undefined
}

/** Takes the id from each member of the union. */
type Task = Request extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never

/**
 * A maker that works in `count` threads, each request in the one that has the least to do.
 *
 * The threads do not keep the process alive while nothing is asked of them.
 */
export function workerMaker(settings: MakerSettings, count: number, url: URL): SampleMaker {
  let id = 0
  let closed = false
  const threads = Array.from({ length: count }, () => startThread(url, settings))
  const ask = (task: Task, transfer: ArrayBuffer[] = []): Promise<unknown> => {
    if (closed) throw closedError()
    const thread = threads.reduce((best, each) => (each.open.size < best.open.size ? each : best))
    return thread.ask({ id: id++, ...task } as Request, transfer)
  }
  return {
    cut: async (job) => (await ask({ cut: job })) as SharedArrayBuffer,
    draw: async (job) => (await ask({ draw: job })) as Awaited<ReturnType<SampleMaker['draw']>>,
    async [Symbol.asyncDispose]() {
      closed = true
      await Promise.all(threads.map((thread) => thread.stop()))
    },
  }
}

/** The error of anything that is asked of a sampler after it was closed. */
export const closedError = () =>
  new DflError(
    'BAD_STATE',
    'Expected an open sampler, but got one that was closed. Make a new one with createSampler().',
  )

function startThread(url: URL, settings: MakerSettings) {
  const worker = new Worker(url, { workerData: settings, name: 'dfl-samples' })
  const open = new Map<number, { resolve(result: unknown): void; reject(error: unknown): void }>()
  let dead: unknown
  const failAll = (error: unknown) => {
    dead ??= error
    for (const { reject } of open.values()) reject(error)
    open.clear()
    worker.unref()
  }
  worker.unref()
  worker.on('message', (reply: Reply) => {
    const promise = open.get(reply.id)
    open.delete(reply.id)
    if (open.size === 0) worker.unref()
    if ('error' in reply) promise?.reject(receivedError(reply.error))
    else promise?.resolve(reply.result)
  })
  worker.on('error', (cause) =>
    failAll(
      new DflError(
        'BAD_STATE',
        `Expected a running sample worker from \`${url.href}\`, but it stopped: ${cause.message}. ` +
          'Make a new sampler, with `workers: 0` to work without threads.',
        { cause },
      ),
    ),
  )
  worker.on('exit', () => failAll(closedError()))
  return {
    open,
    ask: (request: Request, transfer: ArrayBuffer[]) =>
      new Promise<unknown>((resolve, reject) => {
        if (dead) {
          reject(dead)
          return
        }
        open.set(request.id, { resolve, reject })
        worker.ref()
        worker.postMessage(request, transfer)
      }),
    stop: () => {
      worker.ref() // Or the process would end while it waits for the thread's end.
      return worker.terminate()
    },
  }
}
