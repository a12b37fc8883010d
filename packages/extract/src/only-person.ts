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

/** Whose faces are wanted. */
export interface WantedPerson {
  identity: ArrayLike<number>
  /** Identities of other people: a face that is more like one of them is not taken. */
  others?: readonly ArrayLike<number>[] | undefined
}

/**
 * The faces of frames in a row without those of other people.
 *
 * Whether a face is the person's is decided for all frames through which it is followed, by the nearest of a few looks at
 * it, so that a blurred or turned moment does not lose it. Of several in one frame only the most alike is taken: nobody is
 * there twice.
 */
export async function onlyPerson(
  frames: readonly { picture: Picture; faces: readonly Face[]; cut: boolean }[],
  wanted: WantedPerson,
  embedder: Embedder,
): Promise<Face[][]> {
  const alike: { track: Seen[]; far: number }[] = []
  for (const track of tracksOf(frames)) {
    const look = async ({ t, face }: Seen) => embed(frames[t]!.picture, face.landmarks, embedder)
    const far = await distanceOf(track, wanted, look)
    if (far < SAME_PERSON_DISTANCE) alike.push({ track, far })
  }
  const kept: (Face | undefined)[] = frames.map(() => undefined)
  for (const { track } of alike.sort((a, b) => a.far - b.far))
    if (track.filter(({ t }) => kept[t]).length <= track.length / 2) for (const { t, face } of track) kept[t] ??= face
  return kept.map((face) => (face ? [face] : []))
}

/** How far a track's face is from the wanted person, seen at the look that tells best who it is; endless if someone else. */
async function distanceOf(
  track: readonly Seen[],
  { identity, others = [] }: WantedPerson,
  look: (seen: Seen) => Promise<Float32Array>,
): Promise<number> {
  let [own, other] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (const seen of spread(track, LOOKS)) {
    const found = await look(seen)
    own = Math.min(own, distanceTo(found, identity))
    for (const one of others) other = Math.min(other, distanceTo(found, one))
    if (Math.min(own, other) < SAME_PERSON_DISTANCE) break
  }
  return own <= other ? own : Number.POSITIVE_INFINITY
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
