import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { OptionsOf } from '@dfl/core'
import { decodeSafetensors, type SavedTensor } from '@dfl/engine'
import { df } from '@dfl/model-df'

/** The file that comes with this package: a small DF that learned rendered heads. See weights/README.md. */
export const START_WEIGHTS = fileURLToPath(new URL('../weights/heads.safetensors', import.meta.url))

type Tensors = Record<string, SavedTensor>

/**
 * Weights that a new model of these options can begin with, from a file of a model that learned other faces.
 *
 * Such a file holds an encoder, an inter and one `decoder`, from which both of the new model begin. The new model may
 * have another resolution: convolutions do not depend on it, and the two dense layers of the inter are resampled, since
 * each of their rows or columns stands for a place in the image.
 *
 * @returns Nothing where there is no such file, or where its widths are not those of the options.
 * @throws DflError `CORRUPT_FILE` for a file that is no safetensors file.
 */
export async function startWeights(
  path: string,
  options: Readonly<Record<string, unknown>>,
): Promise<Tensors | undefined> {
  const bytes = await readFile(path).catch(() => undefined)
  if (!bytes) return undefined
  const { params } = df.build({ ...defaults(), ...options } as OptionsOf<typeof df.options>)
  const { tensors } = decodeSafetensors(bytes, path)
  const last = Object.keys(tensors)
    .filter((name) => /^encoder\/down\d+\/conv\/bias$/.test(name))
    .sort()
    .at(-1)
  const widths = { encoder: tensors[last ?? '']?.shape[0] ?? 0, inter: tensors['inter/dense1/bias']?.shape[0] ?? 0 }
  const out: Tensors = {}
  for (const [name, tensor] of Object.entries(tensors)) {
    const targets = name.startsWith('decoder/')
      ? ['src', 'dst'].map((side) => name.replace('decoder', `decoder_${side}`))
      : [name]
    for (const target of targets) {
      const shape = params[target]?.shape
      const fitted = shape && fit(target, tensor, { shape, widths })
      if (!fitted) return undefined
      out[target] = fitted
    }
  }
  return out
}

const defaults = () => Object.fromEntries(Object.entries(df.options).map(([name, spec]) => [name, spec.default]))

/** The tensor at the wanted shape, if only the side of the image differs. */
function fit(
  name: string,
  tensor: SavedTensor,
  { shape, widths }: { shape: readonly number[]; widths: { encoder: number; inter: number } },
): SavedTensor | undefined {
  if (tensor.shape.join() === shape.join()) return tensor
  const [from, to] = [tensor.shape, shape]
  if (name === 'inter/dense1/weight' && from[1] === to[1])
    return resampled(tensor, shape, {
      before: 1,
      from: from[0]!,
      to: to[0]!,
      channels: widths.encoder,
      after: to[1]!,
      sum: true,
    })
  if (name === 'inter/dense2/weight' && from[0] === to[0])
    return resampled(tensor, shape, {
      before: from[0]!,
      from: from[1]!,
      to: to[1]!,
      channels: widths.inter,
      after: 1,
      sum: false,
    })
  if (name === 'inter/dense2/bias')
    return resampled(tensor, shape, {
      before: 1,
      from: from[0]!,
      to: to[0]!,
      channels: widths.inter,
      after: 1,
      sum: false,
    })
  return undefined
}

/**
 * An axis that stands for [side, side, channels], stretched to another side bilinearly.
 *
 * @param axis  Sizes before, of and after the axis; `sum` for an axis that is summed over, whose values shrink as their
 * number grows.
 */
function resampled(
  { data }: SavedTensor,
  shape: readonly number[],
  axis: { before: number; from: number; to: number; channels: number; after: number; sum: boolean },
): SavedTensor | undefined {
  const inner = axis.channels * axis.after
  const [side, wanted] = [Math.sqrt(axis.from / axis.channels), Math.sqrt(axis.to / axis.channels)]
  if (!Number.isInteger(side) || !Number.isInteger(wanted)) return undefined
  const scale = axis.sum ? axis.from / axis.to : 1
  const places = Array.from({ length: wanted }, (_, i) => {
    const at = Math.min(side - 1, Math.max(0, ((i + 0.5) * side) / wanted - 0.5))
    const low = Math.min(Math.floor(at), Math.max(0, side - 2))
    return { low, high: Math.min(low + 1, side - 1), share: at - low }
  })
  const out = new Float32Array(axis.before * axis.to * axis.after)
  let next = 0
  for (let b = 0; b < axis.before; b++)
    for (const y of places)
      for (const x of places)
        for (let k = 0; k < inner; k++) {
          const value = (row: number, column: number) => data[((b * side + row) * side + column) * inner + k]!
          const top = value(y.low, x.low) * (1 - x.share) + value(y.low, x.high) * x.share
          const bottom = value(y.high, x.low) * (1 - x.share) + value(y.high, x.high) * x.share
          out[next++] = scale * (top * (1 - y.share) + bottom * y.share)
        }
  return { data: out, shape }
}
