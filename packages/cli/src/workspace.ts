import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { DflError, type FaceType, type Side } from '@dfl/core'
import { writeFileAtomic } from '@dfl/core/files'
import { type FootageStamp, footageStamp, isFrameName } from '@dfl/media'

/** Which file a clip is, so that another one under the same name is noticed. */
export interface ClipIdentity extends Partial<FootageStamp> {
  path: string
}

/** What a finished extraction found. */
export interface Extracted {
  frames: number
  framesWithFace: number
  faces: number
}

/** A clip of one side. */
export interface KnownClip extends ClipIdentity {
  /** What the side's faceset calls it; nothing for images that go by their own names alone. */
  name?: string
  /** The options that its extraction was begun with. */
  asked: Readonly<Record<string, unknown>>
  /** Once its extraction is finished. */
  extracted?: Extracted
}

/** What a finished merge made. */
export interface Merged {
  /** The clip that it was made of. */
  dst: string
  /** Everything that the result depends on, as a text. */
  madeFrom: string
  result: string
  bytes?: number
  frames: number
  framesWithFace: number
}

/** `workspace.json`: what was asked for and what is finished. */
export interface WorkspaceRecord {
  format: 2
  faceType?: FaceType
  /** Name of the preset that the model was made with. */
  preset?: string
  /** Whether the model began with the weights that come with this package, or with their encoder and other decoders. */
  fromWeights?: boolean | 'encoder'
  /** Of each side, in the order in which they came. */
  clips: Readonly<Record<Side, readonly KnownClip[]>>
  /** The newest of each clip of DST, the newest of all last. */
  merged: readonly Merged[]
  /** Whether the user was asked for a consent record, and gave none. */
  consentAsked?: boolean
  /** Results that were made without saying that they are synthetic, and when. */
  withoutProvenance?: readonly { at: string; result: string }[]
}

/** A workspace folder: where things are, and its record. */
export interface Workspace {
  readonly folder: string
  /** The faceset of each side. */
  readonly faceset: Readonly<Record<Side, string>>
  readonly model: string
  readonly preview: string
  /** Where the result goes when nothing else is said. */
  readonly defaultResult: string
  readonly record: Readonly<WorkspaceRecord>
  /** Changes the record, in memory and on disk. */
  update(change: Partial<WorkspaceRecord>): Promise<void>
}

const NAME = 'workspace.json'

/**
 * The workspace in a folder; a new one where there is none yet. Writes nothing before the first `update`.
 *
 * @throws DflError `CORRUPT_FILE` when its record cannot be read, `BAD_STATE` when a newer program wrote it.
 */
export async function openWorkspace(folder: string): Promise<Workspace> {
  const path = join(folder, NAME)
  let record: WorkspaceRecord = { format: 2, clips: { src: [], dst: [] }, merged: [] }
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text !== undefined) record = parseRecord(text, path)
  return {
    folder,
    faceset: { src: join(folder, 'src', 'aligned'), dst: join(folder, 'dst', 'aligned') },
    model: join(folder, 'model'),
    preview: join(folder, 'preview'),
    defaultResult: join(folder, 'result.mp4'),
    get record() {
      return record
    },
    async update(change) {
      record = { ...record, ...change }
      await writeFileAtomic(path, `${JSON.stringify(record, null, 2)}\n`)
    },
  }
}

function parseRecord(text: string, path: string): WorkspaceRecord {
  const broken = (cause?: unknown) =>
    new DflError(
      'CORRUPT_FILE',
      `Expected the record of a workspace in \`${path}\`, but it cannot be read. Delete it: faces and model stay, and are found again.`,
      { data: { path }, cause },
    )
  try {
    const record = JSON.parse(text) as WorkspaceRecord | FirstRecord
    if (Number(record.format) > 2) throw fromTheFuture(path, record.format)
    if (record.format === 1) return fromFirst(record)
    if (record.format !== 2) throw broken()
    const { clips, merged = [] } = record
    return { ...record, clips: { src: clips?.src ?? [], dst: clips?.dst ?? [] }, merged }
  } catch (cause) {
    throw cause instanceof DflError ? cause : broken(cause)
  }
}

/** The record when a side was one clip. */
interface FirstRecord extends Omit<WorkspaceRecord, 'format' | 'clips' | 'merged'> {
  format: 1
  clips?: Partial<Record<Side, ClipIdentity>>
  asked?: Partial<Record<Side, KnownClip['asked']>>
  extracted?: Partial<Record<Side, Extracted>>
  merged?: Omit<Merged, 'dst'>
}

function fromFirst({ clips, asked, extracted, merged, ...rest }: FirstRecord): WorkspaceRecord {
  const of = (side: Side): KnownClip[] => {
    const clip = clips?.[side]
    if (!clip) return []
    const isVideo = clip.images === undefined && !isFrameName(basename(clip.path))
    const { frames, framesWithFace, faces } = extracted?.[side] ?? {}
    return [
      {
        ...clip,
        ...(isVideo ? { name: basename(clip.path) } : {}),
        asked: asked?.[side] ?? {},
        ...(frames === undefined ? {} : { extracted: { frames, framesWithFace: framesWithFace!, faces: faces! } }),
      },
    ]
  }
  const dst = clips?.dst?.path
  return {
    ...rest,
    ...{ format: 2, clips: { src: of('src'), dst: of('dst') } },
    merged: merged && dst !== undefined ? [{ ...merged, dst }] : [],
  }
}

const fromTheFuture = (path: string, format: number) =>
  new DflError(
    'BAD_STATE',
    `Expected a workspace of format 2 in \`${path}\`, but got format ${format}, of a newer dfl. Use that one, or another --workspace.`,
    { data: { path, format } },
  )

/**
 * Which file a clip is now.
 *
 * @throws DflError `NO_SUCH_FILE`.
 */
export async function identifyClip(path: string, flag: string): Promise<ClipIdentity> {
  const stamp = await footageStamp(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT' && cause.code !== 'ENOTDIR') throw cause
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a video or a folder of images for \`${flag}\`, but there is nothing at \`${path}\`. Check the path.`,
      { data: { path }, cause },
    )
  })
  return { path: resolve(path), ...stamp }
}

/**
 * Whether two identities are of one clip: also where it was moved, or copied under the same name. Images that were written anew
 * where they stood are others, though uncompressed ones have as many bytes as before.
 */
export function isSameClip(a: ClipIdentity, b: ClipIdentity): boolean {
  if (a.bytes === undefined || b.bytes === undefined) return a.path === b.path
  if (a.path === b.path && a.images !== undefined) return a.bytes === b.bytes && a.modifiedMs === b.modifiedMs
  return a.bytes === b.bytes && (a.modifiedMs === b.modifiedMs || basename(a.path) === basename(b.path))
}
