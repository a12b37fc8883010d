import { resolveOptions } from '@dfl/core'
import { type DflParts, dflBlockName, dflColours, weightsFromDfl } from '@dfl/nn'
import { amp } from './amp.js'

/** The options of a DeepFaceLab AMP as ours. */
export function ampOptionsFromDfl(options: Readonly<Record<string, unknown>>) {
  const number = (name: string) => options[name] as number
  return resolveOptions(amp.options, {
    resolution: number('resolution'),
    aeDims: number('ae_dims'),
    interDims: number('inter_dims'),
    eDims: number('e_dims'),
    dDims: number('d_dims'),
    dMaskDims: number('d_mask_dims'),
    morphFactor: number('morph_factor'),
  })
}

/**
 * The weights of a DeepFaceLab AMP under our paths. Its inters never learned there; here they go on with the rest.
 *
 * @param parts  The files `<name>_AMP_encoder.npy` and so on, by part.
 * @throws DflError `BAD_SHAPE` where they do not fit the options.
 */
export function ampWeightsFromDfl(options: ReturnType<typeof ampOptionsFromDfl>, parts: DflParts) {
  const { resolution, eDims, interDims } = options
  const side = resolution / 32
  return weightsFromDfl(amp.build(options).params, parts, (path) => {
    const part = path.split('/')[0]!
    const inter = /^inter_(src|dst)\/dense1\/(weight|bias)$/.test(path)
    return {
      part,
      name: inter ? `dense2/${path.split('/').at(-1)}` : dflBlockName(path, { deep: true }),
      colours: dflColours(path),
      map: inter
        ? { axis: 1, side, channels: interDims }
        : path === 'encoder/dense1/weight'
          ? { axis: 0, side, channels: 8 * eDims }
          : undefined,
    }
  })
}
