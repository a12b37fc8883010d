import { DflError } from '@dfl/core'
import { builtThread, type JobThread, jobsHere, startThread } from '@dfl/core/threads'
import { type MakerSettings, type SampleJobs, type SampleMaker, sampleJobs } from './sample-maker.js'

const ADVICE = 'Make a new sampler, with `workers: 0` to work without threads.'

/** The worker's file in the built package, beside this one; undefined where only TypeScript sources are. */
export const builtWorkerUrl = (): URL | undefined => builtThread(new URL('./sample-worker.js', import.meta.url))

/** A maker that works in the calling thread. */
export const localMaker = (settings: MakerSettings): SampleMaker => makerOf([jobsHere(sampleJobs(settings))])

/** A maker that works in `count` threads of the module at `url`. */
export const workerMaker = (settings: MakerSettings, count: number, url: URL): SampleMaker =>
  makerOf(
    Array.from({ length: count }, () =>
      startThread<SampleJobs>(url, { name: 'dfl-samples', data: settings, advice: ADVICE }),
    ),
  )

/** The error of anything that is asked of a sampler after it was closed. */
export const closedError = () =>
  new DflError(
    'BAD_STATE',
    'Expected an open sampler, but got one that was closed. Make a new one with createSampler().',
  )

/** Each job is done in the thread that has the least to do. */
function makerOf(threads: readonly JobThread<SampleJobs>[]): SampleMaker {
  let closed = false
  const next = () => {
    if (closed) throw closedError()
    return threads.reduce((best, each) => (each.open < best.open ? each : best))
  }
  return {
    cut: async (job) => (await next().ask('cut', [job])).result,
    draw: async (job) => (await next().ask('draw', [job])).result,
    async [Symbol.asyncDispose]() {
      closed = true
      await Promise.all(threads.map((thread) => thread[Symbol.asyncDispose]()))
    },
  }
}
