import { crc32 } from 'node:zlib'
import type { FaceMeta, OptionsOf } from '@dfl/core'
import { createSampler, type Faceset, type SAMPLER_OPTIONS, type SamplerOptions } from '@dfl/faceset'
import type { Batch } from '@dfl/trainer'
import type { Sides } from './option-run.js'

/** Checksums of the first samples that were drawn, so that two runs can be compared sample by sample. */
export type Seen = Record<'targets of src' | 'targets of dst' | 'inputs of src', number[]>

/** What was seen of the samples of a run. */
export interface Watched {
  seen: Seen
  measures: Record<string, number>
  /** Looks at a batch, of which it keeps numbers only, and hands it on. */
  see<B extends Batch>(batch: B): B
}

/** Batches that are looked at. */
const WATCHED = 40

/** @param resolution Side of the samples in pixels. */
export function watchSamples(resolution: number): Watched {
  const seen: Seen = { 'targets of src': [], 'targets of dst': [], 'inputs of src': [] }
  const sums = { warp: 0, colour: 0, eyesMouth: 0 }
  const measures: Record<string, number> = {}
  const size = 3 * resolution * resolution
  let batches = 0
  const samplesOf = (data: ArrayLike<number>) =>
    Array.from({ length: data.length / size }, (_, i) => (data as Float32Array).subarray(i * size, (i + 1) * size))
  return {
    seen,
    measures,
    see(batch) {
      if (batches === WATCHED) return batch
      batches++
      const { src, dst } = batch
      const [targets, inputs, dstTargets] = [src.target, src.warped, dst.target].map(samplesOf) as [
        Float32Array[],
        Float32Array[],
        Float32Array[],
      ]
      const sum = (sample: Float32Array) => crc32(new Uint8Array(sample.buffer, sample.byteOffset, sample.byteLength))
      seen['targets of src'].push(...targets.map(sum))
      seen['inputs of src'].push(...inputs.map(sum))
      seen['targets of dst'].push(...dstTargets.map(sum))
      sums.warp += mean(targets.map((target, i) => meanDifference(target, inputs[i]!)))
      sums.colour += mean(targets.map((target, i) => colourDistance(target, dstTargets[i]!)))
      sums.eyesMouth += src.eyesMouth ? mean(src.eyesMouth) : 0
      measures['seen from target'] = sums.warp / batches
      measures["SRC's colours from DST's"] = sums.colour / batches
      measures['masks of eyes and mouth'] = sums.eyesMouth / batches
      return batch
    },
  }
}

/** Shares of samples that are others in one run than in another, by name. */
export const otherSamples = (a: Seen, b: Seen): Record<string, number> =>
  Object.fromEntries(
    (Object.keys(a) as (keyof Seen)[]).map((name) => [
      `other ${name}`,
      mean(a[name].map((sum, i) => Number(sum !== b[name][i]))),
    ]),
  )

/** So many that all faces of the demo come several times. */
const ORDER_BATCHES = 240
const ORDER_RESOLUTION = 16
const YAW_BIN_DEGREES = 4
const OPENING_BINS = 12

/**
 * Which faces are shown, and how often: every image is one grey that is the number of its face.
 *
 * @param samples  Options that change colours are left out.
 */
export async function orderMeasures(
  { src, dst }: Sides,
  {
    faceType,
    hsvPower: _,
    matchColors: __,
    ...samples
  }: Partial<OptionsOf<typeof SAMPLER_OPTIONS>> & Pick<SamplerOptions, 'faceType'>,
): Promise<Record<string, number>> {
  let again = 0
  const numbered = async (faceset: Faceset): Promise<Faceset> => {
    const faces = await faceset.all()
    const numbers = new Map(faces.map(({ filename }, i) => [filename, i]))
    const decoded = new Set<string>()
    const { size } = faceset.info
    return {
      ...faceset,
      async readImage({ filename }) {
        if (decoded.has(filename)) again++
        decoded.add(filename)
        return {
          data: new Uint8Array(3 * size * size).fill(numbers.get(filename)!),
          ...{ width: size, height: size },
          channels: 3,
        }
      },
    }
  }
  const batchSize = samples.batchSize ?? 4
  await using sampler = await createSampler({
    ...{ src: await numbered(src), dst: await numbered(dst), faceType, resolution: ORDER_RESOLUTION },
    ...{ ...samples, workers: 0, randomWarp: false },
  })
  const shown = { src: [] as number[], dst: [] as number[] }
  for (let step = 0; step < ORDER_BATCHES; step++) {
    const batch = await sampler.batch(step)
    for (const side of ['src', 'dst'] as const)
      for (let i = 0; i < batchSize; i++)
        shown[side].push(Math.round(255 * batch[side].target[3 * i * ORDER_RESOLUTION ** 2]!))
  }
  const faces = await src.all()
  const of = (value: (face: FaceMeta) => number) => shown.src.map((i) => value(faces[i]!))
  const openings = faces.map(eyes)
  const [least, most] = [Math.min(...openings), Math.max(...openings)]
  return {
    'commonest yaw, share': commonest(of(({ pose }) => Math.floor((pose?.yawDegrees ?? 0) / YAW_BIN_DEGREES))),
    'commonest opening, share': commonest(
      of((face) => Math.floor((OPENING_BINS * (eyes(face) - least)) / (most - least))),
    ),
    'same place of both': mean(shown.src.map((face, i) => Number(face === shown.dst[i]))),
    'faces decoded again': again,
  }
}

/** How far the lids are apart, as a share of the eyes' width. */
function eyes({ landmarks }: FaceMeta): number {
  const apart = (a: number, b: number) =>
    Math.hypot(landmarks[a]![0] - landmarks[b]![0], landmarks[a]![1] - landmarks[b]![1])
  return (apart(37, 41) + apart(38, 40) + apart(43, 47) + apart(44, 46)) / (2 * (apart(36, 39) + apart(42, 45)))
}

/** The share of the value that comes most often. */
function commonest(values: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return Math.max(...counts.values()) / values.length
}

/** Root mean square over red, green and blue of how far the mean colours of two [R, R, 3] pictures are apart. */
export function colourDistance(a: ArrayLike<number>, b: ArrayLike<number>, weights?: ArrayLike<number>): number {
  const sums = [0, 0, 0]
  let all = 0
  for (let i = 0; i < a.length; i += 3) {
    const weight = weights?.[i / 3] ?? 1
    all += weight
    for (let c = 0; c < 3; c++) sums[c]! += weight * (a[i + c]! - b[i + c]!)
  }
  return Math.sqrt(mean(sums.map((sum) => (sum / all) ** 2)))
}

export const mean = (values: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum / values.length
}

const meanDifference = (a: Float32Array, b: Float32Array) => mean(a.map((value, i) => Math.abs(value - b[i]!)))
