import { answerJobs } from '@dfl/core/threads'
import type { SideBatch } from './draw-sample.js'
import { sampleJobs } from './sample-maker.js'

const memoryOf = (side: SideBatch) => (Object.values(side) as Float32Array[]).map(({ buffer }) => buffer)

// The entry of a worker thread. The arrays of a batch move to the asking thread: nothing is copied.
answerJobs(sampleJobs, { draw: ({ src, dst }) => [...memoryOf(src), ...memoryOf(dst)] })
