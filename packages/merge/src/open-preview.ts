import { type Bitmap, DflError, resolveOptions } from '@dfl/core'
import { type Frame, openFrames } from '@dfl/media'
import { type FacesOf, facesOfClip } from './faces-of-frames.js'
import type { MergedFaceReport } from './mask-fit.js'
import { cutFace, type FaceCrop, type Masker, type Swap, type Swapper } from './merge-face.js'
import { pasteFaces } from './merge-frame.js'
import { type MergeOptions, mergeOptions, mergeStages } from './merge-options.js'

/** Frames that are kept ready, decoded and swapped. */
const KEPT = 16
/** Frames that are decoded on the way to another one rather than looking for its key frame. */
const AHEAD = 24

/** One frame of a merge, to look at while settings are chosen. */
export interface PreviewedFrame {
  /** [H, W, 3] DST's frame, and the same with its faces swapped. Do not change them in place. */
  before: Bitmap
  after: Bitmap
  faces: MergedFaceReport[]
}

/** Shows single frames of a merge. */
export interface MergePreview extends AsyncDisposable {
  /**
   * A frame, merged on its own: what is averaged over time is that of this frame alone.
   *
   * A frame that was shown before is neither decoded nor swapped again, so that another setting takes the time of the
   * stages only. To reach others the clip is decoded from the key frame before them.
   *
   * @throws DflError `BAD_OPTION` for wrong options, and for a frame beyond the clip's end.
   */
  show(index: number, options?: Partial<MergeOptions>): Promise<PreviewedFrame>
}

interface Ready {
  index: number
  before: Bitmap
  crops: FaceCrop[]
  swaps: Swap[]
}

/** A preview of merging a clip: with decoder and model warm, another setting for a frame is seen at once. */
export async function openPreview(job: {
  /** DST's clip. */
  frames: string
  /** Folder of its faceset, or a function that gives a frame's faces. */
  faces: string | FacesOf
  /** What the faceset calls the clip, where that is not its file name. */
  source?: string
  swapper: Swapper
  masker?: Masker
}): Promise<MergePreview> {
  const { frames: path, swapper, masker } = job
  const facesOf = typeof job.faces === 'string' ? (await facesOfClip(job.faces, path, job.source)).of : job.faces
  const kept: Ready[] = []
  let walk: { frames: AsyncGenerator<Frame>; at: number; close: () => Promise<void> } | undefined

  const close = async () => {
    const closing = walk
    walk = undefined
    await closing?.frames.return(undefined)
    await closing?.close()
  }
  const decoded = async (index: number): Promise<Frame> => {
    if (walk && (walk.at > index || index - walk.at > AHEAD)) await close()
    if (!walk) {
      const clip = await openFrames(path, { start: index, seek: true })
      const { frameCount, frameCountIsEstimate } = clip.info
      if (!frameCountIsEstimate && index >= frameCount) throw beyond(index, frameCount)
      walk = { frames: clip.frames(), at: index, close: async () => clip[Symbol.asyncDispose]() }
    }
    for (;;) {
      const next = await walk.frames.next()
      if (next.done) {
        const frames = walk.at
        await close()
        throw beyond(index, frames)
      }
      walk.at = next.value.index + 1
      if (next.value.index === index) return next.value
      next.value.close()
    }
  }
  const ready = async (index: number): Promise<Ready> => {
    const found = kept.findIndex((one) => one.index === index)
    if (found >= 0) {
      const [one] = kept.splice(found, 1)
      kept.push(one!)
      return one!
    }
    using frame = await decoded(index)
    const before = frame.bitmap
    const crops = (await facesOf(frame)).map((face) => cutFace(before, face, swapper))
    const swaps = crops.length > 0 ? await swapper.swap(crops.map(({ dst }) => dst)) : []
    const made = { index, before, crops, swaps }
    kept.push(made)
    if (kept.length > KEPT) kept.shift()
    return made
  }
  return {
    async show(index, options = {}) {
      const stages = mergeStages(resolveOptions(mergeOptions, options), { masker })
      const { before, crops, swaps } = await ready(index)
      const { bitmap, faces } = await pasteFaces(before, { crops, swaps, stages })
      return { before, after: bitmap, faces }
    },
    [Symbol.asyncDispose]: close,
  }
}

const beyond = (index: number, frames: number) =>
  new DflError('BAD_OPTION', `Expected a frame below ${frames} for \`index\`, but got ${index}. The clip ends there.`)
