import { createHash } from 'node:crypto'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { exists, makeFolder, removeTemporaryFiles, writeFileAtomic } from '@dfl/core/files'
import type { PackagedFrame } from './compositor-package.js'
import type { FrameReport } from './frame-report.js'
import type { FaceNotes } from './merge-face.js'

/** A finished stretch of frames. */
export interface FinishedPart {
  /** Index of its first frame. */
  start: number
  frames: number
  /** Time of its first frame, and when its last frame ends, in ticks of the clip's clock. */
  startPts: number
  endPts: number
  /** What the stages noted about the faces of its last frame. */
  notes: FaceNotes[]
  /** What was done to each of its frames. */
  reports: FrameReport[]
  /** Size of its video file, to notice damage; nothing where frames are images. */
  bytes?: number
  /** The images that it wrote, where frames are images. */
  images?: string[]
  /** What it wrote for a compositor's package. */
  packaged?: PackagedFrame[]
}

/**
 * Finished parts in a folder, each under a key: a text that all of its result depends on. A key that is found again means
 * that the part need not be made again, however the merge was called in between.
 */
export interface FinishedParts {
  readonly folder: string
  /** Where the video of a part goes. */
  videoOf(key: string): string
  /** The part of that key, if it is whole. */
  find(key: string): Promise<FinishedPart | undefined>
  /** Ends parts whose images in this folder are about to be written over, those of some of these frames. */
  displace(out: string, frames: { start: number; end: number }): Promise<void>
  /** Makes a part count, at once and as a whole. */
  save(key: string, part: FinishedPart): Promise<void>
  /** Removes all parts but these. */
  keepOnly(keys: readonly string[]): Promise<void>
}

const FORMAT = 1

/** Letters of a key that a file is named by: enough that no two keys share a name. */
const NAME_LENGTH = 24

/** The finished parts in a folder, which is made where it is missing. What a killed merge left half-written is removed. */
export async function openParts(folder: string, codec?: string): Promise<FinishedParts> {
  // Both keep times to the tick; MOV holds all codecs but this one.
  const ending = codec === 'av1' ? '.mp4' : '.mov'
  await makeFolder(folder)
  await removeTemporaryFiles(folder)
  const at = (key: string, ending: string) => join(folder, `part-${nameOf(key)}${ending}`)
  for (const name of await readdir(folder)) if (/^part-.*\.partial\./.test(name)) await rm(join(folder, name))
  return {
    folder,
    videoOf: (key) => at(key, ending),
    async find(key) {
      const part = await readPart(at(key, '.json'))
      if (!part) return undefined
      if (part.bytes !== undefined) {
        const { size } = (await stat(at(key, ending)).catch(() => undefined)) ?? {}
        if (size !== part.bytes) return undefined
      }
      const files = [...(part.images ?? []), ...(part.packaged ?? []).flatMap(({ files }) => files)]
      const there = await Promise.all(files.map(exists))
      return there.every(Boolean) ? part : undefined
    },
    async displace(out, { start, end }) {
      for (const name of await readdir(folder)) {
        if (!/^part-[0-9a-f]+\.json$/.test(name)) continue
        const part = await readPart(join(folder, name))
        const image = part?.images?.[0]
        if (!part || image === undefined || resolve(dirname(image)) !== resolve(out)) continue
        if (part.start < end && start < part.start + part.frames) await rm(join(folder, name), { force: true })
      }
    },
    async save(key, part) {
      await writeFileAtomic(at(key, '.json'), `${JSON.stringify({ format: FORMAT, ...part })}\n`)
    },
    async keepOnly(keys) {
      const kept = new Set(keys.map(nameOf))
      for (const name of await readdir(folder)) {
        const own = /^part-([0-9a-f]+)\.(?:json|mov|mp4)$/.exec(name)?.[1]
        if (own !== undefined && !kept.has(own)) await rm(join(folder, name), { force: true })
      }
    },
  }
}

const nameOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, NAME_LENGTH)

/** Nothing where there is no part, or none that this version can read: it is made again then. */
async function readPart(path: string): Promise<FinishedPart | undefined> {
  try {
    const { format, ...part } = JSON.parse(await readFile(path, 'utf8'))
    const sound =
      format === FORMAT &&
      [part.start, part.frames, part.startPts, part.endPts].every(Number.isSafeInteger) &&
      Array.isArray(part.notes) &&
      Array.isArray(part.reports) &&
      part.reports.length === part.frames
    return sound ? part : undefined
  } catch {
    return undefined
  }
}
