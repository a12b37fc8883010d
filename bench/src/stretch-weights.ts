import type { FaceModel } from '@dfl/nn'
import type { Tensor } from './initialisers.js'

/**
 * The weights of a DF for another resolution: its convolutions stay, the maps at both ends of the dense layers are stretched.
 *
 * @param from  A trained model's parameters.
 * @param to  The model that they are wanted for, of the same dimensions otherwise.
 */
export function stretchWeights(
  from: Readonly<Record<string, Tensor>>,
  { params }: Pick<FaceModel, 'params'>,
): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(params).map(([path, { shape }]) => {
      const { data, shape: small } = from[path]!
      if (small.join() === shape.join()) return [path, { data, shape }]
      if (path === 'inter/dense1/weight') {
        const width = shape[1]! * channelsOf(params)
        const [a, b] = [sideOf(small[0]! * shape[1]!, width), sideOf(shape[0]! * shape[1]!, width)]
        // More places are added up now: each counts for less.
        return [
          path,
          { data: stretch(data, { maps: 1, from: a, to: b, channels: width, factor: (a / b) ** 2 }), shape },
        ]
      }
      const channels = params['inter/up1/conv/weight']!.shape[2]!
      const maps = shape.length === 1 ? 1 : shape[0]!
      const [a, b] = [sideOf(small.at(-1)!, channels), sideOf(shape.at(-1)!, channels)]
      return [path, { data: stretch(data, { maps, from: a, to: b, channels, factor: 1 }), shape }]
    }),
  )
}

/** Channels of the encoder's last map. */
const channelsOf = (params: FaceModel['params']) => params['encoder/down4/conv/weight']!.shape.at(-1)!

const sideOf = (values: number, channels: number) => Math.round(Math.sqrt(values / channels))

/** Square maps, [maps, from, from, channels], at another size, by straight lines between the middles of their places. */
function stretch(
  data: Float32Array,
  { maps, from, to, channels, factor }: { maps: number; from: number; to: number; channels: number; factor: number },
): Float32Array {
  const out = new Float32Array(maps * to * to * channels)
  const places = Array.from({ length: to }, (_, i) => {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5))
    const low = Math.min(Math.floor(at), Math.max(0, from - 2))
    return { low, high: Math.min(low + 1, from - 1), share: at - low }
  })
  let o = 0
  for (let m = 0; m < maps; m++)
    for (const y of places)
      for (const x of places)
        for (let c = 0; c < channels; c++) {
          const value = (row: number, column: number) => data[((m * from + row) * from + column) * channels + c]!
          const above = value(y.low, x.low) * (1 - x.share) + value(y.low, x.high) * x.share
          const below = value(y.high, x.low) * (1 - x.share) + value(y.high, x.high) * x.share
          out[o++] = factor * (above * (1 - y.share) + below * y.share)
        }
  return out
}
