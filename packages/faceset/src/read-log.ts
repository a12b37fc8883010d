import { open } from 'node:fs/promises'
import { DflError } from '@dfl/core'
import { MAX_LINE_BYTES } from './log-lines.js'

/** Name of the file in a faceset's folder that says what is in it. */
export const LOG_NAME = 'faces.jsonl'

/** A line with its place in the file. `text` is missing where the line is too long or is not UTF-8. */
export interface RawLine {
  text: string | undefined
  /** Byte offset of the line's first character. */
  start: number
  /** Byte offset behind its end-of-line character. */
  end: number
}

/**
 * The complete lines of a log, one after the other, holding only one piece of the file in memory.
 *
 * A last line without its end-of-line character was cut off while it was written, and is left out: the caller sees that
 * the last `end` lies before the file's end.
 *
 * @param range Where in the file the log begins and ends; all of it if not given.
 * @throws DflError `NO_SUCH_FILE` when there is no such file.
 */
export async function* readLines(
  path: string,
  { startByte = 0, endByte = Number.POSITIVE_INFINITY }: { startByte?: number; endByte?: number } = {},
): AsyncGenerator<RawLine> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a faceset at \`${path}\`, but there is no such file. Extract faces into this folder first.`,
      { data: { path }, cause: error },
    )
  })
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (bytes: Uint8Array) => {
    try {
      return decoder.decode(bytes)
    } catch {
      return undefined
    }
  }
  try {
    const piece = Buffer.allocUnsafe(1 << 20)
    let rest: Buffer = Buffer.alloc(0)
    let position = startByte
    let start = startByte
    let tooLong = false
    for (;;) {
      const wanted = Math.min(piece.length, endByte - position)
      const { bytesRead } = wanted > 0 ? await file.read(piece, 0, wanted, position) : { bytesRead: 0 }
      if (bytesRead === 0) return
      let from = 0
      for (let stop = piece.indexOf(10, 0); stop >= 0 && stop < bytesRead; stop = piece.indexOf(10, from)) {
        const part = piece.subarray(from, stop)
        const line = rest.length > 0 ? Buffer.concat([rest, part]) : part
        const end = position + stop + 1
        yield { text: tooLong || line.length > MAX_LINE_BYTES ? undefined : decode(line), start, end }
        rest = Buffer.alloc(0)
        tooLong = false
        start = end
        from = stop + 1
      }
      rest = Buffer.concat([rest, piece.subarray(from, bytesRead)])
      if (rest.length > MAX_LINE_BYTES) {
        rest = Buffer.alloc(0)
        tooLong = true
      }
      position += bytesRead
    }
  } finally {
    await file.close()
  }
}
