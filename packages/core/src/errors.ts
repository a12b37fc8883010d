/** What went wrong, for programs. The message tells people. */
export type DflErrorCode =
  | 'BAD_OPTION'
  | 'BAD_SHAPE'
  | 'BAD_STATE'
  | 'CORRUPT_FILE'
  | 'DISK_FULL'
  | 'FACE_TYPE_MISMATCH'
  | 'MISSING_DEPENDENCY'
  | 'NAN_LOSS'
  | 'NO_FACES'
  | 'NO_SUCH_FILE'
  | 'OPTION_IS_FIXED'
  | 'UNKNOWN_NAME'
  | 'UNSUPPORTED_MEDIA'
  | 'UNSUPPORTED_OP'
  | 'WORKSPACE_BUSY'

/**
 * The one error class of all packages.
 *
 * Its message reads: Expected <what> for `name`, but got <what came>. <What to do.>
 */
export class DflError extends Error {
  override readonly name = 'DflError'
  readonly code: DflErrorCode
  /** Details for programs, such as the file's path or the allowed values. */
  readonly data: Readonly<Record<string, unknown>>

  constructor(code: DflErrorCode, message: string, options: { data?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.data = options.data ?? {}
  }
}

/** Whether `error` is a `DflError`, of the given code if one is given. Works across copies of this package. */
export function isDflError(error: unknown, code?: DflErrorCode): error is DflError {
  const candidate = error as DflError | undefined
  return candidate?.name === 'DflError' && (code === undefined || candidate.code === code)
}

/** An error in a form that survives the way between threads. */
export interface SentError {
  name: string
  message: string
  stack?: string
  code?: string
  data?: Record<string, unknown>
}

/** What of an error is sent to another thread, which a `DflError` itself would reach without its code. */
export function sentError(error: unknown): SentError {
  const { name, message, stack, code, data } = error as SentError
  return { name, message, stack, code, data }
}

/** The error that another thread sent: a `DflError` where it was one there, with the stack it had. */
export function receivedError({ name, message, stack, code, data }: SentError): Error {
  const error =
    name === 'DflError'
      ? new DflError(code as DflErrorCode, message, { data })
      : Object.assign(new Error(message), { name })
  error.stack = stack
  return error
}
