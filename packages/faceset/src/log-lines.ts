import { DflError, FACE_TYPES, type FaceMeta, type FaceType } from '@dfl/core'
import { faceProblem, filenameProblem } from './face-rules.js'

/** The version of the format that this package writes; it reads this and older ones. */
export const FORMAT_VERSION = 1

/** Longest line that is read, in bytes. A face takes 2-6 kB. */
export const MAX_LINE_BYTES = 256 * 1024

/** The first line of `faces.jsonl`. */
export interface HeaderLine {
  kind: 'faceset'
  version: number
  faceType: FaceType
  size: number
}

/** A face and the checksum of its image file: the meta's own fields stand beside these. */
export interface FaceLine {
  kind: 'face'
  /** CRC-32 of the whole image file, 8 hex digits. */
  crc32: string
  face: FaceMeta
}

/** All faces of this frame stand above this line; perhaps none were found. */
export interface FrameDoneLine {
  kind: 'frameDone'
  source: string
  frameIndex: number
}

export type LogLine = HeaderLine | FaceLine | FrameDoneLine

/** One line of text without its end. Coordinates are rounded to 1/10,000 px, embeddings to 7 digits. */
export function printLine(line: LogLine): string {
  if (line.kind !== 'face') return JSON.stringify(line)
  const { face, crc32 } = line
  return JSON.stringify({
    kind: 'face',
    ...face,
    landmarks: roundPoints(face.landmarks),
    sourceLandmarks: roundPoints(face.sourceLandmarks),
    ...(face.polygons && {
      polygons: face.polygons.map(({ kind, points }) => ({ kind, points: roundPoints(points) })),
    }),
    ...(face.embedding && { embedding: face.embedding.map((value) => Number(value.toPrecision(7))) }),
    crc32,
  })
}

/** What a line says, or nothing when it is damaged or breaks the rules of the format. Never throws. */
export function parseLine(text: string, header?: HeaderLine): LogLine | undefined {
  let raw: Record<string, unknown>
  try {
    raw = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof raw !== 'object' || raw === null) return undefined
  if (raw.kind === 'faceset') return isHeader(raw) ? raw : undefined
  if (raw.kind === 'frameDone') return isFrameDone(raw) ? raw : undefined
  if (raw.kind !== 'face' || typeof raw.crc32 !== 'string' || !/^[0-9a-f]{8}$/.test(raw.crc32)) return undefined
  const { kind: _, crc32, ...face } = raw
  if (faceProblem(face) || filenameProblem(face.filename)) return undefined
  if (header && (face.faceType !== header.faceType || face.size !== header.size)) return undefined
  return { kind: 'face', crc32, face: face as unknown as FaceMeta }
}

/** Why `parseLine` gives nothing for a line, as "Expected …, but got …", where that can be told. */
export function lineProblem(text: string | undefined, { faceType, size }: HeaderLine): string | undefined {
  try {
    const raw = JSON.parse(text ?? '')
    if (raw.kind !== 'face') return undefined
    const problem = filenameProblem(raw.filename) ?? faceProblem(raw)
    if (problem || (raw.faceType === faceType && raw.size === size)) return problem
    return `Expected faces of ${faceType} at ${size} px, but got ${raw.faceType} at ${raw.size} px.`
  } catch {
    return undefined
  }
}

/** The header on the first line of a log. @throws DflError `CORRUPT_FILE` when it is none that can be read here. */
export function parseHeader(text: string | undefined, path: string): HeaderLine {
  const line = text === undefined ? undefined : parseLine(text)
  if (line?.kind === 'faceset' && line.version <= FORMAT_VERSION) return line
  const got = line?.kind === 'faceset' ? `version ${line.version}` : `'${(text ?? '').slice(0, 60)}'`
  throw new DflError(
    'CORRUPT_FILE',
    `Expected a faceset header of version ${FORMAT_VERSION} or older on the first line of \`${path}\`, but got ${got}. ` +
      'Use the program that wrote it, or take the file from a backup.',
    { data: { path } },
  )
}

/** Whether `source` can name the footage of a progress record. */
export const isSourceName = (source: unknown): source is string =>
  typeof source === 'string' && source.length > 0 && source.length <= 1024

/** Whether `index` can be a frame's position in its clip. */
export const isFrameIndex = (index: unknown): index is number => Number.isSafeInteger(index) && (index as number) >= 0

function isHeader(raw: object): raw is HeaderLine {
  const { version, faceType, size } = raw as HeaderLine
  return Number.isInteger(version) && version >= 1 && FACE_TYPES.includes(faceType) && isFaceSize(size)
}

function isFrameDone(raw: object): raw is FrameDoneLine {
  const { source, frameIndex } = raw as FrameDoneLine
  return isSourceName(source) && isFrameIndex(frameIndex)
}

/** Whether `size` can be the side of an aligned image. */
export const isFaceSize = (size: unknown): size is number =>
  Number.isInteger(size) && (size as number) >= 16 && (size as number) <= 8192

const roundPoints = (points: FaceMeta['landmarks']) =>
  points.map(([x, y]) => [Math.round(x * 1e4) / 1e4, Math.round(y * 1e4) / 1e4])
