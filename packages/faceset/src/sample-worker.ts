import { parentPort, workerData } from 'node:worker_threads'
import { type SentError, sentError } from '@dfl/core'
import { type BatchJob, type CutJob, type MakerSettings, runCut, runDraw } from './sample-maker.js'

/** What the main thread asks for. */
export type Request = { id: number } & ({ cut: CutJob } | { draw: BatchJob })

/** What comes back: the result, or the error in a form that survives the way. */
export type Reply = { id: number } & ({ result: unknown } | { error: SentError })

// The entry of a worker thread: answers one request after the other. Does nothing when imported elsewhere.
parentPort?.on('message', (request: Request) => {
  const settings: MakerSettings = workerData
  const { id } = request
  try {
    if ('cut' in request) parentPort?.postMessage({ id, result: runCut(request.cut, settings) })
    else {
      const result = runDraw(request.draw, settings)
      const arrays = [result.src, result.dst].flatMap((side) => Object.values(side) as Float32Array<ArrayBuffer>[])
      // The arrays move to the other thread: nothing is copied, and they belong to the caller alone.
      parentPort?.postMessage(
        { id, result },
        arrays.map((array) => array.buffer),
      )
    }
  } catch (error) {
    parentPort?.postMessage({ id, error: sentError(error) })
  }
})
