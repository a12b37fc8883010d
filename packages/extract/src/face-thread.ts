import { parentPort } from 'node:worker_threads'
import { type SentError, sentError } from '@dfl/core'
import { type ThreadJobs, threadJobs } from './thread-jobs.js'

/** What the main thread asks for. */
export interface Request {
  id: number
  job: keyof ThreadJobs
  args: unknown[]
}

/** What comes back: the result and how long it took, or the error in a form that survives the way. */
export type Reply = { id: number } & ({ result: unknown; seconds: number } | { error: SentError })

// The entry of a worker thread: answers one request after the other. Does nothing when imported elsewhere.
if (parentPort) {
  const port = parentPort
  const jobs = threadJobs()
  let last: Promise<unknown> = Promise.resolve()
  const answer = async ({ id, job, args }: Request) => {
    try {
      const started = performance.now()
      const result = await (jobs[job] as (...args: unknown[]) => Promise<unknown>)(...args)
      port.postMessage({ id, result, seconds: (performance.now() - started) / 1000 } satisfies Reply)
    } catch (error) {
      port.postMessage({ id, error: sentError(error) } satisfies Reply)
    }
  }
  port.on('message', (request: Request) => {
    last = last.then(() => answer(request))
  })
}
