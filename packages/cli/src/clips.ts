import { basename, extname, join } from 'node:path'
import { clipOf, DflError, type Side } from '@dfl/core'
import { alignedName, type Faceset, openFaceset } from '@dfl/faceset'
import { footageStamp, frameNames } from '@dfl/media'
import { type ClipIdentity, identifyClip, isSameClip, type KnownClip, type Workspace } from './workspace.js'

/** A clip that a command was given, and what the workspace knows of it. */
export interface GivenClip extends ClipIdentity {
  /** What the side's faceset calls it: see `KnownClip`. */
  name?: string
  known?: KnownClip
}

/** One clip, or several. */
export type Clips = string | readonly string[]

/** Clips as a list. */
export const listOf = (clips: Clips): readonly string[] => (typeof clips === 'string' ? [clips] : clips)

/** 'a.mp4', 'a.mp4 and b.mp4', 'a.mp4, b.mp4 and 3 more', for people. */
export function sayClips(clips: Clips): string {
  const [first, ...others] = listOf(clips).map((path) => basename(path))
  if (others.length < 2) return [first, ...others].join(' and ')
  return others.length === 2
    ? `${first}, ${others.join(' and ')}`
    : `${first}, ${others[0]} and ${others.length - 1} more`
}

/**
 * The clips that a command names for a side, each once. Clips that the side does not have yet are taken besides its own where
 * these are named, too.
 *
 * @throws DflError `NO_SUCH_FILE`; `BAD_STATE` when the workspace holds faces of other clips, or these have changed since.
 */
export async function givenClips(
  { folder, faceset, record }: Workspace,
  side: Side,
  { inputs, flag }: { inputs: readonly string[]; flag: string },
): Promise<GivenClip[]> {
  const faces = await openFaceset(faceset[side]).catch(() => undefined)
  const named = await Promise.all(inputs.map((input) => identifyClip(input, flag)))
  const isNew = named.some((clip) => !knownClip(record.clips[side], clip))
  // Where no face was found yet, another clip may take the place of the first.
  const ours = isNew && (faces?.info.count ?? 0) === 0 ? [] : record.clips[side]
  const given: GivenClip[] = []
  const left = new Set(ours)
  for (const clip of named) {
    if (given.some((one) => isSameClip(one, clip))) continue
    const known = knownClip(ours, clip)
    if (known && !isSameClip(known, clip) && !(await keepsImages(faces!, known)))
      throw otherFootage(side, { folder, flag, ours })
    if (known) left.delete(known)
    given.push({ ...clip, ...(known ? { known, ...(known.name === undefined ? {} : { name: known.name }) } : {}) })
  }
  const added = given.filter(({ known }) => !known)
  if (added.length > 0 && left.size > 0) throw otherFootage(side, { folder, flag, ours, added })
  if (added.length === 0) return given
  const names = await takenNames(faces, ours)
  for (const clip of added) {
    const isFirst = ours.length === 0 && added[0] === clip
    if (isFirst && (await frameNames(clip.path)).length > 0) continue
    clip.name = names.nameFor(basename(clip.path))
  }
  return given
}

/** The clip of a side that stands where this one does, or that is the same. */
export const knownClip = (clips: readonly KnownClip[], clip: ClipIdentity): KnownClip | undefined =>
  clips.find(({ path }) => path === clip.path) ?? clips.find((one) => isSameClip(one, clip))

function otherFootage(
  side: Side,
  {
    folder,
    flag,
    ours,
    added,
  }: { folder: string; flag: string; ours: readonly KnownClip[]; added?: readonly GivenClip[] },
): DflError {
  const paths = (clips: readonly ClipIdentity[], mark = '`') => clips.map(({ path }) => `${mark}${path}${mark}`)
  const got = added ? paths(added).join(', ') : 'footage that has changed since'
  const add = added ? ` To add it, name all: ${flag} ${paths([...ours, ...added], '').join(' ')}` : ''
  return new DflError(
    'BAD_STATE',
    `Expected ${paths(ours).join(', ')} for \`${flag}\`, as before in this workspace, but got ${got}.${add ? `${add}. Or use` : ' Use'} another --workspace, or remove \`${join(folder, side)}\` to extract anew.`,
    { data: { known: paths(ours, '') } },
  )
}

/**
 * Names that a faceset's clips have, and new ones: those of aligned images begin with them, and must not meet.
 */
async function takenNames(faces: Faceset | undefined, known: readonly KnownClip[]) {
  const stem = (name: string) => alignedName({ name, index: 0 }, 0).toLowerCase()
  const taken = new Set(known.flatMap(({ name }) => (name === undefined ? [] : [stem(name)])))
  // A workspace that lost its record finds its clips again by their names.
  const orphans = new Set<string>()
  for await (const face of faces?.faces() ?? []) {
    const clip = clipOf(face)
    taken.add(stem(clip || face.sourceFilename))
    if (clip !== '' && !known.some(({ name }) => name === clip)) orphans.add(clip)
  }
  // A search that found nothing has left its frames behind, which another one would take for done.
  for (const { source } of faces?.info.sources ?? []) taken.add(stem(source))
  return {
    nameFor(name: string): string {
      const ending = extname(name)
      for (let number = 1; ; number++) {
        const tried = number === 1 ? name : `${name.slice(0, name.length - ending.length)}-${number}${ending}`
        if (orphans.delete(tried) || !taken.has(stem(tried))) {
          taken.add(stem(tried))
          return tried
        }
      }
    },
  }
}

/**
 * Whether a folder's images that were looked at stand where they did, and none of them was written since. Broken ones may
 * so be mended or taken away, and a sequence may grow.
 */
async function keepsImages(faceset: Faceset, { path, name, images, modifiedMs = 0 }: KnownClip): Promise<boolean> {
  if (images === undefined) return false
  const names = await frameNames(path)
  const done = [...(faceset.framesDone().get(name ?? basename(path)) ?? [])].map((index) => names[index])
  for (const file of done)
    if (file === undefined || (await footageStamp(join(path, file))).modifiedMs > modifiedMs) return false
  for await (const face of faceset.faces())
    if (clipOf(face) === (name ?? '') && basename(face.sourceFilename) !== names[face.frameIndex]) return false
  return true
}
