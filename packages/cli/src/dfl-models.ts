import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError, type FaceType } from '@dfl/core'
import { float32Of, type NdArray, type PickleValue, readPickle } from '@dfl/core/pickle'
import { ampOptionsFromDfl, ampWeightsFromDfl } from '@dfl/model-amp'
import { quick96OptionsFromDfl, saehdOptionsFromDfl, saehdWeightsFromDfl } from '@dfl/model-saehd'
import { xsegWeightsFromDfl } from '@dfl/model-xseg'
import { DFL_FACE_TYPES, type DflParts, type DflTensor } from '@dfl/nn'

/** What DeepFaceLab's own files say of a model. */
export interface DflDescription {
  /** 'saehd', 'amp' or 'xseg'. */
  architecture: string
  /** As our option tables have them. */
  options: Record<string, unknown>
  faceType: FaceType
  /** Iterations that it was trained for. */
  iteration: number
}

/** A DeepFaceLab model as ours. */
export interface DflModel extends DflDescription {
  weights: Record<string, { data: Float32Array; shape: readonly number[] }>
}

/** Values in a file: the history of a long training has two for every iteration. */
const MOST_VALUES = 50_000_000

type Kind = 'SAEHD' | 'Quick96' | 'AMP' | 'XSeg'

/**
 * The models in a folder of DeepFaceLab, as its files are named: `<name>_SAEHD_data.dat`, `XSeg_data.dat`.
 */
export async function listDflModels(folder: string): Promise<{ name: string; kind: Kind; file: string }[]> {
  const files = await readdir(folder).catch((cause) => {
    throw new DflError('NO_SUCH_FILE', `Expected a folder of DeepFaceLab at \`${folder}\`, but there is none.`, {
      cause,
    })
  })
  return files.flatMap((file) => {
    const match = /^(?:(.+)_)?(SAEHD|Quick96|AMP|XSeg)_data\.dat$/.exec(file)
    return match ? [{ name: match[1] ?? match[2]!, kind: match[2] as Kind, file }] : []
  })
}

/**
 * What the model's description says, read without running anything of it.
 *
 * @throws DflError `UNKNOWN_NAME` where there is no such model, `CORRUPT_FILE`, `BAD_OPTION` for options beyond ours.
 */
export async function describeDflModel(folder: string, name: string): Promise<DflDescription & { prefix: string }> {
  const models = await listDflModels(folder)
  const model = models.find((one) => one.name === name)
  if (!model)
    throw new DflError(
      'UNKNOWN_NAME',
      `Expected a model of DeepFaceLab named \`${name}\` in \`${folder}\`, but got ${models.map((one) => one.name).join(', ') || 'none at all'}. Name one of those.`,
    )
  const path = join(folder, model.file)
  const data = readPickle(await readFile(path), path, { maxValues: MOST_VALUES })
  const of = (map: PickleValue | undefined, key: string) => (map instanceof Map ? map.get(key) : undefined)
  const given = of(data, 'options')
  const options = Object.fromEntries(given instanceof Map ? given : []) as Record<string, unknown>
  const ours = {
    SAEHD: () => ({ architecture: 'saehd', options: saehdOptionsFromDfl(options) }),
    Quick96: () => ({ architecture: 'saehd', options: quick96OptionsFromDfl() }),
    AMP: () => ({ architecture: 'amp', options: ampOptionsFromDfl(options) }),
    XSeg: () => ({ architecture: 'xseg', options: { resolution: 256, baseDims: 32 } }),
  }[model.kind]()
  return {
    ...ours,
    faceType: DFL_FACE_TYPES[String(options.face_type)] ?? (model.kind === 'Quick96' ? 'full_face' : 'whole_face'),
    iteration: Number(of(data, 'iter') ?? 0),
    prefix: model.file.replace(/_data\.dat$/, ''),
  }
}

/**
 * The weight files of a model, by part: `<prefix>_encoder.npy` is 'encoder', `XSeg_256.npy` is 'xseg'.
 *
 * Named .npy, they are pickled dictionaries of arrays; they are read by a reader that takes plain data only.
 */
export async function readDflParts(folder: string, prefix: string): Promise<DflParts> {
  const parts: Record<string, Map<string, DflTensor>> = {}
  for (const file of await readdir(folder)) {
    const part = file.startsWith(`${prefix}_`) ? /^(.+)\.npy$/.exec(file.slice(prefix.length + 1))?.[1] : undefined
    if (!part || /opt$/.test(part)) continue
    const path = join(folder, file)
    const value = readPickle(await readFile(path), path, { maxValues: MOST_VALUES })
    const entries = value instanceof Map ? [...value] : []
    parts[/^\d+$/.test(part) ? 'xseg' : part] = new Map(
      entries
        .filter(isTensor)
        .map(([name, array]) => [name.replace(/:\d+$/, ''), { data: float32Of(array), shape: array.shape }]),
    )
  }
  return parts
}

const isTensor = (entry: [PickleValue, PickleValue]): entry is [string, NdArray] =>
  typeof entry[0] === 'string' && (entry[1] as { kind?: string } | null)?.kind === 'ndarray'

/** A model of DeepFaceLab as ours: what it is, and its weights under our paths. Moments of the optimiser start anew. */
export async function readDflModel(folder: string, name: string): Promise<DflModel> {
  const { prefix, ...described } = await describeDflModel(folder, name)
  const parts = await readDflParts(folder, prefix)
  const { architecture, options } = described
  const weights =
    architecture === 'amp'
      ? ampWeightsFromDfl(options as Parameters<typeof ampWeightsFromDfl>[0], parts)
      : architecture === 'xseg'
        ? xsegWeightsFromDfl(parts)
        : saehdWeightsFromDfl(options as Parameters<typeof saehdWeightsFromDfl>[0], parts)
  return { ...described, weights }
}
