import { DflError, distance, type FaceMeta } from '@dfl/core'
import { openFaceset } from '../open-faceset.js'
import { rewrite } from '../rewrite.js'
import { type LinkedFace, linkTracks } from './link-tracks.js'
import { addLook, type Look, type LookedFace, lookDistance, lookOf } from './look.js'

/** How persons are told apart. */
export interface PersonOptions {
  /** Most distance (Euclidean) of embeddings of one person; 0.6 for the network that extraction uses. */
  samePersonDistance?: number
  /** Persons of earlier calls: whose faces were extracted anew keeps the name, and nobody else is given it. */
  known?: readonly Pick<Person, 'person' | 'embedding'>[]
}

/** One person of a project. */
export interface Person {
  person: string
  faces: number
  /** Mean embedding, to compare a picture's with. */
  embedding: readonly number[]
}

type KnownFace = LinkedFace & LookedFace & Pick<FaceMeta, 'person'>

/** Some faces of one track, and what they look like. */
interface Group {
  faces: KnownFace[]
  look: Look
}

/**
 * Looks of many faces lie closer together than single faces do. Measured in the poses that both show: looks of one person's
 * clips lie up to 0.39 apart, of one rendered head's 0.41, those of different people at least 0.59, and of different rendered
 * heads 2 % of 163 pairs below the limit of 0.405 (as whole means 16 % would). Of 20 rendered heads in seven lights and poses
 * each, 97 % of 420 pairs of one head lie below it, and 8 % of 9310 pairs of two; a limit of 0.44 would have 99 % and 16 %, one
 * of 0.36 89 % and 3 %.
 *
 * Other ways to compare were no better, on 20 rendered heads in seven lights of four faces each and on the quarters of five
 * clips and two photos of people. At the limit that joins 97.4 % of a rendered head's pairs, 4.7 % of pairs of two heads are
 * joined; with embeddings of one length 4.4 %, with the mean of a face's and its mirror image's 4.7 %, with light evened out
 * first 4.1 to 6.6 %, with frontal faces weighing more 4.7 %, by the mean distance of all faces 5.4 %, by the least 3.8 %, but
 * that then parts 15 % of the pairs of one recorded person (now 9 %), and in clusters joins three times as many wrongly.
 */
const LOOK_SHARE = 0.675

/** Who is who in some facesets. */
export interface WhoIsWho {
  /** The most frequent first. */
  persons: Person[]
  /** The person of a face; nothing where nobody knows. */
  personOf(folder: string, face: Pick<FaceMeta, 'filename'>): string | undefined
}

/**
 * Finds out who is who in the facesets of a project, and writes it into their faces: the persons, the most frequent first. See
 * `whoIsWho`.
 */
export async function findPersons(folders: readonly string[], options: PersonOptions = {}): Promise<Person[]> {
  const { persons, personOf } = await whoIsWho(folders, options)
  for (const folder of folders)
    await rewrite(folder, ({ person: _, ...face }) => {
      const person = personOf(folder, face)
      return person === undefined ? face : { ...face, person }
    })
  return persons
}

/**
 * Finds out who is who in the facesets of a project, and changes nothing in them.
 *
 * Faces are followed through their clips, so that those whose identity was not stored get that of their neighbours; a face
 * that is unlike the others of its track, as where people pass each other, is judged by itself. Persons are called p1, p2,
 * … and keep their names when this is called again with more facesets, or with those that were known before.
 *
 * @param folders Facesets whose faces have embeddings.
 * @throws DflError `BAD_STATE` when no face has one.
 */
export async function whoIsWho(folders: readonly string[], options: PersonOptions = {}): Promise<WhoIsWho> {
  const { samePersonDistance = 0.6, known: knownPersons = [] } = options
  const limit = samePersonDistance * LOOK_SHARE
  const groups: Group[] = []
  for (const folder of folders) {
    const faces: KnownFace[] = []
    for await (const face of (await openFaceset(folder)).faces()) {
      const { filename, sourceFilename, frameIndex, faceIndex, sourceRect, embedding, pose, person } = face
      faces.push({ filename, sourceFilename, frameIndex, faceIndex, sourceRect, embedding, pose, person, folder })
    }
    for (const track of linkTracks(faces)) groups.push(...splitTrack(track, samePersonDistance))
  }
  const known = groups.filter(({ look }) => look.mean.weight > 0)
  if (known.length === 0)
    throw new DflError(
      'BAD_STATE',
      `Expected faces with stored identities in \`${folders.join('`, `')}\`, but got none. Extract them with --embed-every 4.`,
      { data: { folders } },
    )
  const persons = cluster(known, limit)
  const means = persons.map((groupsOfOne) => [...lookOf(groupsOfOne.flatMap(({ faces }) => faces)).mean.values])
  const names = nameThem(persons, { means, known: knownPersons, limit })
  const personOf = new Map<string, string>()
  persons.forEach((groupsOfOne, i) => {
    for (const { faces } of groupsOfOne)
      for (const { folder, filename } of faces) personOf.set(`${folder}\n${filename}`, names[i]!)
  })
  const found = persons.map((groupsOfOne, i) => ({
    person: names[i]!,
    faces: groupsOfOne.reduce((sum, { faces }) => sum + faces.length, 0),
    embedding: means[i]!,
  }))
  return {
    persons: found.sort((a, b) => b.faces - a.faces),
    personOf: (folder, { filename }) => personOf.get(`${folder}\n${filename}`),
  }
}

/** A track in parts of one person each: faces without an identity go with the nearest one before or after that has one. */
function splitTrack(track: readonly KnownFace[], distance: number): Group[] {
  const known = track.filter(({ embedding }) => embedding)
  if (known.length === 0) return [groupOf([...track])]
  const parts = cluster(
    known.map((face) => groupOf([face])),
    distance,
  )
  const partOf = new Map<KnownFace, KnownFace[]>()
  for (const part of parts) {
    const faces: KnownFace[] = []
    for (const { faces: one } of part) for (const face of one) partOf.set(face, faces)
  }
  let at = 0
  for (const face of track) {
    while (at + 1 < known.length && isNearer(known[at + 1]!, known[at]!, face)) at++
    partOf.get(face.embedding ? face : known[at]!)!.push(face)
  }
  return [...new Set(partOf.values())].map(groupOf)
}

const isNearer = (a: KnownFace, b: KnownFace, to: KnownFace) =>
  Math.abs(a.frameIndex - to.frameIndex) <= Math.abs(b.frameIndex - to.frameIndex)

const groupOf = (faces: KnownFace[]): Group => ({ faces, look: lookOf(faces) })

/**
 * Groups that lie within `distance` of each other's looks, nearest ones joined first. Groups of many faces lead: the others
 * are compared with them only, so that thousands of short tracks cost little.
 */
function cluster(groups: readonly Group[], distance: number): Group[][] {
  const clusters: { groups: Group[]; look: Look }[] = []
  for (const group of [...groups].sort((a, b) => b.look.mean.weight - a.look.mean.weight)) {
    let nearest: { one: (typeof clusters)[number]; far: number } | undefined
    for (const one of clusters) {
      const far = lookDistance(one.look, group.look)
      if (far < distance && far < (nearest?.far ?? Number.POSITIVE_INFINITY)) nearest = { one, far }
    }
    if (nearest) {
      nearest.one.groups.push(group)
      addLook(nearest.one.look, group.look)
    } else clusters.push({ groups: [group], look: lookOf(group.faces) })
  }
  for (;;) {
    let closest: { a: number; b: number; far: number } | undefined
    for (let a = 0; a < clusters.length; a++)
      for (let b = a + 1; b < clusters.length; b++) {
        const far = lookDistance(clusters[a]!.look, clusters[b]!.look)
        if (far < distance && far < (closest?.far ?? Number.POSITIVE_INFINITY)) closest = { a, b, far }
      }
    if (!closest) return clusters.map((one) => one.groups)
    const [from] = clusters.splice(closest.b, 1)
    const into = clusters[closest.a]!
    into.groups.push(...from!.groups)
    addLook(into.look, from!.look)
  }
}

/** How persons are recognised of whom no face has a name. */
interface Recognition {
  means: readonly (readonly number[])[]
  known: NonNullable<PersonOptions['known']>
  limit: number
}

/**
 * Names of persons: that which most of their faces have, else that of a known one who looks like them, else the next free
 * of p1, p2, … in the order of their frequency.
 */
function nameThem(persons: readonly Group[][], { means, known, limit }: Recognition): string[] {
  const names = persons.map(() => '')
  const taken = new Set<string>()
  const settle = (candidates: readonly { i: number; name: string }[]) => {
    for (const { i, name } of candidates) {
      if (names[i] !== '' || taken.has(name)) continue
      names[i] = name
      taken.add(name)
    }
  }
  const votes = persons.flatMap((groups, i) => {
    const counts = new Map<string, number>()
    for (const { faces } of groups)
      for (const { person } of faces) if (person) counts.set(person, (counts.get(person) ?? 0) + 1)
    return [...counts].map(([name, count]) => ({ i, name, count }))
  })
  settle(votes.sort((a, b) => b.count - a.count))
  const alike = means.flatMap((mean, i) =>
    known.flatMap(({ person: name, embedding }) => {
      const far = mean.length === embedding.length ? distance(mean, embedding) : Number.POSITIVE_INFINITY
      return far < limit ? [{ i, name, far }] : []
    }),
  )
  settle(alike.sort((a, b) => a.far - b.far))
  for (const { person } of known) taken.add(person)

  const size = (groups: readonly Group[]) => groups.reduce((sum, { faces }) => sum + faces.length, 0)
  const byCount = persons.map((groups, i) => ({ i, count: size(groups) })).sort((a, b) => b.count - a.count)
  let next = 1
  for (const { i } of byCount) {
    if (names[i] !== '') continue
    while (taken.has(`p${next}`)) next++
    names[i] = `p${next}`
    taken.add(names[i]!)
  }
  return names
}
