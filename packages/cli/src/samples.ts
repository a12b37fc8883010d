import { DflError, type FaceType, hashSeed, type OptionsOf, Random, type Side } from '@dfl/core'
import { createSampler, type Faceset, openFaceset, type SAMPLER_OPTIONS, type Sampler } from '@dfl/faceset'
import type { Batch, ModelFolder, SampleSettings, SideBatch } from '@dfl/trainer'
import type { Augmentation, LoadedConfig } from './config.js'

/** Options of samples that a person may set. */
export type SampleOptions = Partial<Omit<OptionsOf<typeof SAMPLER_OPTIONS>, 'randomWarp' | 'eyesMouth' | 'paired'>>

/** What batches are drawn from. */
export interface SampleSources {
  sides: Readonly<Record<Side, Faceset>>
  /** Of the further people whom the model paints. */
  people: Readonly<Record<string, Faceset>>
  augmentations: readonly Augmentation[]
}

/** Batches of a run, warped or not as its phases ask for it. */
export interface Samples extends AsyncDisposable {
  batch(draw: number, phase: SampleSettings): Promise<Batch>
  /** The sampler of SRC and DST that is open, whichever it is: the faces of a preview are warped by none. */
  open(): Promise<Sampler>
}

/**
 * Samples of a run. Samplers of one phase are open at a time, made when first needed.
 *
 * @param first  What the run begins with.
 */
export function openSamples(
  { description, model }: ModelFolder,
  { sides, people, augmentations }: SampleSources,
  {
    options,
    batchSize,
    eyesMouth,
    first,
  }: { options: SampleOptions; batchSize: number; eyesMouth: boolean; first: SampleSettings },
): Samples {
  let current: { key: string; samplers: Promise<Sampler>[] } | undefined
  const names = Object.keys(people)
  const close = async () => {
    const open = await Promise.allSettled(current?.samplers ?? [])
    current = undefined
    for (const sampler of open) if (sampler.status === 'fulfilled') await sampler.value[Symbol.asyncDispose]()
  }
  const samplersOf = async (phase: SampleSettings): Promise<Sampler[]> => {
    const uniformYaw = phase.uniformYaw ?? options.uniformYaw ?? false
    const key = JSON.stringify([phase.randomWarp, uniformYaw])
    if (current?.key !== key) {
      await close()
      const make = (src: Faceset, dst: Faceset) =>
        createSampler({
          rareExpressions: !uniformYaw,
          ...options,
          uniformYaw,
          ...{ src, dst, faceType: description.faceType, resolution: model.resolution, batchSize },
          ...{ seed: description.seed, randomWarp: phase.randomWarp, eyesMouth },
        })
      // Further people come in pairs, the last one with itself.
      const pairs = names.flatMap((name, i) => (i % 2 === 0 ? [[name, names[i + 1] ?? name] as const] : []))
      current = {
        key,
        samplers: [make(sides.src, sides.dst), ...pairs.map(([a, b]) => make(people[a]!, people[b]!))],
      }
    }
    return Promise.all(current!.samplers)
  }
  let last = first
  return {
    async batch(draw, phase) {
      last = phase
      const [own, ...others] = await Promise.all((await samplersOf(phase)).map((sampler) => sampler.batch(draw)))
      const { src, dst } = own!
      const further = Object.fromEntries(names.map((name, i) => [name, others[i >> 1]![i % 2 === 0 ? 'src' : 'dst']]))
      const batch: Batch = names.length > 0 ? { src, dst, people: further } : { src, dst }
      const all: Record<string, SideBatch> = { ...further, src, dst }
      for (const [side, samples] of Object.entries(all))
        for (const { name, apply } of augmentations)
          apply(samples, {
            ...{ side: side as Side, resolution: model.resolution, batchSize },
            random: new Random(hashSeed(description.seed, name, side, draw)),
          })
      return batch
    },
    open: async () => (await samplersOf(last))[0]!,
    [Symbol.asyncDispose]: close,
  }
}

/**
 * The facesets of the further people whom a model paints.
 *
 * @throws DflError `BAD_OPTION` where the config names none of one of them, `FACE_TYPE_MISMATCH`.
 */
export async function openPeople(
  { model }: ModelFolder,
  { people, path }: LoadedConfig,
  faceType: FaceType,
): Promise<Record<string, Faceset>> {
  const out: Record<string, Faceset> = {}
  for (const name of model.people ?? []) {
    const folder = people[name]
    if (folder === undefined)
      throw new DflError(
        'BAD_OPTION',
        `Expected a faceset of ${name}, whom the model paints, in \`people\` of ${path ?? 'dfl.config.mjs'}, but got ${Object.keys(people).join(', ') || 'none'}. Add it: people: { ${name}: 'folder/of/faces' }.`,
      )
    const faceset = await openFaceset(folder)
    if (faceset.info.faceType !== faceType)
      throw new DflError(
        'FACE_TYPE_MISMATCH',
        `Expected faces of ${name} as ${faceType} in \`${folder}\`, but got ${faceset.info.faceType}. Extract them again with --face-type ${faceType}.`,
      )
    out[name] = faceset
  }
  return out
}
