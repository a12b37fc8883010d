import { estimatePose } from '@dfl/align'
import type { FaceType, Pixels } from '@dfl/core'
import { type FaceAnalysis, type FaceTrack, imageError, likeness } from '@dfl/evaluate'
import { dlibEmbedder, type Embedder, faceLandmarker, type Landmarker } from '@dfl/extract'
import { resize, toBitmap } from '@dfl/image'
import { createPainter, type ModelFolder, type Painted, type Painter } from '@dfl/trainer'
import type { CutFaces, MeasuredFaces } from './held-out.js'

/** Takes the numbers of the present weights. */
export interface RunMeasures extends AsyncDisposable {
  /**
   * `reconstruction`: how like the real faces columns 2 and 4 are, inside the mask (SSIM). `likeness`: 0 where column 5 is as
   * far from SRC as DST is, 1 where it is as near as SRC's own faces are. `performance`: how well its pose, mouth and
   * eyes go with DST's (correlation). `mapping`: likeness and performance in one number, their harmonic mean;
   * 'mapping/<person>' of each of DST's people. `nearerToSrc`: share of the swaps nearer to SRC than to DST. `spread`: how
   * different painted faces are from each other, over how different real ones are. More is better in all of them.
   */
  of(): Promise<Record<string, number>>
  /** What the last measures were taken of; nothing before the first. */
  readonly seen?: SwapsSeen
}

/** Swaps of some of DST's faces, and what is known of them. */
export interface SwapsSeen {
  /** [R, R, 3] each: faces of DST, and the same with the swap pasted over. */
  dst: readonly Pixels[]
  swap: readonly Pixels[]
  dstTrack: FaceTrack
  swapTrack: FaceTrack
  /** Faces of SRC: who it is, and pictures. */
  src: readonly FaceAnalysis[]
  candidates: readonly Pixels[]
}

interface Networks {
  landmarker: Landmarker & AsyncDisposable
  embedder: Embedder & AsyncDisposable
}

/** Networks see faces at least this large. */
const LOOK_PX = 192
/** Side of a crop in units of the square around brows and mouth, and how far down the face's middle lies in it. */
const CROPS: Record<FaceType, { side: number; down: number }> = {
  half_face: { side: 1, down: 0 },
  midfull_face: { side: 1.191, down: 0 },
  full_face: { side: 1.597, down: 0 },
  whole_face: { side: 2.131, down: 0.07 },
  head: { side: 2.98, down: 0.5 },
}
/** The region that landmarks are read from, in the same units. */
const REGION = 2

/** Measures of a model on faces that stay the same over the run. */
export function createRunMeasures(run: ModelFolder, faces: () => Promise<MeasuredFaces>): RunMeasures {
  let networks: Promise<Networks> | undefined
  let painter: Promise<Painter> | undefined
  let known: Promise<Known> | undefined
  let seen: SwapsSeen | undefined
  const look = async (face: Pixels) => lookAt(face, run.description.faceType, await networks!)
  const lookAll = async (all: readonly Pixels[]): Promise<FaceTrack> => {
    const out: (FaceAnalysis | undefined)[] = []
    for (const face of all) out.push(await look(face))
    return out
  }
  /** What does not change: the faces, and what real ones show. */
  const learn = async (): Promise<Known> => {
    const { src, dst, references, candidates } = await faces()
    const who = (await lookAll(references)).flatMap((face) => face ?? [])
    const tracks = new Map<string, FaceTrack>()
    for (const [person, cut] of dst) tracks.set(person, await lookAll(cut.faces))
    return { src, dst, who, tracks, candidates }
  }
  const reconstructionOf = (pairs: readonly (readonly [Pixels, Pixels, Pixels])[]) =>
    mean(
      pairs.flatMap(([painted, real, mask]) =>
        mask.data.some((v) => v > 0) ? imageError(painted, real, mask).ssim : [],
      ),
    )

  return {
    get seen() {
      return seen
    },
    async of() {
      networks ??= Promise.all([faceLandmarker(), dlibEmbedder()]).then(([landmarker, embedder]) => ({
        landmarker,
        embedder,
      }))
      painter ??= createPainter(run.model, run.state, { freeze: false, batchSize: 4 })
      known ??= learn()
      const { src, dst, who, tracks, candidates } = await known
      const paint = async (cut: CutFaces) => (await painter!).paint(cut.faces)
      const paintedSrc = await paint(src)
      const pairs = src.faces.map((face, i) => [paintedSrc[i]!.face.src, face, src.masks[i]!] as const)
      const real: Pixels[] = []
      const painted: Pixels[] = []
      const mapped = new Map<string, Mapped>()
      const pasteds: Pixels[] = []
      const swapTrack: (FaceAnalysis | undefined)[] = []
      for (const [person, cut] of dst) {
        const out = await paint(cut)
        cut.faces.forEach((face, i) => {
          pairs.push([out[i]!.face.dst, face, cut.masks[i]!])
        })
        real.push(...cut.faces)
        painted.push(...out.map(({ face }) => face.dst))
        const over = cut.faces.map((face, i) => pasted(out[i]!, face))
        const swap = await lookAll(over)
        pasteds.push(...over)
        swapTrack.push(...swap)
        const found = mappingOf(swap, tracks.get(person)!, who)
        if (found) mapped.set(person, found)
      }
      const dstTrack = [...dst.keys()].flatMap((person) => tracks.get(person)!)
      seen = { dst: real, swap: pasteds, dstTrack, swapTrack, src: who, candidates }
      const all = [...mapped.values()]
      const values: Record<string, number> = {
        reconstruction: reconstructionOf(pairs),
        spread: spreadOf(painted) / spreadOf(real),
      }
      for (const name of ['mapping', 'likeness', 'performance', 'nearerToSrc'] as const)
        if (all.length > 0) values[name] = mean(all.map((one) => one[name]))
      if (mapped.size > 1) for (const [person, { mapping }] of mapped) values[`mapping/${person}`] = mapping
      return Object.fromEntries(
        Object.entries(values).flatMap(([name, v]) => (Number.isFinite(v) ? [[name, Math.round(v * 1e4) / 1e4]] : [])),
      )
    },
    async [Symbol.asyncDispose]() {
      const open = await networks?.catch(() => undefined)
      await open?.landmarker[Symbol.asyncDispose]()
      await open?.embedder[Symbol.asyncDispose]()
      await (await painter?.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}

interface Known {
  src: CutFaces
  dst: ReadonlyMap<string, CutFaces>
  who: readonly FaceAnalysis[]
  candidates: readonly Pixels[]
  tracks: ReadonlyMap<string, FaceTrack>
}

interface Mapped {
  mapping: number
  likeness: number
  performance: number
  nearerToSrc: number
}

/** Numbers of the swaps of one person; nothing where too few faces are recognised as such. */
function mappingOf(swap: FaceTrack, dst: FaceTrack, src: readonly FaceAnalysis[]): Mapped | undefined {
  const both = swap.filter((face, i) => face && dst[i]).length
  if (both < 3 || src.length < 3) return undefined
  const { identity, performance, nearerToSrc, found } = likeness({ swap, dst, src })
  const follows = Object.values(performance).filter((v) => v !== undefined && Number.isFinite(v))
  const [like, does] = [found * identity, found * (follows.length > 0 ? mean(follows) : 0)]
  return {
    mapping: like > 0 && does > 0 ? (2 * like * does) / (like + does) : 0,
    likeness: like,
    performance: does,
    nearerToSrc,
  }
}

/** The swap over the face that it replaces, where both masks say so. */
function pasted({ face, mask }: Painted, under: Pixels): Pixels {
  const data = new Float32Array(under.data.length)
  for (let i = 0; i < data.length; i++) {
    const p = Math.floor(i / 3)
    const m = mask.src.data[p]! * mask.dst.data[p]!
    data[i] = m * face.src.data[i]! + (1 - m) * under.data[i]!
  }
  return { ...under, data }
}

/** Who a face is and what it does; nothing where no face is found. */
async function lookAt(
  face: Pixels,
  faceType: FaceType,
  { landmarker, embedder }: Networks,
): Promise<FaceAnalysis | undefined> {
  const side = Math.max(LOOK_PX, face.width)
  const image = toBitmap(face.width === side ? face : resize(face, { width: side, height: side }))
  const { side: units, down } = CROPS[faceType]
  const middle = (side - 1) / 2
  const first = await landmarker.landmarks(image, {
    centre: [middle, middle + (down / units) * side],
    sizePx: (REGION / units) * side,
    rollRadians: 0,
  })
  const { landmarks, score } = await landmarker.landmarks(image, first.region)
  if (score < 0.5) return undefined
  return { embedding: await embedder.embed(image, landmarks), landmarks, pose: estimatePose(landmarks) }
}

/** How different pictures are from each other: the deviation of a pixel over them, mean over the pixels. */
function spreadOf(pictures: readonly Pixels[]): number {
  const size = pictures[0]?.data.length ?? 0
  let sum = 0
  for (let i = 0; i < size; i++) {
    let a = 0
    let b = 0
    for (const { data } of pictures) {
      a += data[i]!
      b += data[i]! ** 2
    }
    sum += Math.sqrt(Math.max(0, b / pictures.length - (a / pictures.length) ** 2))
  }
  return sum / Math.max(1, size)
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
