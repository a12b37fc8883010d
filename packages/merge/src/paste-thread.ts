import { answerJobs } from '@dfl/core/threads'
import { type PasteJobs, pasteJobs } from './paste-jobs.js'

// The entry of a worker thread.
answerJobs<PasteJobs, undefined>(pasteJobs)
