import { availableParallelism } from 'node:os'
import { builtThread, type JobThread, jobsHere, startThread } from '@dfl/core/threads'
import { type ThreadJobs, threadJobs } from './thread-jobs.js'

/**
 * A thread for what is done with faces; this one where there is one processor only, or no file of a thread: from
 * TypeScript sources.
 */
export function faceThread(): JobThread<ThreadJobs> {
  const url = builtThread(new URL('./face-thread.js', import.meta.url))
  return url && availableParallelism() > 1
    ? startThread<ThreadJobs>(url, { name: 'dfl-faces', advice: 'Extract again.' })
    : jobsHere<ThreadJobs>(threadJobs())
}
