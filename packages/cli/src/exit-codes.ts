import { DflError, type DflErrorCode, isDflError } from '@dfl/core'
import { explain } from '@dfl/core/files'

/** What the program's exit codes mean. Scripts rely on them: numbers never change. */
export const EXIT_CODES = [
  [0, 'done'],
  [1, 'something went wrong that is none of the following'],
  [2, 'a command or an option is wrong'],
  [3, 'the input or the workspace cannot be used: no such file, a broken video, no faces, another face type'],
  [4, 'the disk is full'],
  [130, 'stopped by Ctrl-C, with everything saved'],
] as const

export const INTERRUPTED = 130

const CODES: Partial<Record<DflErrorCode, number>> = {
  BAD_OPTION: 2,
  OPTION_IS_FIXED: 2,
  NO_SUCH_FILE: 3,
  UNSUPPORTED_MEDIA: 3,
  CORRUPT_FILE: 3,
  NO_FACES: 3,
  FACE_TYPE_MISMATCH: 3,
  BAD_STATE: 3,
  WORKSPACE_BUSY: 3,
  UNKNOWN_NAME: 3,
  DISK_FULL: 4,
}

/** The exit code of the program after this error. */
export function exitCodeOf(error: unknown): number {
  return isDflError(error) ? (CODES[error.code] ?? 1) : 1
}

/** Reasons of the operating system that a user can do something about. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'no permission to use it. Change its permissions, or choose another place',
  EPERM: 'no permission to use it. Change its permissions, or choose another place',
  EROFS: 'a file system that can only be read. Choose another place',
  ENOTDIR: 'a file where a folder should be. Choose another place',
  EISDIR: 'a folder where a file should be. Choose another place',
  EEXIST: 'a file of that name that is there already. Choose another place',
  EMFILE: 'too many open files. Raise the limit of this system, or work with fewer workers',
}

/** The error in this project's words: a failed read or write of the operating system becomes a `DflError`. */
export function inOurWords(error: unknown): unknown {
  if (isDflError(error)) return error
  const { code = '', path = 'the workspace' } = (error ?? {}) as NodeJS.ErrnoException
  const explained = explain(error, path)
  if (explained !== error) return explained
  const reason = REASONS[code]
  if (!reason) return error
  return new DflError('BAD_STATE', `Expected to read or write \`${path}\`, but got ${reason}.`, {
    data: { path },
    cause: error,
  })
}
