import { hullMask } from '@dfl/align'
import type { FaceMeta, Pixels, Point } from '@dfl/core'
import { applyAffineAll, createPixels, fillPolygons, resize } from '@dfl/image'

/** How far beyond the landmarks of the jaw the head may end, as a share of their distance to the middle of the face. */
const BEYOND_JAW = 0.08
/** Corners of the jaw line, by landmark: between them the head ends at the jaw, beside them at the level of the ear lobes. */
const LOBES = [2, 14] as const
/** Below this certainty a pixel shows no person: holes and far pieces end there. */
const SOME = 0.1
/** Of a picture's pixels: with fewer the segmenter saw nobody, and the face in it is all that is known of the head. */
const NOBODY = 0.02

/**
 * Where the head is, hair and ears included and the neck not: [size / 2, size / 2, 1] float32 0..1; nothing where the
 * segmenter saw nobody.
 *
 * What it saw of the person is kept above the jaw line and what goes on from it at the level of the ear lobes, as far as it
 * hangs together with the face: other people in the picture are left out. Hair that hangs lower is cut there.
 *
 * @param person  How surely each pixel of the aligned image shows a person: [h, w, 1] 0..1, of any size.
 * @param face  The described face; what lies beyond its frame is no part of the head, where the frame's size is known.
 * @param within  What the landmarker saw of the face, as a polygon in pixels of the aligned image.
 */
export function headMask(
  person: Pixels,
  face: Pick<FaceMeta, 'landmarks' | 'size' | 'imageToFaceMat' | 'frameSize'>,
  within?: readonly Point[],
): Pixels | undefined {
  const { landmarks, size, imageToFaceMat, frameSize } = face
  const side = size / 2
  // Half the size is as fine as models are: edges are covered in part.
  const toMask = ([x, y]: Point): Point => [(x + 0.5) / 2 - 0.5, (y + 0.5) / 2 - 0.5]
  const points = landmarks.map(toMask)
  const inFace = hullMask(points, side, within ? { within: within.map(toMask) } : {})
  const mask = resize(person, { width: side, height: side })
  const inFrame = frameSize && applyAffineAll(imageToFaceMat, cornersOf(frameSize)).map(toMask)
  for (const limit of [aboveJaw(points, side), ...(inFrame ? [inFrame] : [])]) {
    const inside = createPixels(side, side, 1)
    fillPolygons(inside, [limit])
    for (let i = 0; i < mask.data.length; i++) mask.data[i]! *= inside.data[i]!
  }
  let seen = 0
  for (let i = 0; i < mask.data.length; i++) seen += mask.data[i] = Math.min(1, Math.max(0, mask.data[i]!))
  if (seen < NOBODY * side * side) return undefined
  for (let i = 0; i < mask.data.length; i++) mask.data[i] = Math.max(mask.data[i]!, inFace.data[i]!)
  keepWhatTouches(mask, inFace)
  return mask
}

/** The edges of a frame, not the centres of its outer pixels. */
const cornersOf = ({ width, height }: { width: number; height: number }): Point[] => [
  [-0.5, -0.5],
  [width - 0.5, -0.5],
  [width - 0.5, height - 0.5],
  [-0.5, height - 0.5],
]

/** The part of the picture above the jaw, as a polygon: the upper corners, and the jaw line with what goes on beside it. */
function aboveJaw(points: readonly Point[], side: number): Point[] {
  const middle = ([0, 1] as const).map((k) => {
    const along = points.map((point) => point[k])
    return (Math.min(...along) + Math.max(...along)) / 2
  }) as [number, number]
  const jaw = points
    .slice(LOBES[0], LOBES[1] + 1)
    .map((point): Point => [outwards(point[0], middle[0]), outwards(point[1], middle[1])])
  const [left, right] = [jaw[0]!, jaw[jaw.length - 1]!]
  return [[-1, -1], [-1, left[1]], ...jaw, [side, right[1]], [side, -1]]
}

const outwards = (value: number, middle: number) => value + BEYOND_JAW * (value - middle)

/** Clears all of a mask that does not hang together with another one, step by step over neighbouring pixels. */
function keepWhatTouches(mask: Pixels, seed: Pixels): void {
  const { width, height, data } = mask
  const kept = new Uint8Array(data.length)
  const ahead: number[] = []
  const reach = (i: number) => {
    if (kept[i] || data[i]! < SOME) return
    kept[i] = 1
    ahead.push(i)
  }
  for (let i = 0; i < data.length; i++) if (seed.data[i]! > 0.5) reach(i)
  for (let i = ahead.pop(); i !== undefined; i = ahead.pop()) {
    const x = i % width
    if (x > 0) reach(i - 1)
    if (x < width - 1) reach(i + 1)
    if (i >= width) reach(i - width)
    if (i < width * (height - 1)) reach(i + width)
  }
  for (let i = 0; i < data.length; i++) if (!kept[i]) data[i] = 0
}
