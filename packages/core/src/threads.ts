import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { DflError, receivedError, type SentError, sentError } from './errors.js'

/** Work that a thread can be asked for, by name. Takes and gives what can be copied between threads. */
type Jobs<J> = { [K in keyof J & string]: (...args: never[]) => unknown }

/** A job's result, and how long it took in the thread, without the wait for its turn. */
export interface JobDone<R> {
  result: R
  seconds: number
}

/** Where jobs are done one after the other. Must be closed: what was asked before is let finish, then the thread ends. */
export interface JobThread<J extends Jobs<J>> extends AsyncDisposable {
  /** Jobs that were asked for and are not done. */
  readonly open: number
  /**
   * Does a job. Its arguments are copied; the memory in `transfer` moves there and must not be used any more.
   *
   * @throws what the job threw there, with its code and stack; DflError `BAD_STATE` when the thread has ended or is closed.
   */
  ask<K extends keyof J & string>(
    job: K,
    args: Parameters<J[K]>,
    transfer?: readonly ArrayBufferLike[],
  ): Promise<JobDone<Awaited<ReturnType<J[K]>>>>
}

/** What the asking thread sends. */
interface Request {
  id: number
  job: string
  args: unknown[]
}

/** What comes back. */
type Reply = { id: number } & (JobDone<unknown> | { error: SentError })

/** A worker thread to start. */
export interface ThreadSettings {
  /** Shown by debuggers and profilers. */
  name: string
  /** What `answerJobs` hands to the maker of the jobs there. Copied. */
  data?: unknown
  /** What to do when the thread stops by itself, as a sentence: the end of the error's message. */
  advice: string
}

/** The file of a thread, where it is there: not where only TypeScript sources are. */
export const builtThread = (url: URL): URL | undefined => (existsSync(fileURLToPath(url)) ? url : undefined)

/**
 * A worker thread that does the jobs which the module at `url` gives to `answerJobs`.
 *
 * It does not keep the process alive while nothing is asked of it.
 */
export function startThread<J extends Jobs<J>>(url: URL, { name, data, advice }: ThreadSettings): JobThread<J> {
  const worker = new Worker(url, { workerData: data, name })
  const open = new Map<number, { resolve(done: never): void; reject(error: unknown): void }>()
  let count = 0
  /** Why nothing can be asked any more. */
  let ended: DflError | undefined
  let idle = () => worker.unref()
  const stopped = (reason: string, cause?: unknown) => {
    const message = `Expected a running thread from \`${url.href}\`, but it stopped: ${reason}. ${advice}`
    ended ??= new DflError('BAD_STATE', message, { cause })
    for (const { reject } of open.values()) reject(ended)
    open.clear()
    idle()
  }
  worker.unref()
  worker.on('message', (reply: Reply) => {
    const asked = open.get(reply.id)
    open.delete(reply.id)
    if (open.size === 0) idle()
    if ('error' in reply) asked?.reject(receivedError(reply.error))
    else asked?.resolve(reply as never)
  })
  worker.on('error', (cause: Error) => stopped(cause.message, cause))
  worker.on('exit', (code) => stopped(`it ended with code ${code}`))
  return {
    get open() {
      return open.size
    },
    ask: (job, args, transfer = []) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended)
        const id = ++count
        worker.postMessage({ id, job, args } satisfies Request, transfer as ArrayBuffer[])
        open.set(id, { resolve, reject })
        worker.ref()
      }),
    async [Symbol.asyncDispose]() {
      ended ??= closedError(name)
      worker.ref() // Or the process would end while it waits for the thread's end.
      // A thread is not ended in the middle of native code, and whoever has left early still waits for the answer.
      if (open.size > 0) await new Promise<void>((resolve) => (idle = resolve))
      await worker.terminate()
    },
  }
}

/** The same without a thread: jobs are done here, one after the other. Disposable jobs are closed with it. */
export function jobsHere<J extends Jobs<J>>(jobs: J & Partial<AsyncDisposable>): JobThread<J> {
  let open = 0
  let closed = false
  let last: Promise<unknown> = Promise.resolve()
  return {
    get open() {
      return open
    },
    ask(job, args) {
      if (closed) return Promise.reject(closedError(job))
      open++
      const done = last.then(() => doJob(jobs, { job, args })).finally(() => open--)
      last = done.catch(() => {})
      return done as Promise<never>
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await last
      await jobs[Symbol.asyncDispose]?.()
    },
  }
}

/** For each job, the memory of its result that moves to the asking thread and belongs to it alone, instead of a copy. */
export type Moved<J extends Jobs<J>> = {
  [K in keyof J & string]?: (result: Awaited<ReturnType<J[K]>>) => readonly ArrayBufferLike[]
}

/**
 * Makes the module that calls it the entry of a worker thread: does what `startThread` asks for, one job after the other.
 * In the main thread nothing happens.
 *
 * @param make  The jobs, from the `data` that the thread was started with.
 */
export function answerJobs<J extends Jobs<J>, Data>(make: (data: Data) => J, moved: Moved<J> = {}): void {
  if (!parentPort) return
  const port = parentPort
  const jobs = make(workerData)
  let last: Promise<unknown> = Promise.resolve()
  const answer = async ({ id, job, args }: Request) => {
    try {
      const done = await doJob(jobs, { job, args })
      const transfer = moved[job as keyof J & string]?.(done.result as never) ?? []
      port.postMessage({ id, ...done } satisfies Reply, transfer as ArrayBuffer[])
    } catch (error) {
      port.postMessage({ id, error: sentError(error) } satisfies Reply)
    }
  }
  port.on('message', (request: Request) => {
    last = last.then(() => answer(request))
  })
}

async function doJob(jobs: object, { job, args }: Omit<Request, 'id'>): Promise<JobDone<unknown>> {
  const started = performance.now()
  const result = await (jobs as Record<string, (...args: unknown[]) => unknown>)[job]!(...args)
  return { result, seconds: (performance.now() - started) / 1000 }
}

const closedError = (name: string): DflError =>
  new DflError('BAD_STATE', `Expected an open thread for \`${name}\`, but got one that was closed. Start another.`)
