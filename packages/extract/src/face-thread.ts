import { answerJobs } from '@dfl/core/threads'
import { threadJobs } from './thread-jobs.js'

// The entry of a worker thread. Files of faces move to whoever asked, unless they share their memory with others.
answerJobs(threadJobs, {
  cut: ({ image, mask }) =>
    [image, mask?.data].flatMap((array) =>
      array && array.byteLength === array.buffer.byteLength ? [array.buffer] : [],
    ),
})
