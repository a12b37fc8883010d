import type { FacesetProgress } from '@dfl/faceset'
import { counted, sayDuration } from '../../events.js'
import type { CommandContext } from '../command.js'

/** How an operation ended. */
export type Ended<T> = { stopped: true } | { stopped: false; value: T }

/**
 * Walks an operation on faces to its end, showing how far it is, or until the user stops it.
 *
 * @param text What it does, for people.
 */
export async function followFaces<T>(
  operation: AsyncGenerator<FacesetProgress, T>,
  { terminal, signal }: CommandContext,
  text: string,
): Promise<Ended<T>> {
  const stage = 'faceset' as const
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  terminal.report({ event: 'stage', stage, state: 'started', text })
  for (;;) {
    const next = await operation.next()
    if (next.done) {
      terminal.report({
        event: 'stage',
        stage,
        state: 'finished',
        seconds: seconds(),
        text: `${text}: ${sayDuration(seconds())}`,
      })
      return { stopped: false, value: next.value }
    }
    const { done, total } = next.value
    terminal.report(counted({ done, total, began }, { stage, unit: 'faces' }))
    if (signal?.aborted) {
      await operation.return(undefined as T)
      terminal.report({ event: 'stage', stage, state: 'stopped', seconds: seconds(), text: `${text}: stopped` })
      return { stopped: true }
    }
  }
}
