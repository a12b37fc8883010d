import { answerJobs } from '@dfl/core/threads'
import { threadJobs } from './thread-jobs.js'

// The entry of a worker thread.
answerJobs(threadJobs)
