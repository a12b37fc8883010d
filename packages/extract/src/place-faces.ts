import { clipOf, type FaceMeta, frameNameIn, type Rect } from '@dfl/core'
import { createFaceset, openFaceset } from '@dfl/faceset'
import { type Frame, openFrames } from '@dfl/media'
import { describeFace } from './align-faces.js'
import { asFace } from './detect-faces.js'
import { identityIn, landmarksIn } from './look.js'
import { type Networks, startWorkers, type Workers } from './networks.js'
import { progressMeter } from './progress.js'
import { isSameWayUp, mixedRect, regionOfDetection } from './region.js'
import type { Face } from './types.js'

/** A box that somebody drew around a face that was not found. */
export interface DrawnFace {
  frameIndex: number
  /** From brows to chin, in pixels of the frame. */
  rect: Rect
}

/** What became of drawn boxes. */
export interface PlacedFaces {
  /** Faces that were added, those between two boxes among them. */
  faces: number
  /** Frames with a box in which the landmarker sees no face. */
  unseen: readonly number[]
}

/** The first look is taken at each of these rolls: a box does not tell where up is. */
const ROLLS = [0, -45, 45, -90, 90, 180].map((degrees) => (degrees * Math.PI) / 180)
/** Somebody said that a face is there, so that half the usual certainty is enough. */
const LEAST_SCORE = 0.25
/** Boxes of two frames are of one face where their middles lie nearer to each other than so many widths. */
const ONE_FACE = 1.5

/**
 * Adds faces that were not found to a faceset, where boxes say that they are: a landmarker reads their landmarks inside the box.
 * Between two boxes that follow each other the face is looked for on the way from one to the other, in frames that have none.
 *
 * @param path The clip, as it was extracted.
 * @param folder Its faceset. A face that stands in a frame already stays.
 * @param options `sourceName`: what the faceset calls the clip, as in `extractFaceset`; networks of your own.
 * @throws DflError `NO_SUCH_FILE`, `UNSUPPORTED_MEDIA`, `DISK_FULL`.
 */
export async function* placeFaces(
  path: string,
  folder: string,
  drawn: readonly DrawnFace[],
  options: { sourceName?: string } & Partial<Networks> = {},
): AsyncGenerator<{ done: number; total: number }, PlacedFaces> {
  const { sourceName, ...given } = options
  const { info, counts } = await facesByFrame(folder, sourceName ?? '')
  const boxes = withBetween(drawn, (index) => counts.has(index))
  const indices = [...boxes.keys()].sort((a, b) => a - b)
  if (indices.length === 0) return { faces: 0, unseen: [] }
  await using workers = startWorkers(given, progressMeter(indices.length), ['landmarker', 'embedder'])
  await using writer = await createFaceset(folder, info)
  await using clip = await openFrames(path, { start: indices[0]!, end: indices.at(-1)! + 1, seek: true })
  const unseen: number[] = []
  let [done, faces] = [0, 0]
  for await (const frame of clip.frames()) {
    using _ = frame
    for (const { rect, isDrawn } of boxes.get(frame.index) ?? []) {
      const face = await faceIn(frame, rect, workers)
      if (!face && isDrawn) unseen.push(frame.index)
      if (!face) continue
      const faceIndex = counts.get(frame.index) ?? 0
      counts.set(frame.index, faceIndex + 1)
      const name = sourceName === undefined ? frame.name : frameNameIn(sourceName, frame)
      const { index, timestampSeconds, width, height } = frame
      const place = { index, timestampSeconds, width, height, name }
      const meta: FaceMeta = describeFace(face, place, { faceIndex, ...info })
      meta.embedding = await identityIn(frame, face.landmarks, workers.embedder)
      const { image, mask } = await workers.cut(frame, meta, face)
      await writer.add(meta, image, mask)
      faces++
    }
    if (boxes.has(frame.index)) yield { done: ++done, total: indices.length }
  }
  return { faces, unseen }
}

/** What kind of faces a faceset has, and how many of a clip in each frame that has any. */
async function facesByFrame(folder: string, clip: string) {
  const faceset = await openFaceset(folder)
  const counts = new Map<number, number>()
  for await (const face of faceset.faces())
    if (clipOf(face) === clip) counts.set(face.frameIndex, (counts.get(face.frameIndex) ?? 0) + 1)
  const { faceType, size } = faceset.info
  return { info: { faceType, size }, counts }
}

interface Box {
  rect: Rect
  isDrawn: boolean
}

/** The boxes of each frame: those that were drawn, and on the way from one to the next those of frames that have no face. */
function withBetween(drawn: readonly DrawnFace[], hasFace: (index: number) => boolean): Map<number, Box[]> {
  const boxes = new Map<number, Box[]>()
  const add = (index: number, box: Box) => boxes.set(index, [...(boxes.get(index) ?? []), box])
  for (const { frameIndex, rect } of drawn) add(frameIndex, { rect, isDrawn: true })
  const frames = [...boxes.keys()].sort((a, b) => a - b)
  for (const [i, from] of frames.slice(0, -1).entries()) {
    const to = frames[i + 1]!
    const between = Array.from({ length: to - from - 1 }, (_, k) => from + 1 + k)
    if (between.some(hasFace)) continue
    for (const { rect: a } of [...boxes.get(from)!]) {
      const b = nearest(a, boxes.get(to)!)
      if (b)
        for (const index of between) add(index, { rect: mixedRect(a, b, (index - from) / (to - from)), isDrawn: false })
    }
  }
  return boxes
}

/** Of the boxes the one of the same face; nothing where none is near enough. */
function nearest(rect: Rect, boxes: readonly Box[]): Rect | undefined {
  const middle = ({ x, y, width, height }: Rect) => [x + width / 2, y + height / 2] as const
  const [x, y] = middle(rect)
  const far = (other: Rect) => Math.hypot(middle(other)[0] - x, middle(other)[1] - y)
  const best = boxes.map((box) => box.rect).sort((a, b) => far(a) - far(b))[0]
  return best && far(best) < ONE_FACE * Math.max(rect.width, best.width) ? best : undefined
}

/** The face in a box: the surest of the first looks, and a second one where that saw it. */
async function faceIn(
  frame: Frame,
  rect: Rect,
  { landmarker }: Pick<Workers, 'landmarker'>,
): Promise<Face | undefined> {
  const region = regionOfDetection({ rect, keyPoints: [], score: 1 })
  let best: Awaited<ReturnType<typeof landmarksIn>> | undefined
  for (const rollRadians of ROLLS) {
    const found = await landmarksIn(frame, { ...region, rollRadians }, landmarker)
    if (isSameWayUp(found.region, { rollRadians }) && found.score > (best?.score ?? LEAST_SCORE)) best = found
    if (best && best.score > 0.9) break
  }
  if (!best) return undefined
  const again = await landmarksIn(frame, best.region, landmarker)
  return asFace(again.score >= best.score / 2 ? again : best)
}
