import { basename, extname, join } from 'node:path'
import { clipOf, DflError, type FaceMeta, frameNameIn, mapConcurrent, resolveOptions } from '@dfl/core'
import { createFaceset, type FacesetWriter, openFaceset } from '@dfl/faceset'
import { type Frame, type FrameSource, frameSignature, openFrames, writeImage } from '@dfl/media'
import { describeFace } from './align-faces.js'
import { debugPicture } from './debug-picture.js'
import { type DetectFacesOptions, detectFaces } from './detect-faces.js'
import { followEverySecond } from './follow-every-second.js'
import { followFaces } from './follow-faces.js'
import { identityIn } from './look.js'
import { type Networks, startWorkers, type Workers } from './networks.js'
import { identityInPicture, onlyPerson, type WantedPerson } from './only-person.js'
import { alignedSize, type ExtractOptions, extractOptions } from './options.js'
import { type ExtractProgress, type ProgressMeter, progressMeter } from './progress.js'
import { cutsOf, type FrameItem, type FrameSegment, segmentLength, segmentsOf } from './segments.js'
import { type FrameFaces, STEADY_FRAMES, steadySegments } from './steady-segments.js'
import type { Embedder, Face, FaceDetector, Landmarker, Segmenter } from './types.js'

/** The options of `extractOptions`, and networks of your own. */
export interface ExtractFacesetOptions extends Partial<ExtractOptions> {
  /** Networks of your own instead of the built-in ones. They are not disposed of. */
  detector?: FaceDetector
  landmarker?: Landmarker
  embedder?: Embedder
  /** For heads. */
  segmenter?: Segmenter
  /**
   * Take the faces of this person only: an identity from `embedder`, as `identityInPicture` gives it or as the mean
   * embedding of a person. Comes before the option `person`.
   */
  identity?: ArrayLike<number>
  /** Identities of other people beside `identity`: a face that is more like one of them is left out. */
  others?: readonly ArrayLike<number>[]
  /**
   * What the faceset calls the footage: frames are named 'name#12', or 'name/0001.png' where they are images. Tells clips of one
   * faceset apart. The file's name if not given, and images are then named by their own alone.
   */
  sourceName?: string
  /**
   * Called for each damaged frame of a file, in which faces are then looked for as well as can be; without it the
   * extraction ends there.
   */
  onDamaged?: (error: DflError) => void
}

/** Segments, and frames to be written, that are under way at once. */
const SEGMENTS_UNDER_WAY = 2
const FRAMES_UNDER_WAY = 4

/** One frame with its faces found. */
interface FoundFrame extends FrameFaces {
  item: FrameItem
}

/**
 * Extracts the faces of footage into a faceset, one report after each frame. The work happens while you walk:
 *
 *     for await (const report of extractFaceset('src.mp4', 'src-faces')) console.log(report.fps)
 *
 * It can be stopped at any moment, by `break` or by killing the process. The same call later goes on where it stopped
 * and ends with the faceset that an uninterrupted run gives; after the end it changes nothing.
 *
 * @param source  A video, a folder of images, an image, or frames from anywhere.
 * @param folder  The faceset: new, or one of the same face type and size that more is added to.
 * @throws DflError `NO_FACES` at the end when the footage shows none; `BAD_OPTION`, `NO_SUCH_FILE`,
 * `UNSUPPORTED_MEDIA`, `FACE_TYPE_MISMATCH`, `DISK_FULL`.
 */
export async function* extractFaceset(
  source: string | FrameSource,
  folder: string,
  options: ExtractFacesetOptions = {},
): AsyncGenerator<ExtractProgress> {
  const { detector, landmarker, embedder, segmenter, identity, others, sourceName, onDamaged, ...chosen } = options
  const given = {
    ...{ ...(detector && { detector }), ...(landmarker && { landmarker }) },
    ...{ ...(embedder && { embedder }), ...(segmenter && { segmenter }) },
  }
  const settings = resolveOptions(extractOptions, chosen)
  const { start, end } = stretchOf(settings)
  const owned: AsyncDisposable[] = []
  const own = async <T extends AsyncDisposable>(made: Promise<T>): Promise<T> => {
    const value = await made
    owned.unshift(value)
    return value
  }
  try {
    const clip =
      typeof source === 'string'
        ? await own(
            openFrames(source, {
              ...{ photos: settings.side === 'src', start, end, seek: true },
              ...(onDamaged ? { onDamaged } : {}),
            }),
          )
        : source
    const writer = await own(createFaceset(folder, { faceType: settings.faceType, size: alignedSize(settings) }))
    const name = sourceName ?? basename(clip.info.path)
    const frameCount = Math.max(0, Math.min(end, clip.info.frameCount) - start)
    const meter = progressMeter(Math.ceil(frameCount / settings.everyNth))
    let workers: Workers | undefined
    let person: Promise<WantedPerson | undefined> | undefined
    const run: Run = {
      name,
      frameName: (frame) => (sourceName === undefined ? frame.name : frameNameIn(sourceName, frame)),
      settings,
      writer,
      meter,
      // Only when first needed: a run that has nothing to do ends at once.
      workers: () => {
        if (!workers) owned.unshift((workers = startWorkers(given, meter, neededNetworks(settings))))
        return workers
      },
      person: () => (person ??= identity ? Promise.resolve({ identity, others }) : personOf(run)),
    }
    yield* runExtraction(clip, run)
    await writer.flush()
    const report = meter.report()
    if (report.faces === 0 && !(await hasFaces(folder, sourceName === undefined ? [name, ''] : [name])))
      throw noFaces(name, report, (await person) !== undefined)
  } finally {
    for (const item of owned) await item[Symbol.asyncDispose]()
  }
}

interface Run {
  name: string
  /** What the faceset calls a frame. */
  frameName(frame: Frame): string
  settings: ExtractOptions
  writer: FacesetWriter
  meter: ProgressMeter
  workers(): Workers
  /** The one whose faces are wanted; nothing where everybody's are. */
  person(): Promise<WantedPerson | undefined>
}

/** The networks that no extraction with these options can do without, once there is a face. */
const neededNetworks = ({ embedEvery, faceType }: ExtractOptions): (keyof Networks)[] => [
  'detector',
  'landmarker',
  ...(embedEvery > 0 ? (['embedder'] as const) : []),
  ...(faceType === 'head' ? (['segmenter'] as const) : []),
]

/** The frames that are asked for, the last one not included. @throws DflError `BAD_OPTION` where they end before they begin. */
function stretchOf({ firstFrame, lastFrame }: ExtractOptions): { start: number; end: number } {
  const end = lastFrame === 0 ? Number.POSITIVE_INFINITY : lastFrame + 1
  if (firstFrame < end) return { start: firstFrame, end }
  throw new DflError(
    'BAD_OPTION',
    `Expected a frame of at least ${firstFrame}, the first one, for \`lastFrame\`, but got ${lastFrame}. Correct it, or leave it out.`,
  )
}

/** The person in the picture that the options name. */
async function personOf({ settings, workers }: Run): Promise<WantedPerson | undefined> {
  return settings.person === '' ? undefined : { identity: await identityInPicture(settings.person, workers()) }
}

async function* runExtraction(clip: FrameSource, run: Run): AsyncGenerator<ExtractProgress> {
  const { settings, meter } = run
  const length = segmentLength(clip.info, settings.detectEvery * (settings.fast ? 2 : 1))
  const isDst = settings.side === 'dst'
  const smooth = settings.smooth === 'on' || (settings.smooth === 'auto' && isDst)
  const fill = settings.gaps === 'fill' || (settings.gaps === 'auto' && isDst)
  const reach = smooth || fill ? Math.max(1, Math.ceil(STEADY_FRAMES / length)) : 0
  const segments = segmentsOf(frameItems(clip, run), length, reach)
  const found = mapConcurrent(segments, (segment) => findFaces(segment, run), SEGMENTS_UNDER_WAY)
  const ready = flatten(
    steadySegments(found, { smooth, fill, maxFaces: settings.maxFaces, reach, shaken: meter.shaken }),
  )
  for await (const _ of mapConcurrent(ready, (frame) => writeFaces(frame, run), FRAMES_UNDER_WAY)) yield meter.report()
}

/** The frames of the clip that are asked for. */
async function* frameItems(clip: FrameSource, run: Run): AsyncGenerator<FrameItem> {
  const { settings, meter } = run
  const done = new Set(run.writer.done(run.name))
  const { start, end } = stretchOf(settings)
  const frames = clip.frames()
  let count = 0
  try {
    for (;;) {
      const next = await meter.timed('decode', () => frames.next())
      if (next.done) return meter.clipEnded(count)
      const frame = next.value
      const { index } = frame
      if (index >= start && index < end && index % settings.everyNth === 0) {
        count++
        const isDone = done.has(index)
        // They get ready while the frames of the first segments are decoded.
        if (!isDone) run.workers()
        yield frameItem(frame, isDone, run)
      } else frame.close()
    }
  } finally {
    await frames.return(undefined)
  }
}

function frameItem(frame: Frame, done: boolean, run: Run): FrameItem {
  let signature: Float32Array | undefined
  let detected: ReturnType<FrameItem['detected']> | undefined
  return {
    frame,
    done,
    signature: () => (signature ??= frameSignature(frame)),
    detected: () => (detected ??= detectionOptions(run).then((options) => detectFaces(frame, options))),
  }
}

async function detectionOptions({ settings, workers, person }: Run): Promise<DetectFacesOptions> {
  const { detector, landmarker } = workers()
  const { minSize, minScore } = settings
  // Of one person's faces the largest are wanted, and other people's may be larger.
  const maxFaces = (await person()) ? 0 : settings.maxFaces
  const { rotations, tiles } = settings as Pick<DetectFacesOptions, 'rotations' | 'tiles'>
  return { detector, landmarker, maxFaces, minSize, minScore, rotations, tiles }
}

/** The frames of a segment with their faces; without, where nothing is needed of the segment. */
async function findFaces(segment: FrameSegment, run: Run): Promise<FoundFrame[]> {
  const { items, next, needed } = segment
  if (!needed) return items.map((item) => found(item, [], true))
  const options = await detectionOptions(run)
  // Images of SRC may be photos: a face is not where it was in the one before.
  const still = run.settings.side === 'src' && items[0]!.frame.file !== undefined
  const cuts = cutsOf(segment, { still })
  const follow = run.settings.fast ? followEverySecond : followFaces
  const everybodys = await follow(
    {
      frames: items.map((item) => item.frame),
      cuts,
      first: await items[0]!.detected(),
      next: next ? await next.detected() : [],
    },
    options,
  )
  const faces = await wantedFaces(items, { everybodys, cuts }, run)
  return items.map((item, i) => found(item, faces[i]!, cuts[i]!))
}

/** The faces of the person that is asked for; everybody's where nobody is. */
async function wantedFaces(
  items: readonly FrameItem[],
  { everybodys, cuts }: { everybodys: readonly (readonly Face[])[]; cuts: readonly boolean[] },
  { workers, person }: Run,
): Promise<readonly (readonly Face[])[]> {
  const wanted = await person()
  if (!wanted) return everybodys
  const { embedder } = workers()
  const frames = items.map(({ frame }, i) => ({ picture: frame, faces: everybodys[i]!, cut: cuts[i]! }))
  return onlyPerson(frames, wanted, embedder)
}

const found = (item: FrameItem, faces: readonly Face[], cut: boolean): FoundFrame => ({
  item,
  timestampSeconds: item.frame.timestampSeconds,
  faces,
  cut,
})

async function* flatten<T>(lists: AsyncIterable<T[]>): AsyncGenerator<T> {
  for await (const list of lists) yield* list
}

/** Writes the faces of a frame, and that it is done. Frames that were done before are only counted. */
async function writeFaces({ item, faces, cut }: FoundFrame, run: Run): Promise<void> {
  const { name, settings, writer, meter } = run
  const { frame } = item
  try {
    if (item.done) return meter.frameSkipped()
    const size = alignedSize(settings)
    const metas: FaceMeta[] = []
    const writes: Promise<void>[] = []
    for (const [faceIndex, face] of faces.entries()) {
      const { index, timestampSeconds, width, height } = frame
      const place = { index, timestampSeconds, width, height, name: run.frameName(frame) }
      const meta = describeFace(face, place, { faceIndex, faceType: settings.faceType, size })
      const embedEvery = settings.embedEvery * (settings.fast ? 2 : 1)
      const due = cut || (frame.index / settings.everyNth) % embedEvery === 0
      if (!face.filled && embedEvery > 0 && due) {
        const { embedder } = run.workers()
        meta.embedding = await identityIn(frame, face.landmarks, embedder)
      }
      metas.push(meta)
      const { image, mask } = await run.workers().cut(frame, meta, face)
      writes.push(meter.timed('write', () => writer.add(meta, image, mask)))
    }
    await Promise.all(writes)
    if (settings.debugFolder) {
      const path = join(
        settings.debugFolder,
        `${basename(name, extname(name))}_${String(frame.index).padStart(6, '0')}.jpg`,
      )
      await writeImage(path, debugPicture(frame.bitmap, metas), { quality: 80 })
    }
    await writer.frameDone(name, frame.index)
    meter.frameDone(frame.name, faces.length, faces.filter(({ filled }) => filled).length)
  } finally {
    frame.close()
  }
}

/** Whether an earlier run found faces in this clip, which goes by one of these names. */
async function hasFaces(folder: string, names: readonly string[]): Promise<boolean> {
  for await (const face of (await openFaceset(folder)).faces()) if (names.includes(clipOf(face))) return true
  return false
}

function noFaces(name: string, report: ExtractProgress, ofPerson: boolean): DflError {
  const whose = ofPerson ? ' of the wanted person' : ''
  const first = ofPerson ? 'Try another picture of this person, upright and from the front. ' : ''
  return new DflError(
    'NO_FACES',
    `Expected faces${whose} in \`${name}\`, but got none in ${report.framesDone} frames. ${first}Look at a few frames: if there are faces, try a smaller \`minSize\`, a lower \`minScore\`, or 'on' for \`tiles\`.`,
    { data: { source: name, frames: report.framesDone } },
  )
}
