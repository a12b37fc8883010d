import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exactLandmarks, openWorkspace } from '@dfl/cli'
import { type Bitmap, DflError, distance, type FaceMeta } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { AXES, type Axis, axisDistance, axisValues, type FaceTraits, faceTraits, frameMetrics } from '@dfl/evaluate'
import { dlibEmbedder, type Embedder, faceLandmarker, type Landmarker, regionOfLandmarks } from '@dfl/extract'
import { openFaceset } from '@dfl/faceset'
import { toPixels } from '@dfl/image'
import { openFrames } from '@dfl/media'
import type { PairClips } from './quality.js'
import { traitsAt } from './traits-at.js'

type ByAxis = Partial<Record<Axis, number>>

/** One DST face of a pair: how far SRC is from it, and how far its swap came out from the true one. */
export interface FaceResult {
  pair: string
  frame: number
  /** What the face shows, and how far SRC's third-nearest is from that, each in the axis's own unit. */
  values: ByAxis
  distances: ByAxis
  /** 1 − SSIM inside the face, the truth's face laid on DST's. */
  ssimError: number
  /** Between the embeddings of the swap and of the true swap. */
  identity: number
  /** What the swap shows less what the true swap shows, both found in the pictures by the same network. */
  off: ByAxis
}

/** What is kept of a pair, beside its other results; gone when it is trained anew. */
export const KEPT_FACES = 'faces.json'

/** Changes when what is measured does. */
const FORMAT = 1

/**
 * The faces of a pair that was merged: `folder` is what `measurePair` filled. Kept there as `faces.json`.
 *
 * @throws DflError `NO_SUCH_FILE` where the merged clip is gone.
 */
export async function facesOfPair(pair: PairClips, folder: string): Promise<FaceResult[]> {
  const kept = join(folder, KEPT_FACES)
  if (await exists(kept)) {
    const known = JSON.parse(await readFile(kept, 'utf8')) as { format: number; faces: FaceResult[] }
    if (known.format === FORMAT) return known.faces
  }
  const workspace = await openWorkspace(join(folder, 'workspace'))
  const result = join(workspace.folder, 'result.mp4')
  if (!(await exists(result)))
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected the merged clip in \`${result}\`, but it is not there. Delete ${join(folder, 'result.json')}: the pair is then made anew.`,
    )
  const src = await traitsOfFaceset(workspace.faceset.src)
  const dst = await traitsOfFaceset(workspace.faceset.dst)
  const faces = await compare({ ...pair, result }, { src, dst })
  await writeFile(kept, `${JSON.stringify({ format: FORMAT, faces })}\n`)
  return faces
}

interface ReadFace {
  face: FaceMeta
  traits: FaceTraits
}

async function traitsOfFaceset(folder: string): Promise<ReadFace[]> {
  const faceset = await openFaceset(folder)
  const out: ReadFace[] = []
  for await (const face of faceset.faces())
    if (face.faceIndex === 0) out.push({ face, traits: faceTraits(face, await faceset.readImage(face)) })
  return out
}

async function compare(
  clips: { name: string; dst: string; truth: string; result: string },
  { src, dst }: { src: readonly ReadFace[]; dst: readonly ReadFace[] },
): Promise<FaceResult[]> {
  const [ofSrc, ofDst] = [src, dst].map((faces) => faces.map(({ traits }) => traits))
  const [srcValues, dstValues] = [axisValues(ofSrc!), axisValues(ofDst!)]
  const [inDst, inTruth, inResult] = [
    await bitmapsOf(clips.dst),
    await bitmapsOf(clips.truth),
    await bitmapsOf(clips.result),
  ]
  const [dstLandmarks, truthLandmarks] = [await exactLandmarks(clips.dst), await exactLandmarks(clips.truth)]
  await using landmarker = await faceLandmarker()
  await using embedder = await dlibEmbedder()
  const networks = { landmarker, embedder }
  const found: { truth: FaceTraits; swap: FaceTraits; told: Omit<FaceResult, 'off'> }[] = []
  for (const [i, { face }] of dst.entries()) {
    const at = face.frameIndex
    const [swap, truth] = [await traitsIn(inResult[at]!, face, networks), await traitsIn(inTruth[at]!, face, networks)]
    if (!swap || !truth) continue
    const of = (values: Record<Axis, readonly (number | undefined)[]>) => byAxis((axis) => values[axis][i])
    const known = (axis: Axis) => srcValues[axis].filter((value) => value !== undefined)
    const { truthFace } = frameMetrics(
      { result: toPixels(inResult[at]!), dst: toPixels(inDst[at]!), truth: toPixels(inTruth[at]!) },
      dstLandmarks![at]!,
      truthLandmarks![at]!,
    )
    found.push({
      ...{ swap, truth },
      told: {
        pair: clips.name,
        frame: at,
        values: of(dstValues),
        distances: byAxis((axis) => {
          const value = dstValues[axis][i]
          return value === undefined || known(axis).length === 0 ? undefined : axisDistance(known(axis), value)
        }),
        ssimError: 1 - truthFace!.ssim,
        identity: distance(swap.embedding!, truth.embedding!),
      },
    })
  }
  const truths = found.map(({ truth }) => truth)
  const truthValues = axisValues(truths)
  const swapValues = axisValues(
    found.map(({ swap }) => swap),
    truths,
  )
  return found.map(({ told }, i) => ({
    ...told,
    off: byAxis((axis) => {
      const [swap, truth] = [swapValues[axis][i], truthValues[axis][i]]
      return swap === undefined || truth === undefined ? undefined : swap - truth
    }),
  }))
}

const byAxis = (of: (axis: Axis) => number | undefined): ByAxis =>
  Object.fromEntries(
    AXES.flatMap(({ axis }) => {
      const value = of(axis)
      return value === undefined ? [] : [[axis, value]]
    }),
  )

async function bitmapsOf(clip: string): Promise<Bitmap[]> {
  await using source = await openFrames(clip)
  const out: Bitmap[] = []
  for await (const frame of source.frames()) {
    out.push(frame.bitmap)
    frame.close()
  }
  return out
}

/** The traits of the face that is where DST's is, and whom it shows; nothing where none is found. */
async function traitsIn(
  image: Bitmap,
  dst: FaceMeta,
  { landmarker, embedder }: { landmarker: Landmarker; embedder: Embedder },
): Promise<FaceTraits | undefined> {
  const { landmarks, score } = await landmarker.landmarks(image, regionOfLandmarks(dst.sourceLandmarks))
  if (score < 0.5) return undefined
  const embedding = Array.from(await embedder.embed(image, landmarks))
  const { faceType, size, frameIndex } = dst
  return traitsAt(image, landmarks, { faceType, size, frameIndex, embedding })
}
