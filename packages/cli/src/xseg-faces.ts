import { setImmediate } from 'node:timers/promises'
import { DflError, type FaceMeta, type FaceType, hashSeed, type MaskPolygon, Random, type Side } from '@dfl/core'
import { createSampler, type Faceset, openFaceset, type SideBatch } from '@dfl/faceset'
import { rgbToGray, toPixels } from '@dfl/image'
import { batchOf, drawSample, type LabelledFace } from '@dfl/model-xseg'
import type { Batch } from '@dfl/trainer'
import type { Workspace } from './workspace.js'

/** What a masker learns from. */
export interface XsegFaces {
  faceType: FaceType
  count: number
  /** What they are, for people. */
  told: string
  batches(wanted: BatchWish): Promise<Batches>
}

interface BatchWish {
  faceType: FaceType
  resolution: number
  /** Samples of each of the two sides. */
  perSide: number
  seed: number
}

interface Batches extends AsyncDisposable {
  of(draw: number): Promise<Batch>
}

/**
 * Faces of both sides of a workspace that have an outline drawn, as images in memory.
 *
 * @throws DflError `NO_FACES` where no face has one, with what to do.
 */
export async function labelledFaces(workspace: Workspace): Promise<XsegFaces> {
  const faces: LabelledFace[] = []
  let faceType: FaceType | undefined
  for (const side of ['src', 'dst'] as Side[]) {
    const faceset = await openFaceset(workspace.faceset[side]).catch(() => undefined)
    for await (const face of faceset?.faces() ?? []) {
      if (!face.polygons?.some(({ kind }) => kind === 'include')) continue
      faceType ??= face.faceType
      if (face.faceType === faceType) faces.push(await labelled(faceset!, face, face.polygons))
    }
  }
  if (!faceType || faces.length === 0)
    throw new DflError(
      'NO_FACES',
      `Expected faces with outlines in \`${workspace.folder}\`, but got none. Draw some in labelme or VIA and read them with dfl faceset import-masks, or bring in a faceset of DeepFaceLab with its labels: dfl faceset import.`,
    )
  const told = `${faces.length} face${faces.length === 1 ? '' : 's'} with outlines`
  return { faceType, count: faces.length, told, batches: async (wanted) => labelledBatches(faces, wanted) }
}

const labelled = async (faceset: Faceset, face: FaceMeta, polygons: readonly MaskPolygon[]): Promise<LabelledFace> => ({
  image: toPixels(await faceset.readImage(face)),
  polygons,
})

function labelledBatches(faces: readonly LabelledFace[], { resolution, perSide, seed }: BatchWish): Batches {
  const make = (draw: number): Batch => {
    const random = new Random(hashSeed(seed, draw))
    const side = () => {
      const draw = () => drawSample(faces, random.integer(faces.length), { random, resolution })
      return batchOf(Array.from({ length: perSide }, draw))
    }
    return { src: side(), dst: side() }
  }
  let ahead: { draw: number; batch: Promise<Batch> } | undefined
  return {
    async of(draw) {
      const batch = ahead?.draw === draw ? await ahead.batch : make(draw)
      // The next one is made while the device computes, when this thread has nothing else to do.
      ahead = { draw: draw + 1, batch: setImmediate().then(() => make(draw + 1)) }
      return batch
    },
    async [Symbol.asyncDispose]() {
      await ahead?.batch
    },
  }
}

/**
 * Any faces, to be seen warped and given back in gray.
 *
 * @throws DflError `NO_SUCH_FILE`, `NO_FACES`.
 */
export async function unlabelledFaces(path: string): Promise<XsegFaces> {
  const faceset = await openFaceset(path)
  const { count, faceType } = faceset.info
  return {
    ...{ faceType, count, told: `${count} faces without outlines` },
    async batches({ faceType, resolution, perSide, seed }) {
      const flips = { flipSrc: 0.4, flipDst: 0.4 }
      const sides = { src: faceset, dst: faceset, faceType, resolution, batchSize: perSide }
      const sampler = await createSampler({ ...sides, ...flips, seed })
      const gray = (rgb: Float32Array) =>
        rgbToGray({ data: rgb, width: resolution, height: perSide * resolution, channels: 3 }).data
      const inGray = ({ warped, target }: SideBatch) => ({ warped, target, mask: gray(target) })
      return {
        async of(draw) {
          const { src, dst } = await sampler.batch(draw)
          return { src: inGray(src), dst: inGray(dst) }
        },
        [Symbol.asyncDispose]: () => sampler[Symbol.asyncDispose](),
      }
    },
  }
}
