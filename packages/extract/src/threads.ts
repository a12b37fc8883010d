import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { DflError, receivedError } from '@dfl/core'
import type { Reply, Request } from './face-thread.js'
import { type ThreadJobs, threadJobs } from './thread-jobs.js'

/** Where jobs are done one after the other. */
export interface JobThread extends AsyncDisposable {
  /** Does a job. Its arguments are copied; the arrays in `transfer` move there and must not be used any more. */
  ask<K extends keyof ThreadJobs>(
    job: K,
    args: Parameters<ThreadJobs[K]>,
    transfer?: readonly ArrayBufferLike[],
  ): Promise<{ result: Awaited<ReturnType<ThreadJobs[K]>>; seconds: number }>
}

/**
 * A thread for jobs; this one where there is one processor only, or no file of a thread: from TypeScript sources.
 */
export function startThread(): JobThread {
  const url = new URL('./face-thread.js', import.meta.url)
  return availableParallelism() > 1 && existsSync(fileURLToPath(url)) ? threadOf(url) : thisThread()
}

function thisThread(): JobThread {
  const jobs = threadJobs()
  return {
    async ask(job, args) {
      const started = performance.now()
      const result = await (jobs[job] as (...args: unknown[]) => Promise<unknown>)(...args)
      return { result: result as never, seconds: (performance.now() - started) / 1000 }
    },
    [Symbol.asyncDispose]: () => jobs.close(),
  }
}

function threadOf(url: URL): JobThread {
  const worker = new Worker(url, { name: 'dfl-faces' })
  const open = new Map<number, { resolve(reply: never): void; reject(error: unknown): void }>()
  let id = 0
  let dead: unknown
  const failAll = (error: unknown) => {
    dead ??= error
    for (const { reject } of open.values()) reject(error)
    open.clear()
  }
  // It does not keep the process alive while nothing is asked of it.
  worker.unref()
  worker.on('message', (reply: Reply) => {
    const promise = open.get(reply.id)
    open.delete(reply.id)
    if (open.size === 0) worker.unref()
    if ('error' in reply) promise?.reject(receivedError(reply.error))
    else promise?.resolve(reply as never)
  })
  worker.on('error', (cause) => failAll(stopped(cause.message, cause)))
  worker.on('exit', (code) => failAll(stopped(`it ended with code ${code}`)))
  return {
    ask: (job, args, transfer = []) =>
      new Promise((resolve, reject) => {
        if (dead) return reject(dead)
        open.set(++id, { resolve, reject })
        worker.ref()
        worker.postMessage({ id, job, args } satisfies Request, transfer as ArrayBuffer[])
      }),
    async [Symbol.asyncDispose]() {
      worker.ref() // Or the process would end while it waits for the thread's end.
      // What is under way is let finish: whoever left early still waits for it.
      while (open.size > 0) await new Promise((resolve) => worker.once('message', resolve).once('exit', resolve))
      await worker.terminate()
    },
  }
}

function stopped(reason: string, cause?: unknown): DflError {
  return new DflError('BAD_STATE', `Expected a running thread for faces, but it stopped: ${reason}. Extract again.`, {
    cause,
  })
}
