import { DflError, isDflError } from '@dfl/core'
import { tf } from '../tf.js'

/** What went wrong while a function was recorded, in this project's words, with the op and the line that called it. */
export function explain(error: unknown): unknown {
  if (isDflError(error) || !(error instanceof Error)) return error
  const { message } = error
  if (/^Tensor is disposed|reading 'backend'/.test(message))
    return new DflError(
      'BAD_STATE',
      `Expected tensors that are still there, but got one that was disposed of${userLine(error)}. Tensors made inside a compiled function end with it: pass their values as inputs or as state.`,
      { cause: error },
    )
  const missing = /Kernel '([^']+)' not registered/.exec(message)?.[1]
  if (missing) return unsupported(`\`${missing}\``, error)
  const { ops, line } = callOf(error)
  if (!ops) return error // The function's own.
  const op = ops.at(-1)
  return new DflError(
    'BAD_SHAPE',
    `Expected tensors and arguments that ${op ? `\`tf.${op}\`` : 'TensorFlow.js'} takes, but got an error${line}: ${message.trim().replace(/\.$/, '')}. Correct what goes in there; inputs and state have the shapes that were given to \`compile\`.`,
    { cause: error, data: { op: op ?? '' } },
  )
}

/** The error for an op that no lowering is there for. */
export function unsupported(what: string, cause?: Error): DflError {
  return new DflError(
    'UNSUPPORTED_OP',
    `Expected an op that the engine covers, but got ${what}${userLine(cause)}. Write it with other ops; the covered ones stand in the engine's kernel table.`,
    { data: { op: what.replaceAll('`', '') }, ...(cause ? { cause } : {}) },
  )
}

/** Numbers that TensorFlow.js draws would be drawn once, while recording, and be the same at every call. */
export function refuseDraws(): void {
  const ops = runningOps()
  if (!ops.some((name) => /^(rand|truncatedNormal|multinomial)/.test(name))) return
  throw new DflError(
    'UNSUPPORTED_OP',
    `Expected random numbers that differ from step to step, but \`tf.${ops[0]}\` would draw them once, while recording${userLine()}. Use \`randomUniform\`, \`randomNormal\` or \`dropout\` of this package, which take a seed and a step.`,
    { data: { op: ops[0] } },
  )
}

/**
 * Lets variables made before the recording refuse new values, as optimisers of TensorFlow.js give them: they would get a
 * tensor without values, once.
 *
 * @returns What lets them take values again.
 */
export function refuseAssigning(): () => void {
  const { registeredVariables } = (tf.engine() as unknown as { state: { registeredVariables: Record<string, object> } })
    .state
  const variables = Object.entries(registeredVariables)
  for (const [name, variable] of variables)
    Object.defineProperty(variable, 'assign', {
      configurable: true,
      value: () => {
        throw new DflError(
          'UNSUPPORTED_OP',
          `Expected a function that changes nothing but what it returns, but it gave the variable \`${name}\` a new value${userLine()}. Keep it in the state: name its shape under \`state\` of the spec, and return its next value under \`state\`.`,
          { data: { op: 'assign' } },
        )
      },
    })
  return () => {
    for (const [, variable] of variables) delete (variable as { assign?: unknown }).assign
  }
}

/** What asks for a tensor's values: the method, as the stack tells, or the op that runs. */
export function reader(): string {
  const method =
    /at (?:async )?(?:Tensor|Variable|Proxy)\w*\.(dataSync|data|arraySync|array|bytesSync|bytes|bufferSync|buffer|print|toString)\b/
  const called = (new Error().stack ?? '').split('\n').flatMap((line) => method.exec(line)?.[1] ?? [])
  const op = runningOps()[0]
  return called.length > 0 ? `\`${called.at(-1)}\`` : op ? `\`tf.${op}\`` : 'it'
}

/** The ops of TensorFlow.js that are running, outermost first. */
function runningOps(): string[] {
  const { scopeStack } = (tf.engine() as unknown as { state: { scopeStack: { name: string }[] } }).state
  return scopeStack.flatMap(({ name }) => (name?.endsWith('__op') ? [name.slice(0, -'__op'.length)] : []))
}

/** ' at file:line' of the innermost frame outside TensorFlow.js and this package, as far as the stack tells. */
export const userLine = (error: Error = new Error()): string => callOf(error).line

/** Frames of TensorFlow.js and of this package. */
const INTERNAL = /[\\/](?:@tensorflow|\.cache[\\/]tfjs-[^\\/]*|(?:@dfl|packages)[\\/]engine[\\/](?:src|dist))[\\/]/

/**
 * Where the user's code called in: the line, and the ops of TensorFlow.js that ran, innermost first. No ops at all where the
 * user's code itself threw.
 */
function callOf(error: Error): { ops?: string[]; line: string } {
  let ops: string[] | undefined
  for (const frame of (error.stack ?? '').split('\n')) {
    if (!/^ +at /.test(frame) || /node:|<anonymous>\)?$/.test(frame)) continue
    if (INTERNAL.test(frame)) {
      ops = [...(ops ?? []), ...(/([A-Za-z]\w*)__op\b/.exec(frame)?.slice(1) ?? [])]
      continue
    }
    const place = /\(?((?:file:\/\/)?[^()\s]+:\d+:\d+)\)?$/.exec(frame)?.[1]
    if (place) return { ops, line: ` at ${place}` }
  }
  return { ops, line: '' }
}
