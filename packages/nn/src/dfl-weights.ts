import { DflError, type FaceType } from '@dfl/core'
import type { ParamSpec } from './architecture.js'

/** A tensor of a DeepFaceLab file. */
export interface DflTensor {
  data: ArrayLike<number>
  shape: readonly number[]
}

/** DeepFaceLab's weights: part ('encoder') → name ('down1/downs_0/conv1/weight') → tensor, in the file's order. */
export type DflParts = Readonly<Record<string, ReadonlyMap<string, DflTensor>>>

/** Where a parameter comes from, and how it lies there. */
export interface DflPlace {
  part: string
  name: string
  /** Which of its axes counts B, G, R. */
  colours?: 'inputs' | 'outputs'
  /** A flat axis that stands for a map: there channels first, here last. */
  map?: { axis: 0 | 1; side: number; channels: number }
}

/**
 * DeepFaceLab's weights under our paths: RGB instead of BGR, maps with channels last.
 *
 * A tensor is found by its name; where the file has other names, as builds of other years do, by its size among those of
 * its part that no name has claimed, in order.
 *
 * @throws DflError `BAD_SHAPE` that names every parameter the files lack or have in another size.
 */
export function weightsFromDfl(
  params: ParamSpec,
  parts: DflParts,
  placeOf: (path: string) => DflPlace,
): Record<string, { data: Float32Array; shape: readonly number[] }> {
  const out: Record<string, { data: Float32Array; shape: readonly number[] }> = {}
  const problems: string[] = []
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
  const places = Object.keys(params).map((path) => ({ path, ...placeOf(path) }))
  const claimed = new Set(places.map(({ part, name }) => parts[part]?.get(name)))
  const kind = (name: string) => name.split('/').at(-1)!
  for (const { path, part, name, colours, map } of places) {
    const { shape } = params[path]!
    let tensor = parts[part]?.get(name)
    if (!tensor) {
      const others = [...(parts[part] ?? [])].filter(([, other]) => !claimed.has(other))
      tensor = others.find(([other, { shape: s }]) => kind(other) === kind(name) && s.join() === shape.join())?.[1]
      claimed.add(tensor)
    }
    if (!tensor || size(tensor.shape) !== size(shape)) {
      problems.push(
        `Expected [${shape}] for \`${path}\`, but got ${tensor ? `[${tensor.shape}]` : `no ${part}/${name}`}.`,
      )
      continue
    }
    let data = Float32Array.from(tensor.data)
    if (map) data = channelsLast(data, shape, map)
    if (colours) data = reversed(data, colours === 'outputs' ? 1 : shape.at(-1)!)
    out[path] = { data, shape }
  }
  if (problems.length > 0)
    throw new DflError(
      'BAD_SHAPE',
      `${problems.slice(0, 10).join('\n')}\nThe files are of another architecture or have other options. Give the options they were made with.`,
      { data: { problems } },
    )
  return out
}

/** Three neighbours, `step` values apart, in reverse order: the first for the last. */
function reversed(data: Float32Array, step: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(data.length)
  for (let from = 0; from < data.length; from += 3 * step)
    for (let c = 0; c < 3; c++) out.set(data.subarray(from + c * step, from + (c + 1) * step), from + (2 - c) * step)
  return out
}

/** One axis of a vector or matrix from [C, H, W] order to [H, W, C]. */
function channelsLast(
  data: Float32Array,
  shape: readonly number[],
  { axis, side, channels }: NonNullable<DflPlace['map']>,
): Float32Array<ArrayBuffer> {
  const length = side * side * channels
  const inner = shape.length === 1 || axis === 1 ? 1 : shape[1]!
  const out = new Float32Array(data.length)
  for (let outer = 0; outer < data.length; outer += length * inner)
    for (let pixel = 0; pixel < side * side; pixel++)
      for (let c = 0; c < channels; c++) {
        const from = outer + (c * side * side + pixel) * inner
        out.set(data.subarray(from, from + inner), outer + (pixel * channels + c) * inner)
      }
  return out
}

/**
 * DeepFaceLab's name of a parameter of the blocks that its face models share, without the part.
 *
 * @param path  'decoder_src/up1/conv/weight'.
 */
export function dflBlockName(path: string, { deep }: { deep: boolean }): string {
  const [part, layer = '', ...rest] = path.split('/')
  const [, name = layer, digits = ''] = /^([a-z_]+?)(\d*)$/.exec(layer) ?? []
  const n = Number(digits)
  const kind = rest.at(-1)!
  if (name === 'down') return `${deep ? `down${n}` : `down1/downs_${n - 1}`}/conv1/${kind}`
  if (name === 'res') return `res${part === 'encoder' ? n : n - 1}/${rest.join('/')}`
  if (name === 'up') return `upscale${part!.startsWith('inter') ? n : n - 1}/conv1/${kind}`
  if (name === 'mask_up') return `upscalem${n - 1}/conv1/${kind}`
  if (name === 'mask_out') return `out_convm/${kind}`
  if (name === 'out') return `out_conv${digits}/${kind}`
  return `${layer}/${kind}`
}

/** Which axis of a parameter of the shared blocks counts colours. */
export function dflColours(path: string): DflPlace['colours'] {
  if (path === 'encoder/down1/conv/weight') return 'inputs'
  return /^decoder(_\w+)?\/out\d?\//.test(path) ? 'outputs' : undefined
}

/** DeepFaceLab's names of the face types. */
export const DFL_FACE_TYPES: Readonly<Record<string, FaceType>> = {
  h: 'half_face',
  mf: 'midfull_face',
  f: 'full_face',
  wf: 'whole_face',
  head: 'head',
}
