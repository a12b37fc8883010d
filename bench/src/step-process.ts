import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What a turn of steps took. */
export interface Turn {
  /** Milliseconds of each step. */
  ms: number[]
  /** The loss before each step's update. */
  losses: number[]
  /** Most memory that the process ever held; nothing where the system does not say. */
  peakMegabytes: number | null
}

/** A process that takes train steps when it is asked to, and is idle in between. */
export interface StepProcess extends AsyncDisposable {
  readonly versions: Readonly<Record<string, string>>
  steps(count: number): Promise<Turn>
}

/** Starts a program that speaks lines of JSON, such as step-program.js and train_step.py, and waits until it is ready. */
export async function startSteps(command: string, args: readonly string[]): Promise<StepProcess> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000)
  })
  const ended = new Promise<never>((_, reject) => {
    child.on('error', reject)
    child.on('close', (code) => reject(new Error(`${command} ended with code ${code}: ${said.trim()}`)))
  })
  ended.catch(() => {}) // Where it ends when it should, nobody waits for it.
  child.stdin.on('error', () => {}) // It ended: the next answer tells.
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await Promise.race([lines.next(), ended])
    return done ? ended : JSON.parse(value)
  }
  const { versions } = await answer()
  return {
    versions,
    async steps(count) {
      child.stdin.write(`${JSON.stringify({ steps: count })}\n`)
      return answer()
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended.catch(() => {})
    },
  }
}
