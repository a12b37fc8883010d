import type { FaceMeta, Pixels, Side } from '@dfl/core'
import { createSampler, type Faceset } from '@dfl/faceset'
import type { ModelFolder } from '@dfl/trainer'

/** Faces of each side that no training sees, where a side has enough to spare them. */
const HELD_OUT = 8
const ENOUGH = 400
/** Faces of each side that measures look at where none are held out. */
const LOOKED_AT = 8
/** Faces of SRC among which those most like a swap are found; every other says who SRC is. */
const LOOKED_UP = 64
/** People of DST that get a number of their own. */
const MOST_PEOPLE = 6

/** A side divided into faces to train on and faces to measure by. */
export interface Divided {
  training: Faceset
  /** The same as `training` for a side with few faces. */
  measured: Faceset
  heldOut: boolean
}

/** The faces at evenly spread places, as many as `count`. */
const spread = (of: number, count: number) =>
  new Set(Array.from({ length: Math.min(of, count) }, (_, i) => Math.floor(((i + 0.5) * of) / Math.min(of, count))))

/** A side with 8 evenly spread faces held out if it has at least 400. */
export function divide(faceset: Faceset): Divided {
  const { count } = faceset.info
  if (count < ENOUGH) return { training: faceset, measured: faceset, heldOut: false }
  const out = spread(count, HELD_OUT)
  return {
    training: viewOf(faceset, count - out.size, (_, i) => !out.has(i)),
    measured: viewOf(faceset, out.size, (_, i) => out.has(i)),
    heldOut: true,
  }
}

/** A faceset that shows only some faces of another. */
function viewOf(faceset: Faceset, count: number, shown: (face: FaceMeta, index: number) => boolean): Faceset {
  async function* faces() {
    let i = 0
    for await (const face of faceset.faces()) if (shown(face, i++)) yield face
  }
  return {
    ...faceset,
    info: { ...faceset.info, count },
    faces,
    async all() {
      const out: FaceMeta[] = []
      for await (const face of faces()) out.push(face)
      return out
    },
  }
}

/** Faces as a model gets them: [R, R, 3] and their masks [R, R, 1]. */
export interface CutFaces {
  faces: readonly Pixels[]
  masks: readonly Pixels[]
}

/** What measures look at: always the same faces. */
export interface MeasuredFaces {
  src: CutFaces
  /** Of each person of DST; 'dst' where it is but one, or nobody knows. */
  dst: ReadonlyMap<string, CutFaces>
  /** SRC's faces to tell its identity by. */
  references: readonly Pixels[]
  /** SRC's faces to find those most like a swap among. */
  candidates: readonly Pixels[]
}

/** Faces to measure a model by, cut as it gets them. */
export async function measuredFaces(
  { src, dst }: Record<Side, Divided>,
  { model, description }: Pick<ModelFolder, 'model' | 'description'>,
): Promise<MeasuredFaces> {
  const cut = (faceset: Faceset, count: number) =>
    cutFaces(faceset, Math.min(count, faceset.info.count), { R: model.resolution, faceType: description.faceType })
  const people = new Map<string, number>()
  for await (const { person } of dst.measured.faces())
    if (person !== undefined) people.set(person, (people.get(person) ?? 0) + 1)
  const several = people.size > 1 && people.size <= MOST_PEOPLE
  const of = new Map<string, CutFaces>()
  if (several)
    for (const [person, count] of people)
      of.set(
        person,
        await cut(
          viewOf(dst.measured, count, (face) => face.person === person),
          LOOKED_AT,
        ),
      )
  else of.set('dst', await cut(dst.measured, LOOKED_AT))
  const { faces: candidates } = await cut(src.training, LOOKED_UP)
  return {
    src: await cut(src.measured, LOOKED_AT),
    dst: of,
    references: candidates.filter((_, i) => i % 2 === 0),
    candidates,
  }
}

async function cutFaces(
  faceset: Faceset,
  count: number,
  { R, faceType }: { R: number; faceType: FaceMeta['faceType'] },
): Promise<CutFaces> {
  const given = { src: faceset, dst: faceset, faceType, resolution: R, batchSize: 1 }
  await using sampler = await createSampler({ ...given, workers: 0, prefetch: 0 })
  const { src } = await sampler.previewBatch(count)
  const split = (data: Float32Array, channels: 1 | 3): Pixels[] =>
    Array.from({ length: count }, (_, i) => ({
      data: data.slice(i * R * R * channels, (i + 1) * R * R * channels),
      ...{ width: R, height: R, channels },
    }))
  return { faces: split(src.target, 3), masks: split(src.mask, 1) }
}
