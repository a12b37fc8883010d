import { basename } from 'node:path'
import { clipOf, DflError, type FaceMeta, isDflError, median, type Pixels } from '@dfl/core'
import { rankCorrelation } from '@dfl/evaluate'
import { type Faceset, openFaceset } from '@dfl/faceset'
import { applyAffine, invertAffine, multiplyAffine, resize, rgbToGray, toPixels, warpAffine } from '@dfl/image'
import { type Frame, frameNames, openFrames } from '@dfl/media'
import type { StageReport } from './events.js'
import type { DstClip } from './merge-job.js'
import { isSameClip, type Workspace } from './workspace.js'

/** Faces that are compared, spread evenly over the clip. */
const LOOKS = 5
/** Side of the pictures that are compared, in pixels, and of the cut that they are averaged from. */
const CELLS = 32
const CUT = 128
/**
 * Least agreement that is taken for the same footage. Graded, softened, noisy and hard compressed copies have 0.91 and more
 * in each face; another head that does the same 0.75, a clip that has nothing to do with it under 0.35.
 */
const OTHER = 0.5
const DOUBTFUL = 0.85

/**
 * Looks whether a clip is the footage that DST's faces were found in, where it is not the very file: by what each of a few
 * faces shows and what the clip shows in its place. Says where that is in doubt.
 *
 * @throws DflError `BAD_STATE` for another clip, unless `otherFootage`.
 */
export async function* sameFootage(
  { folder, faceset }: Workspace,
  clip: Pick<DstClip, 'path' | 'bytes' | 'modifiedMs' | 'images' | 'known'>,
  { flag = '--input', otherFootage = false }: { flag?: string; otherFootage?: boolean },
): AsyncGenerator<StageReport> {
  const { path, known } = clip
  if (otherFootage || !known || isSameClip(known, clip)) return
  const found = await agreements(await openFaceset(faceset.dst), clip)
  if (found.length === 0) return
  const shown = found.filter(({ agreement }) => agreement !== MISSING)
  const usual = shown.length > 0 ? median(shown.map(({ agreement }) => agreement)) : 0
  const where = `Expected the footage that DST's faces were found in (\`${known.path}\`) for \`${flag}\`, but got \`${path}\``
  if (usual < OTHER)
    throw new DflError(
      'BAD_STATE',
      `${where}, which shows something else where the faces should be: it agrees with them to ${usual.toFixed(2)} of 1. Extract this clip's own faces: dfl extract --side dst --input ${path} --workspace <another than ${folder}>. If these are meant all the same, add --other-footage.`,
      { data: { known: known.path, got: path, agreement: usual } },
    )
  const worst = found.reduce((a, b) => (b.agreement < a.agreement ? b : a))
  const name = basename(path)
  const advice = 'Where it was cut or retimed, faces lie beside their frames: extract it in another workspace then.'
  if (worst.agreement === MISSING) {
    const text = `${name} ends before the frames of DST's last faces: it is shorter than ${basename(known.path)}, which they were found in. ${advice}`
    yield { event: 'warning', text }
  } else if (worst.agreement < DOUBTFUL) {
    const text = `${name} is not quite the footage that DST's faces were found in: in frame ${worst.index} it agrees to ${worst.agreement.toFixed(2)} of 1 with the face there. ${advice}`
    yield { event: 'warning', text }
  }
}

/** Agreement of a face whose frame the clip does not have. */
const MISSING = -1

/** How far a clip shows what a few faces show, in their places: rank correlations of brightness, which no grade changes much. */
async function agreements(
  faceset: Faceset,
  { path: clip, known }: Pick<DstClip, 'path' | 'known'>,
): Promise<{ index: number; agreement: number }[]> {
  const names = await frameNames(clip)
  const out: { index: number; agreement: number }[] = []
  for (const face of await someOf(faceset, known?.name ?? '')) {
    const named = names.indexOf(basename(face.sourceFilename))
    const index = named >= 0 ? named : face.frameIndex
    const stored = gray(toPixels(await faceset.readImage(face)))
    try {
      using frame = await frameAt(clip, index)
      const agreement = frame ? agreementOf(stored, face, frame) : MISSING
      if (agreement !== undefined) out.push({ index, agreement })
    } catch (error) {
      // A damaged frame tells nothing of what it showed; who merges it is told of it then.
      if (!isDflError(error, 'CORRUPT_FILE')) throw error
    }
  }
  return out
}

/** Faces of all of the clip, the one of the latest frame among them. */
async function someOf(faceset: Faceset, clip: string): Promise<FaceMeta[]> {
  let count = 0
  for await (const face of faceset.faces()) if (clipOf(face) === clip) count++
  const step = Math.max(1, (count - 1) / (LOOKS - 1))
  const some: FaceMeta[] = []
  let latest: FaceMeta | undefined
  let at = 0
  for await (const face of faceset.faces()) {
    if (clipOf(face) !== clip) continue
    if (at++ >= Math.floor(some.length * step)) some.push(face)
    if (!latest || face.frameIndex > latest.frameIndex) latest = face
  }
  return latest && !some.includes(latest) ? [...some, latest] : some
}

/** A frame of a clip; nothing beyond its end. */
async function frameAt(clip: string, index: number): Promise<Frame | undefined> {
  await using source = await openFrames(clip, { start: index, end: index + 1, seek: true })
  try {
    for await (const frame of source.frames()) return frame
  } catch (error) {
    if (!isDflError(error, 'BAD_OPTION')) throw error
  }
  return undefined
}

/** Nothing where most of the face lies outside the frame, or one of both is of one colour. */
function agreementOf(stored: Pixels, { imageToFaceMat, size }: FaceMeta, frame: Frame): number | undefined {
  const scale = CUT / size
  const toCut = multiplyAffine([scale, 0, (scale - 1) / 2, 0, scale, (scale - 1) / 2], imageToFaceMat)
  const shown = gray(warpAffine(frame.bitmap, toCut, { width: CUT, height: CUT }, { border: 'replicate' }))
  const fromCut = invertAffine(toCut)
  const inside = Array.from({ length: CELLS * CELLS }, (_, i) => i).filter((i) => {
    const at = (cell: number) => ((cell + 0.5) * CUT) / CELLS - 0.5
    const [x, y] = applyAffine(fromCut, [at(i % CELLS), at(Math.floor(i / CELLS))])
    return x >= 0 && y >= 0 && x < frame.width && y < frame.height
  })
  if (inside.length < (CELLS * CELLS) / 4) return undefined
  return rankCorrelation(
    inside.map((i) => stored.data[i]!),
    inside.map((i) => shown.data[i]!),
  )
}

const gray = (picture: Pixels) => rgbToGray(resize(picture, { width: CELLS, height: CELLS }))
