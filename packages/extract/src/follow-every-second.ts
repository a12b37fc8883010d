import { type DetectFacesOptions, detectFaces, isSameFace, withoutDuplicates } from './detect-faces.js'
import { between } from './fill-gaps.js'
import { followAll, followFaces, type Segment, withFollowed } from './follow-faces.js'
import { type Picture, pictureOf } from './picture.js'
import type { Face } from './types.js'

/**
 * The faces of every frame of a segment, largest first, as `followFaces` gives them, for half the looks: it follows them
 * through every second frame. In a frame between two of those a face is put halfway, if both show it and no shot begins
 * there; else it is looked for.
 */
export async function followEverySecond(segment: Segment, options: DetectFacesOptions): Promise<Face[][]> {
  const { frames, cuts, first, next } = segment
  const isLooked = (t: number) => t % 2 === 0
  const looked = frames.filter((_, t) => isLooked(t))
  // A shot begins with the next frame that is looked at if it begins there or with the one left out before it.
  const lookedCuts = looked.map((_, k) => cuts[2 * k]! || (k > 0 && cuts[2 * k - 1]!))
  lookedCuts.push(cuts[frames.length]! || (isLooked(frames.length) && cuts[frames.length - 1]!))
  const seen = await followFaces({ frames: looked, cuts: lookedCuts, first, next }, options)
  const out: Face[][] = []
  for (let t = 0; t < frames.length; t++) {
    const after = seen[(t + 1) / 2] ?? next
    if (isLooked(t)) out.push(seen[t / 2]!)
    else
      out.push(
        await facesBetween(
          pictureOf(frames[t]!),
          { before: seen[(t - 1) / 2]!, after },
          {
            ...options,
            cutBefore: cuts[t]!,
            cutAfter: cuts[t + 1]!,
          },
        ),
      )
  }
  // Who moves too far in two frames for being followed may be followed through one at a time.
  const { maxFaces = 0 } = options
  for (let t = 1; t < frames.length; t++)
    if (!cuts[t]) out[t] = await withFollowed(pictureOf(frames[t]!), out[t]!, out[t - 1]!, options)
  for (let t = frames.length - 1; t >= 0; t--)
    if (!cuts[t + 1]) out[t] = await withFollowed(pictureOf(frames[t]!), out[t]!, out[t + 1] ?? next, options)
  return maxFaces > 0 ? out.map((list) => list.slice(0, maxFaces)) : out
}

/** The faces of a frame between two others. */
async function facesBetween(
  image: Picture,
  { before, after }: { before: readonly Face[]; after: readonly Face[] },
  { cutBefore, cutAfter, ...options }: DetectFacesOptions & { cutBefore: boolean; cutAfter: boolean },
): Promise<Face[]> {
  if (cutBefore && cutAfter) return detectFaces(image, options)
  if (cutBefore || cutAfter) return followAll(image, cutBefore ? after : before, options)
  const halfway: Face[] = []
  const lost: Face[] = []
  for (const face of before) {
    const same = after.find((other) => isSameFace(face, other))
    if (same) halfway.push(seenFace(between(face, same, 0.5), Math.min(face.score, same.score)))
    else lost.push(face)
  }
  const come = after.filter((face) => !before.some((other) => isSameFace(face, other)))
  const rest = [...lost, ...come]
  return withoutDuplicates([...halfway, ...(rest.length > 0 ? await followAll(image, rest, options) : [])])
}

/** A face between two that were seen is as good as seen. */
function seenFace({ filled: _, ...face }: Face, score: number): Face {
  return { ...face, score, halfway: true }
}
