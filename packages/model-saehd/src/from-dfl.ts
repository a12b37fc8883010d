import { resolveOptions } from '@dfl/core'
import { type DflParts, type DflPlace, dflBlockName, dflColours, weightsFromDfl } from '@dfl/nn'
import { quick96 } from './quick96.js'
import { saehd } from './saehd.js'

/** The options of a DeepFaceLab SAEHD as ours: 'liae-ud' is archi 'liae' with `pixelNorm` and `subpixel`. */
export function saehdOptionsFromDfl(options: Readonly<Record<string, unknown>>) {
  const [archi = 'df', letters = ''] = String(options.archi ?? 'df').split('-')
  const number = (name: string) => options[name] as number
  return resolveOptions(saehd.options, {
    archi: archi as 'df' | 'liae',
    resolution: number('resolution'),
    aeDims: number('ae_dims'),
    eDims: number('e_dims'),
    dDims: number('d_dims'),
    dMaskDims: number('d_mask_dims'),
    pixelNorm: letters.includes('u'),
    subpixel: letters.includes('d'),
    deep: letters.includes('t'),
    cosine: letters.includes('c'),
  })
}

/** The options of a DeepFaceLab Quick96, which has none to choose. */
export const quick96OptionsFromDfl = () => resolveOptions(saehd.options, quick96.options)

/**
 * The weights of a DeepFaceLab SAEHD or Quick96 under our paths.
 *
 * @param parts  The files `<name>_SAEHD_encoder.npy` and so on, by part.
 * @throws DflError `BAD_SHAPE` where they do not fit the options.
 */
export function saehdWeightsFromDfl(options: ReturnType<typeof saehdOptionsFromDfl>, parts: DflParts) {
  const { resolution, eDims, aeDims, subpixel, deep, archi } = options
  const encoded = { side: resolution / (deep ? 32 : 16), channels: 8 * eDims }
  const decoded = { side: resolution / (subpixel ? 32 : 16), channels: archi === 'liae' ? 2 * aeDims : aeDims }
  return weightsFromDfl(saehd.build(options).params, parts, (path): DflPlace => {
    const part = path.split('/')[0]!
    const map = /dense1\/weight$/.test(path)
      ? { axis: 0 as const, ...encoded }
      : /dense2\/(weight|bias)$/.test(path)
        ? { axis: 1 as const, ...decoded }
        : undefined
    return { part, name: dflBlockName(path, options), colours: dflColours(path), map }
  })
}
