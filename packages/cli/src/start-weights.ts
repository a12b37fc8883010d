import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { OptionsOf } from '@dfl/core'
import { decodeSafetensors, type SavedTensor } from '@dfl/engine'
import { df } from '@dfl/model-df'

/** The file that comes with this package: a DF that learned rendered heads. See weights/README.md. */
export const START_WEIGHTS = fileURLToPath(new URL('../weights/heads.safetensors', import.meta.url))

/** Options with which tensors of the same shapes are another network: the weights are of one that has them as usual. */
const SAME_SHAPES = ['pixelNorm', 'cosine'] as const

type Tensors = Record<string, SavedTensor>

/**
 * Weights that a new model of these options can begin with, from a file of a model that learned other faces.
 *
 * Such a file holds an encoder, an inter and one `decoder`, from which both of the new model begin. What it lacks of the
 * decoders, because the new model's are wider or paint larger, is left out: they soon learn to paint what a known encoder
 * tells them.
 *
 * @returns Nothing where there is no such file, or where encoder and inter are not those of the options, by shape or by what
 * they compute.
 * @throws DflError `CORRUPT_FILE` for a file that is no safetensors file.
 */
export async function startWeights(
  path: string,
  options: Readonly<Record<string, unknown>>,
): Promise<Tensors | undefined> {
  const bytes = await readFile(path).catch(() => undefined)
  if (!bytes) return undefined
  const all = { ...defaults(), ...options } as OptionsOf<typeof df.options>
  if (SAME_SHAPES.some((name) => all[name] !== df.options[name].default)) return undefined
  const { params } = df.build(all)
  const { tensors } = decodeSafetensors(bytes, path)
  const out: Tensors = {}
  for (const [name, { shape }] of Object.entries(params)) {
    const tensor = tensors[name.replace(/^decoder_(src|dst)/, 'decoder')]
    if (tensor?.shape.join() === shape.join()) out[name] = tensor
    else if (!/^(decoder|inter)_/.test(name)) return undefined
  }
  return out
}

const defaults = () => Object.fromEntries(Object.entries(df.options).map(([name, spec]) => [name, spec.default]))
