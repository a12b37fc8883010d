import { DflError } from '@dfl/core'
import { explain } from '@dfl/core/files'
import type { Libav } from './libav.js'

/** The error for a path where nothing stands. */
export const noSuchFile = (path: string, cause?: unknown) =>
  new DflError('NO_SUCH_FILE', `Expected a file or folder at \`${path}\`, but there is none. Check the path.`, {
    data: { path },
    cause,
  })

/** The error for something that is there but is not the picture or video it should be. */
export const unsupported = (path: string, expected: string, got: string, advice: string, cause?: unknown) =>
  new DflError('UNSUPPORTED_MEDIA', `Expected ${expected} for \`${path}\`, but got ${got}. ${advice}`, {
    data: { path },
    cause,
  })

/**
 * The error for a number that libav gave back while reading or writing `path`.
 *
 * A full disk comes back as `DISK_FULL` in the words that every other writer of this project uses.
 */
export function libavError(libav: Libav, code: number, path: string, doing: string): unknown {
  if (code === libav.FFmpegError.AVERROR(libav.PosixError.ENOSPC))
    return explain(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }), path)
  if (code === libav.FFmpegError.AVERROR(libav.PosixError.ENOENT)) return noSuchFile(path)
  const reason = libav.FFmpegError.strerror(code)
  return unsupported(
    path,
    `no trouble while ${doing}`,
    `'${reason}' (libav error ${code})`,
    'Check that the file is whole and that its folder can be read and written.',
  )
}

/** Throws `libavError` where a libav function gave back a negative number; otherwise gives the number back. */
export function check(libav: Libav, code: number, path: string, doing: string): number {
  if (code < 0) throw libavError(libav, code, path, doing)
  return code
}
