import { eyeOpening, mouthOpening } from '@dfl/align'
import {
  DflError,
  FACE_TYPES,
  type FaceMeta,
  type FaceType,
  hashSeed,
  type OptionsOf,
  type Point,
  resolveOptions,
  type Side,
} from '@dfl/core'
import { type CutSpec, cutBytes } from './cut-face.js'
import type { SideBatch } from './draw-sample.js'
import { type FaceCache, faceCache } from './face-cache.js'
import type { Faceset } from './faceset.js'
import type { MakerSettings, SampleMaker } from './sample-maker.js'
import { SAMPLER_OPTIONS } from './sampler-options.js'
import { rareOrder, type SamplingOrder, shuffledOrder, uniformYawOrder, windowedOrder } from './sampling-order.js'
import { builtWorkerUrl, closedError, localMaker, workerMaker } from './worker-maker.js'

/** Samples for which a face is kept when not all fit into the cache. */
const USES_PER_DECODE = 8

/** Each holds an image in memory until it is cut. */
const DECODES_AT_ONCE = 4

/** Samples of both sides. The arrays belong to whoever asked for them. */
export interface Batch extends Record<Side, SideBatch> {
  batchSize: number
  resolution: number
}

/** Draws training samples. Must be closed. */
export interface Sampler extends AsyncDisposable {
  /**
   * The batch of a step, from 0. Depends on the facesets, the options and `step` alone, so a resumed run gets what an
   * uninterrupted one would have got. The batches of the steps that follow are made meanwhile.
   */
  batch(step: number): Promise<Batch>
  /** The batches from `firstStep` on, without end. */
  batches(firstStep?: number): AsyncGenerator<Batch>
  /**
   * `count` faces of each side, evenly spread over the faceset, centred and not augmented: `warped` equals `target`.
   * For previews, and for measuring on always the same faces.
   */
  previewBatch(count: number): Promise<Batch>
}

/** Two facesets and the model that samples are for; everything else has a default in `SAMPLER_OPTIONS`. */
export interface SamplerOptions extends Partial<OptionsOf<typeof SAMPLER_OPTIONS>> {
  /** The giver of identity. */
  src: Faceset
  /** The giver of performance; may be the same faceset. */
  dst: Faceset
  /** The model's face type: at most as wide as those of the facesets. */
  faceType: FaceType
  /** The model's side R, in pixels. */
  resolution: number
  /** The worker's module, where a bundler has moved it: the default is `sample-worker.js` beside this package's code. */
  workerUrl?: URL
}

/**
 * A sampler over two facesets.
 *
 * A face is decoded once, cut to the model's face type and kept in memory that the worker threads share; a sample is one
 * resampling of that cut. Where no built worker file stands beside this code, as under a test runner that runs the
 * TypeScript sources, samples are made in the calling thread unless `workers` asks for more.
 *
 * @throws DflError `FACE_TYPE_MISMATCH` when a faceset is tighter than the model's face type, `NO_FACES` when one is
 * empty, `BAD_OPTION` for wrong options or `uniformYaw` without poses, `BAD_SHAPE` for `paired` facesets of different length.
 */
export async function createSampler(options: SamplerOptions): Promise<Sampler> {
  const { src, dst, faceType, resolution, workerUrl = builtWorkerUrl(), ...given } = options
  const resolved = resolveOptions(SAMPLER_OPTIONS, { workers: workerUrl ? undefined : 0, ...definedOnly(given) })
  checkTarget(options)
  if (resolved.uniformYaw && resolved.rareExpressions)
    throw new DflError(
      'BAD_OPTION',
      'Expected one of `uniformYaw` and `rareExpressions`, but got both. Each says how often a face is shown: choose one.',
    )
  const specOf = ({ info }: Faceset): CutSpec => ({
    faceType,
    resolution,
    wider: info.faceType !== faceType,
    eyesMouth: resolved.eyesMouth,
  })
  const settings: MakerSettings = {
    seed: resolved.seed,
    cut: { src: specOf(src), dst: specOf(dst) },
    flip: { src: resolved.flipSrc, dst: resolved.flipDst },
    hsvPower: { src: resolved.hsvPower, dst: 0 },
    matchColors: resolved.matchColors,
    randomWarp: resolved.randomWarp,
    warpPower: resolved.warpPower,
    paired: resolved.paired,
  }
  if (resolved.workers > 0 && !workerUrl)
    throw new DflError(
      'MISSING_DEPENDENCY',
      'Expected the built file sample-worker.js for `workers`, but got TypeScript sources only. ' +
        'Build the package, pass `workerUrl`, or use `workers: 0`.',
    )
  const sources = {
    src: await readSource('src', src, resolved),
    dst: await readSource('dst', dst, resolved),
  }
  if (resolved.paired) {
    checkPairs(sources)
    sources.dst.order = sources.src.order
  }
  const maker = resolved.workers > 0 ? workerMaker(settings, resolved.workers, workerUrl!) : localMaker(settings)
  const sides = makeSides(sources, settings, resolved, maker)
  return makeSampler(sides, maker, resolution, resolved)
}

/** What a sampler keeps of a faceset: little, as there may be 100,000 faces. */
interface Source {
  faceset: Faceset
  filenames: string[]
  /** [count, 68, 2] in pixels of the aligned images. */
  landmarks: Float32Array
  /** What the masks of faces are made of that have more than landmarks, by index. */
  shapes: Map<number, Pick<FaceMeta, 'polygons' | 'mask' | 'eyebrowsExpandMod'>>
  order: SamplingOrder
}

interface SampledSide {
  count: number
  order: SamplingOrder
  cache: FaceCache
}

function makeSampler(
  sides: Record<Side, SampledSide>,
  maker: SampleMaker,
  resolution: number,
  { batchSize, prefetch }: OptionsOf<typeof SAMPLER_OPTIONS>,
): Sampler {
  const ahead = new Map<number, Promise<Batch>>()
  let closed = false

  const draw = async (facesOf: (side: SampledSide) => number[], step?: number): Promise<Batch> => {
    const cutsOf = (side: SampledSide) => Promise.all(facesOf(side).map((face) => side.cache.get(face)))
    const [src, dst] = await Promise.all([cutsOf(sides.src), cutsOf(sides.dst)])
    return { ...(await maker.draw({ step, cuts: { src, dst } })), batchSize: src.length, resolution }
  }
  const start = (step: number): Promise<Batch> => {
    const known = ahead.get(step)
    if (known) return known
    const batch = draw(({ order }) => indices(batchSize).map((i) => order(step * batchSize + i)), step)
    batch.catch(() => {}) // Whoever asks for this step gets the error.
    ahead.set(step, batch)
    return batch
  }
  const batch = async (step: number): Promise<Batch> => {
    if (closed) throw closedError()
    if (!Number.isSafeInteger(step) || step < 0)
      throw new DflError(
        'BAD_OPTION',
        `Expected a whole number of at least 0 for \`step\`, but got ${step}. Correct it.`,
      )
    const asked = start(step)
    for (const other of ahead.keys()) if (other <= step || other > step + prefetch) ahead.delete(other)
    for (let next = step + 1; next <= step + prefetch; next++) start(next)
    return asked
  }
  return {
    batch,
    async *batches(firstStep = 0) {
      for (let step = firstStep; ; step++) yield await batch(step)
    },
    async previewBatch(count) {
      if (closed) throw closedError()
      if (!Number.isSafeInteger(count) || count < 1)
        throw new DflError(
          'BAD_OPTION',
          `Expected a whole number of at least 1 for \`count\`, but got ${count}. Correct it.`,
        )
      return draw((side) => indices(count).map((i) => Math.floor(((i + 0.5) * side.count) / count)))
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await maker[Symbol.asyncDispose]()
      await Promise.allSettled(ahead.values())
      ahead.clear()
    },
  }
}

async function readSource(side: Side, faceset: Faceset, options: OptionsOf<typeof SAMPLER_OPTIONS>): Promise<Source> {
  const { count } = faceset.info
  const filenames: string[] = []
  const landmarks = new Float32Array(count * 136)
  const shapes: Source['shapes'] = new Map()
  const yaws: number[] = []
  const eyes: number[] = []
  const mouths: number[] = []
  for await (const face of faceset.faces()) {
    landmarks.set(face.landmarks.flat(), filenames.length * 136)
    const { polygons, mask, eyebrowsExpandMod } = face
    if (polygons || mask || eyebrowsExpandMod !== undefined)
      shapes.set(filenames.length, { polygons, mask, eyebrowsExpandMod })
    filenames.push(face.filename)
    if (options.rareExpressions) {
      eyes.push(eyeOpening(face.landmarks))
      mouths.push(mouthOpening(face.landmarks))
    }
    if (!options.uniformYaw) continue
    if (!face.pose)
      throw new DflError(
        'BAD_OPTION',
        `Expected faces with a pose for \`uniformYaw\`, but got '${face.filename}' of ${side} without. ` +
          'Estimate poses when extracting, or switch it off.',
      )
    yaws.push(face.pose.yawDegrees)
  }
  const seed = hashSeed(options.seed, 'order', side)
  const order = options.uniformYaw
    ? uniformYawOrder(yaws, seed)
    : options.rareExpressions
      ? rareOrder([eyes, mouths], seed)
      : shuffledOrder(filenames.length, seed)
  return { faceset, filenames, landmarks, shapes, order }
}

/** Both sides with their caches; one cache when both show the same faceset. */
function makeSides(
  sources: Record<Side, Source>,
  settings: MakerSettings,
  { batchSize, cacheMegabytes, paired, prefetch, seed }: OptionsOf<typeof SAMPLER_OPTIONS>,
  maker: SampleMaker,
): Record<Side, SampledSide> {
  const same = sources.src.faceset === sources.dst.faceset
  const bytes = cacheMegabytes * 1e6
  // Pairs stay together, so both sides have as many places.
  const sizeOf = (side: Side) =>
    paired ? Math.max(cutBytes(settings.cut.src), cutBytes(settings.cut.dst)) : cutBytes(settings.cut[side])
  const need = (side: Side) => sources[side].filenames.length * sizeOf(side)
  // Batches under way may still use faces that the window has just left.
  const room = batchSize * (prefetch + 1)
  const makeSide = (side: Side, other: Side, shared?: FaceCache): SampledSide => {
    const { filenames, order } = sources[side]
    const count = filenames.length
    const share = same && need(side) <= bytes ? bytes : Math.max(bytes / 2, same ? 0 : bytes - need(other))
    const places = Math.max(batchSize, Math.floor(share / sizeOf(side)))
    return {
      count,
      order:
        count <= places
          ? order
          : windowedOrder(order, places, USES_PER_DECODE, hashSeed(seed, 'window', paired ? 'src' : side)),
      cache: shared ?? faceCache((face) => cutOf(side, face), (same ? 2 : 1) * (places + room), DECODES_AT_ONCE),
    }
  }
  const cutOf = async (side: Side, face: number) => {
    const { faceset, filenames, landmarks, shapes } = sources[side]
    const { polygons, mask, eyebrowsExpandMod } = shapes.get(face) ?? {}
    const image = await faceset.readImage({ filename: filenames[face] })
    const points = Array.from({ length: 68 }, (_, i): Point => {
      const at = face * 136 + i * 2
      return [landmarks[at], landmarks[at + 1]]
    })
    const shape = { landmarks: points, polygons, eyebrowsExpandMod, mask: await faceset.readMask({ mask }) }
    return maker.cut({ side, image, ...shape })
  }
  const src = makeSide('src', 'dst')
  return { src, dst: makeSide('dst', 'src', same ? src.cache : undefined) }
}

function checkPairs({ src, dst }: Record<Side, Source>): void {
  if (src.filenames.length !== dst.filenames.length)
    throw new DflError(
      'BAD_SHAPE',
      `Expected ${src.filenames.length} faces, as src has, for \`dst\` with \`paired\`, but got ${dst.filenames.length}. ` +
        'Leave out the faces that have no partner.',
    )
}

function checkTarget({ src, dst, faceType, resolution }: SamplerOptions): void {
  if (!FACE_TYPES.includes(faceType))
    throw new DflError(
      'BAD_OPTION',
      `Expected one of ${FACE_TYPES.join(', ')} for \`faceType\`, but got '${faceType}'. Correct it.`,
    )
  if (!Number.isInteger(resolution) || resolution < 16 || resolution > 1024)
    throw new DflError(
      'BAD_OPTION',
      `Expected a whole number between 16 and 1024 px for \`resolution\`, but got ${resolution}. Correct it.`,
    )
  for (const [side, { info }] of [
    ['src', src],
    ['dst', dst],
  ] as const) {
    if (info.count === 0)
      throw new DflError(
        'NO_FACES',
        `Expected faces in the faceset for \`${side}\`, but got none. Extract faces first.`,
      )
    if (FACE_TYPES.indexOf(info.faceType) < FACE_TYPES.indexOf(faceType))
      throw new DflError(
        'FACE_TYPE_MISMATCH',
        `Expected a faceset of ${faceType} or wider for \`${side}\`, but got ${info.faceType}. ` +
          `Extract ${side} as ${faceType}, or train a model of ${info.faceType}.`,
        { data: { side, faceType: info.faceType } },
      )
  }
}

const indices = (count: number) => Array.from({ length: count }, (_, i) => i)

const definedOnly = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
