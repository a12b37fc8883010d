import { DflError, distance } from '@dfl/core'
import { readImage } from '@dfl/media'
import { type DetectFacesOptions, detectFaces, isSameFace } from './detect-faces.js'
import { SAME_PERSON_DISTANCE } from './dlib-embedder.js'
import { embed } from './look.js'
import { type Picture, pictureOf } from './picture.js'
import type { Embedder, Face } from './types.js'

/** How many faces of a track are compared with the person; one of them may be blurred or turned away. */
const LOOKS = 3

/**
 * The identity of the largest face of a picture: what extraction can be asked to look for, and
 * what the means of `findPersons` can be compared with.
 *
 * @param path An image, or a video, whose first frame counts.
 * @throws DflError `NO_FACES` when it shows none.
 */
export async function identityInPicture(
  path: string,
  networks: Pick<DetectFacesOptions, 'detector' | 'landmarker'> & { embedder: Embedder },
): Promise<Float32Array> {
  const { detector, landmarker, embedder } = networks
  const image = await readImage(path)
  const [face] = await detectFaces(image, { detector, landmarker, minSize: 24 })
  if (!face)
    throw new DflError(
      'NO_FACES',
      `Expected a picture with the face of a person, but found none in \`${path}\`. Give one in which the face is sharp and larger than 24 pixels.`,
      { data: { path } },
    )
  return embed(pictureOf(image), face.landmarks, embedder)
}

/**
 * The faces of frames in a row without those of other people.
 *
 * Whether a face is the person's is decided for all frames through which it is followed, by the nearest of a few looks at
 * it, so that a blurred or turned moment does not lose it.
 */
export async function onlyPerson(
  frames: readonly { picture: Picture; faces: readonly Face[]; cut: boolean }[],
  identity: ArrayLike<number>,
  embedder: Embedder,
): Promise<Face[][]> {
  const kept: Face[][] = frames.map(() => [])
  for (const track of tracksOf(frames)) {
    let nearest = Number.POSITIVE_INFINITY
    for (const { t, face } of spread(track, LOOKS)) {
      const found = await embed(frames[t]!.picture, face.landmarks, embedder)
      nearest = Math.min(nearest, distanceTo(found, identity))
      if (nearest < SAME_PERSON_DISTANCE) break
    }
    if (nearest < SAME_PERSON_DISTANCE) for (const { t, face } of track) kept[t]!.push(face)
  }
  // In the order that they had: largest first.
  return kept.map((faces, t) => frames[t]!.faces.filter((face) => faces.includes(face)))
}

interface Seen {
  t: number
  face: Face
}

/** The faces of frames in a row, each followed for as long as it is there. */
function tracksOf(frames: readonly { faces: readonly Face[]; cut: boolean }[]): Seen[][] {
  const tracks: Seen[][] = []
  let open: Seen[][] = []
  for (const [t, { faces, cut }] of frames.entries()) {
    const before = cut ? [] : open
    open = faces.map((face) => {
      const track = before.find((one) => isSameFace(one.at(-1)!.face, face) && one.at(-1)!.t === t - 1) ?? []
      if (track.length === 0) tracks.push(track)
      track.push({ t, face })
      return track
    })
  }
  return tracks
}

/** At most `count` of the values: the middle one, the last, the first, in this order. */
function spread<T>(values: readonly T[], count: number): T[] {
  const places = [values.length >> 1, values.length - 1, 0]
  return [...new Set(places)].slice(0, count).map((at) => values[at]!)
}

function distanceTo(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length)
    throw new DflError(
      'BAD_SHAPE',
      `Expected ${b.length} numbers, as the person's identity has, from the embedder, but got ${a.length}. Use the same embedder for both.`,
    )
  return distance(a, b)
}
