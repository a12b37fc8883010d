import { DflError, distance, type FaceMeta } from '@dfl/core'
import { openFaceset } from '../open-faceset.js'
import { rewrite } from '../rewrite.js'
import { type LinkedFace, linkTracks } from './link-tracks.js'

/** How persons are told apart. */
export interface PersonOptions {
  /** Most distance (Euclidean) of embeddings of one person; 0.6 for the network that extraction uses. */
  samePersonDistance?: number
}

/** One person of a project. */
export interface Person {
  person: string
  faces: number
  /** Mean embedding, to compare a picture's with. */
  embedding: readonly number[]
}

type KnownFace = LinkedFace & Pick<FaceMeta, 'embedding' | 'person'> & { folder: string }

/** Some faces of one track, and what they look like on average. */
interface Group {
  faces: KnownFace[]
  /** Faces whose embedding is stored. */
  weight: number
  mean: Float64Array
}

/**
 * Means of many faces lie closer together than single faces do. Measured: means of one person's clips lie up to 0.38 apart,
 * those of different people at least 0.57, of different rendered heads at least 0.43; the limit is 0.405.
 */
const MEAN_SHARE = 0.675

/**
 * Finds out who is who in the facesets of a project, and writes it into their faces: the persons, the most frequent first.
 *
 * Faces are followed through their clips, so that those whose identity was not stored get that of their neighbours; a face
 * that is unlike the others of its track, as where people pass each other, is judged by itself. Persons are called p1, p2,
 * … and keep their names when this is called again with more facesets.
 *
 * @param folders Facesets whose faces have embeddings.
 * @throws DflError `BAD_STATE` when no face has one.
 */
export async function findPersons(folders: readonly string[], options: PersonOptions = {}): Promise<Person[]> {
  const { samePersonDistance = 0.6 } = options
  const groups: Group[] = []
  for (const folder of folders) {
    const faces: KnownFace[] = []
    for await (const face of (await openFaceset(folder)).faces()) {
      const { filename, sourceFilename, frameIndex, faceIndex, sourceRect, embedding, person } = face
      faces.push({ filename, sourceFilename, frameIndex, faceIndex, sourceRect, embedding, person, folder })
    }
    for (const track of linkTracks(faces)) groups.push(...splitTrack(track, samePersonDistance))
  }
  const known = groups.filter(({ weight }) => weight > 0)
  if (known.length === 0)
    throw new DflError(
      'BAD_STATE',
      `Expected faces with stored identities in \`${folders.join('`, `')}\`, but got none. Extract them with --embed-every 4.`,
      { data: { folders } },
    )
  const persons = cluster(known, samePersonDistance * MEAN_SHARE)
  const names = nameThem(persons)
  const personOf = new Map<string, string>()
  persons.forEach((groupsOfOne, i) => {
    for (const { faces } of groupsOfOne)
      for (const { folder, filename } of faces) personOf.set(`${folder}\n${filename}`, names[i]!)
  })
  for (const folder of folders)
    await rewrite(folder, ({ person: _, ...face }) => {
      const person = personOf.get(`${folder}\n${face.filename}`)
      return person === undefined ? face : { ...face, person }
    })
  return persons
    .map((groupsOfOne, i) => ({
      person: names[i]!,
      faces: groupsOfOne.reduce((sum, { faces }) => sum + faces.length, 0),
      embedding: [...joined(groupsOfOne).mean],
    }))
    .sort((a, b) => b.faces - a.faces)
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

function groupOf(faces: KnownFace[]): Group {
  const embeddings = faces.flatMap(({ embedding }) => (embedding ? [embedding] : []))
  const mean = new Float64Array(embeddings[0]?.length ?? 0)
  for (const embedding of embeddings)
    for (let i = 0; i < mean.length; i++) mean[i]! += embedding[i]! / embeddings.length
  return { faces, weight: embeddings.length, mean }
}

/**
 * Groups that lie within `distance` of each other's means, nearest ones joined first. Groups of many faces lead: the others
 * are compared with them only, so that thousands of short tracks cost little.
 */
function cluster(groups: readonly Group[], distance: number): Group[][] {
  const clusters: { groups: Group[]; mean: Float64Array; weight: number }[] = []
  for (const group of [...groups].sort((a, b) => b.weight - a.weight)) {
    const nearest = nearestOf(clusters, group.mean)
    if (nearest && nearest.far < distance) {
      nearest.one.groups.push(group)
      Object.assign(nearest.one, mixed(nearest.one, group))
    } else clusters.push({ groups: [group], mean: group.mean, weight: group.weight })
  }
  for (;;) {
    let closest: { a: number; b: number; far: number } | undefined
    for (let a = 0; a < clusters.length; a++)
      for (let b = a + 1; b < clusters.length; b++) {
        const far = distanceOf(clusters[a]!.mean, clusters[b]!.mean)
        if (far < distance && far < (closest?.far ?? Number.POSITIVE_INFINITY)) closest = { a, b, far }
      }
    if (!closest) return clusters.map((one) => one.groups)
    const [from] = clusters.splice(closest.b, 1)
    const into = clusters[closest.a]!
    Object.assign(into, mixed(into, from!), { groups: [...into.groups, ...from!.groups] })
  }
}

function nearestOf<T extends { mean: Float64Array }>(clusters: readonly T[], mean: Float64Array) {
  let nearest: { one: T; far: number } | undefined
  for (const one of clusters) {
    const far = distanceOf(one.mean, mean)
    if (far < (nearest?.far ?? Number.POSITIVE_INFINITY)) nearest = { one, far }
  }
  return nearest
}

function mixed(a: { mean: Float64Array; weight: number }, b: { mean: Float64Array; weight: number }) {
  const weight = a.weight + b.weight
  return { mean: a.mean.map((value, i) => (value * a.weight + b.mean[i]! * b.weight) / weight), weight }
}

const joined = (groups: readonly Group[]) => groupOf(groups.flatMap(({ faces }) => faces))

/** Euclidean distance of two embeddings; endless where they are of different networks. */
const distanceOf = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  a.length === b.length ? distance(a, b) : Number.POSITIVE_INFINITY

/** Names of persons: that which most of their faces have, else the next free of p1, p2, … in the order of their frequency. */
function nameThem(persons: readonly Group[][]): string[] {
  const names = persons.map(() => '')
  const taken = new Set<string>()
  const votes = persons.flatMap((groups, i) => {
    const counts = new Map<string, number>()
    for (const { faces } of groups)
      for (const { person } of faces) if (person) counts.set(person, (counts.get(person) ?? 0) + 1)
    return [...counts].map(([name, count]) => ({ i, name, count }))
  })
  for (const { i, name } of votes.sort((a, b) => b.count - a.count)) {
    if (names[i] !== '' || taken.has(name)) continue
    names[i] = name
    taken.add(name)
  }
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
