import { type FileHandle, open, readdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bitmap, DflError, FACE_TYPES, type FaceMeta, type FaceType, type Pixels } from '@dfl/core'
import { exists, explain, makeFolder, move, removeTemporaryFiles, syncFolder, writeFileAtomic } from '@dfl/core/files'
import { imageSize } from '@dfl/media'
import { alignedPng } from './aligned-png.js'
import { faceProblem, filenameProblem } from './face-rules.js'
import { indexLog, type LogIndex } from './index-log.js'
import {
  type FaceLine,
  FORMAT_VERSION,
  isFaceSize,
  isFrameIndex,
  isSourceName,
  type LogLine,
  printLine,
} from './log-lines.js'
import { maskFile } from './mask-file.js'
import { checksumOf, MASK_FOLDER, readFaces } from './open-faceset.js'
import { LOG_NAME } from './read-log.js'
import { replaceLog } from './rewrite.js'

/** Entries that are made durable together, and the longest they wait for it. */
const COMMIT_ENTRIES = 64
const COMMIT_MILLISECONDS = 1000

/** Adds faces to a faceset on disk. Must be closed. */
export interface FacesetWriter extends AsyncDisposable {
  /**
   * Writes a face. Resolves when its image file stands in the folder; it becomes durable a little later, see `flush`.
   *
   * A face of the same file name is replaced. Calls may overlap, which is faster; their order is kept.
   *
   * @param image The aligned image, [size, size, 3]: bytes and 16-bit words are stored exactly, floats as bytes. Or the
   * bytes of a PNG, JPEG or WebP file of that size, which are stored as they are; the face's file name has its ending.
   * @param mask A mask of the face's own, [M, M, 1] over the whole aligned image. It sets the face's `mask`.
   */
  add(face: FaceMeta, image: Pixels | Bitmap | Uint8Array, mask?: Pixels | Bitmap): Promise<void>
  /** Records that every face of this frame was added before, also when it has none. */
  frameDone(source: string, frameIndex: number): Promise<void>
  /** The frames of `source` recorded so far, by this writer and by earlier ones. */
  done(source: string): ReadonlySet<number>
  /** Resolves when everything added so far survives a power cut. */
  flush(): Promise<void>
  /** Flushes and releases the files. */
  close(): Promise<void>
}

interface Entry {
  /** Resolves when the image is in place, if the entry has one. */
  ready: Promise<{ line: LogLine; image?: FileHandle }>
}

/**
 * A writer for the faceset in `folder`: a new one, or one that is there and is continued.
 *
 * The folder holds one PNG file for each face (`masks/` one for each mask), and `faces.jsonl`: a header, then one line for each face and each frame
 * done. It is appended to in this order: an image is written under another name, renamed, and forced to disk;
 * then its line is appended and forced to disk. So a line that can be read always has its image, at whatever moment the
 * process is killed or the power fails. Forcing is slow, so it is done for 64 entries at a time, and at least once a
 * second: a crash costs what was added since, and as the lines of those frames are missing too, they are simply redone.
 * Where faces were added anew, the log is written once more at the end, without the lines that they replace.
 *
 * One writer at a time: the caller sees to that.
 *
 * @throws DflError `FACE_TYPE_MISMATCH` when another face type or size stands there, `BAD_STATE` when the folder has
 * images but no faceset, `BAD_OPTION` for a bad face type or size.
 */
export async function createFaceset(
  folder: string,
  options: { faceType: FaceType; size: number },
): Promise<FacesetWriter> {
  checkOptions(options)
  const path = join(folder, LOG_NAME)
  await makeFolder(folder)
  if (!(await exists(path))) {
    await refuseForeignImages(folder)
    const { faceType, size } = options
    await writeFileAtomic(path, `${printLine({ kind: 'faceset', version: FORMAT_VERSION, faceType, size })}\n`)
  }
  const index = await indexLog(path)
  const { header } = index
  if (header.faceType !== options.faceType || header.size !== options.size)
    throw new DflError(
      'FACE_TYPE_MISMATCH',
      `Expected faces of ${header.faceType} at ${header.size} px, which \`${folder}\` holds, but got ` +
        `${options.faceType} at ${options.size} px. Use the same face type and size, or another folder.`,
      { data: { folder, faceType: header.faceType, size: header.size } },
    )
  await removeTemporaryFiles(folder)
  await removeTemporaryFiles(join(folder, MASK_FOLDER))
  // A line that was cut off would swallow the next one. By its path: Windows shortens no file that is open for appending.
  if (index.totalBytes > index.completeBytes) await truncate(path, index.completeBytes)
  const log = await open(path, 'a')
  return makeWriter(folder, log, options, index)
}

function makeWriter(
  folder: string,
  log: FileHandle,
  { faceType, size }: { faceType: FaceType; size: number },
  { done, faces }: LogIndex,
): FacesetWriter {
  const names = new Set(faces.keys())
  let replaced = false
  let waiting: Entry[] = []
  let timer: NodeJS.Timeout | undefined
  let commits: Promise<void> = Promise.resolve()
  let failure: { error: unknown } | undefined
  let closed = false

  const enqueue = (entry: Entry) => {
    entry.ready.catch(() => {}) // It is thrown by `add`, and again by the commit.
    waiting.push(entry)
    if (waiting.length >= COMMIT_ENTRIES) commit().catch(() => {})
    else timer ??= setTimeout(() => commit().catch(() => {}), COMMIT_MILLISECONDS)
  }

  const commit = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const entries = waiting
    waiting = []
    // After a failure it still runs, to close the images.
    commits = commits.catch(() => {}).then(() => makeDurable(entries))
    return commits
  }

  const makeDurable = async (entries: readonly Entry[]) => {
    const settled = await Promise.allSettled(entries.map((entry) => entry.ready))
    const written = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const images = written.flatMap(({ image }) => image ?? [])
    try {
      if (failure) throw failure.error
      for (const result of settled) if (result.status === 'rejected') throw result.reason
      if (images.length > 0) {
        await Promise.all(images.map((image) => image.datasync()))
        await syncFolder(folder)
      }
      const bytes = Buffer.from(written.map(({ line }) => `${printLine(line)}\n`).join(''))
      if (bytes.length === 0) return
      await log.appendFile(bytes)
      await log.datasync()
    } catch (error) {
      failure ??= { error: explain(error, folder) }
      throw failure.error
    } finally {
      await Promise.all(images.map((image) => image.close()))
    }
  }

  const checkUsable = () => {
    if (failure) throw failure.error
    if (closed)
      throw new DflError(
        'BAD_STATE',
        'Expected an open faceset writer, but got one that was closed. Open it again with createFaceset().',
      )
  }

  const close = async () => {
    if (closed) return
    closed = true
    try {
      await commit()
    } finally {
      await log.close()
    }
    if (replaced) await dropReplaced(folder)
  }

  return {
    async add(face, image, mask) {
      checkUsable()
      checkFace(face, image, faceType, size)
      replaced ||= names.has(face.filename)
      names.add(face.filename)
      const ready = writeFace(folder, face, image, mask)
      enqueue({ ready })
      await ready
    },
    async frameDone(source, frameIndex) {
      checkUsable()
      if (!isSourceName(source)) throw badArgument('a name of 1 to 1024 characters for `source`', source)
      if (!isFrameIndex(frameIndex)) throw badArgument('a whole number of at least 0 for `frameIndex`', frameIndex)
      const frames = done.get(source) ?? new Set()
      done.set(source, frames)
      if (frames.has(frameIndex)) return
      frames.add(frameIndex)
      enqueue({ ready: Promise.resolve({ line: { kind: 'frameDone', source, frameIndex } }) })
    },
    done: (source) => done.get(source) ?? new Set(),
    async flush() {
      checkUsable()
      await commit()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Leaves one line for each face in a log that no writer has open. */
async function dropReplaced(folder: string): Promise<void> {
  const path = join(folder, LOG_NAME)
  const index = await indexLog(path)
  async function* lines(): AsyncGenerator<FaceLine> {
    for await (const face of readFaces(path, index))
      yield { kind: 'face', crc32: index.faces.get(face.filename)!.crc32, face }
  }
  await replaceLog(path, index, lines())
}

/** Writes the files of a face. */
async function writeFace(
  folder: string,
  { mask: _, ...face }: FaceMeta,
  image: Pixels | Bitmap | Uint8Array,
  maskPixels?: Pixels | Bitmap,
) {
  const mask = maskPixels && (await maskFile(face.filename, maskPixels))
  if (mask) await writeFileAtomic(join(folder, MASK_FOLDER, mask.name), mask.bytes)
  const { crc32, file } = await writeImageFile(folder, face.filename, await bytesOf(image, face))
  return { line: { kind: 'face' as const, crc32, face: mask ? { ...face, mask: mask.name } : face }, image: file }
}

/** The bytes of an image file. */
async function bytesOf(image: Pixels | Bitmap | Uint8Array, { filename, size }: FaceMeta): Promise<Uint8Array> {
  if (!(image instanceof Uint8Array)) return alignedPng(image)
  const { width, height } = await imageSize(image)
  if (width === size && height === size) return image
  throw new DflError(
    'BAD_SHAPE',
    `Expected ${size} x ${size} pixels for the image of '${filename}', but got ${width} x ${height}. Pass the aligned image.`,
  )
}

/** Writes an image under a passing name and renames it; the file stays open so that it can be forced to disk later. */
async function writeImageFile(folder: string, filename: string, bytes: Uint8Array) {
  const crc32 = checksumOf(bytes)
  const temporary = join(folder, `.${filename}.${crc32}.tmp`)
  let file: FileHandle | undefined
  try {
    file = await open(temporary, 'w')
    await file.writeFile(bytes)
    await move(temporary, join(folder, filename))
    return { crc32, file }
  } catch (error) {
    await file?.close()
    await rm(temporary, { force: true })
    throw explain(error, join(folder, filename))
  }
}

/** Images without a log are someone else's: new ones must not be mixed with them, nor replace them. */
async function refuseForeignImages(folder: string): Promise<void> {
  const image = (await readdir(folder)).find((name) => !filenameProblem(name))
  if (image === undefined) return
  throw new DflError(
    'BAD_STATE',
    `Expected an empty folder or a faceset at \`${folder}\`, but got images such as '${image}' without ${LOG_NAME}. ` +
      'Use another folder.',
    { data: { folder } },
  )
}

function checkOptions({ faceType, size }: { faceType: FaceType; size: number }): void {
  if (!FACE_TYPES.includes(faceType)) throw badArgument(`one of ${FACE_TYPES.join(', ')} for \`faceType\``, faceType)
  if (!isFaceSize(size)) throw badArgument('a whole number between 16 and 8192 px for `size`', size)
}

function checkFace(face: FaceMeta, image: Pixels | Bitmap | Uint8Array, faceType: FaceType, size: number): void {
  const problem = faceProblem(face) ?? filenameProblem(face.filename)
  if (problem) throw new DflError('BAD_OPTION', `${problem} Correct the face before adding it.`)
  const isFile = image instanceof Uint8Array
  if (!isFile && !/\.png$/i.test(face.filename))
    throw badArgument('a name that ends in .png for `filename`', face.filename)
  if (face.faceType !== faceType || face.size !== size)
    throw new DflError(
      'FACE_TYPE_MISMATCH',
      `Expected a face of ${faceType} at ${size} px for \`face\`, but got ${face.faceType} at ${face.size} px. ` +
        'Use one faceset for each face type and size.',
    )
  if (isFile) return // Its size is looked up when it is written.
  const { width, height, channels } = image
  if (width !== size || height !== size || channels !== 3)
    throw new DflError(
      'BAD_SHAPE',
      `Expected ${size} x ${size} pixels of 3 channels for \`image\`, but got ${width} x ${height} of ${channels}. ` +
        'Pass the aligned image.',
    )
}

const badArgument = (expected: string, got: unknown) =>
  new DflError('BAD_OPTION', `Expected ${expected}, but got ${typeof got === 'string' ? `'${got}'` : got}. Correct it.`)
