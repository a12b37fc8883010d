import { defineOptions, type OptionsOf } from '@dfl/core'
import { tf } from '@dfl/engine'
import {
  type Block,
  blurPool,
  chain,
  checkImages,
  conv,
  convParams,
  convTranspose,
  convTransposeParams,
  dense,
  denseParams,
  dssim,
  dssimWindows,
  type FaceModel,
  filterResponse,
  filterResponseParams,
  type Loss,
  type ModelArchitecture,
  meanSquaredError,
} from '@dfl/nn'

const options = defineOptions({
  resolution: {
    type: 'number',
    default: 256,
    min: 64,
    max: 512,
    multipleOf: 64,
    unit: 'px',
    fixed: true,
    description: 'Side R of the images the model sees and of its masks.',
  },
  baseDims: {
    type: 'number',
    default: 32,
    min: 4,
    max: 64,
    multipleOf: 2,
    fixed: true,
    description: 'Channels of the first level.',
  },
})

/** XSeg: a U-Net that finds the part of a face that shall be swapped, as people have drawn it on other faces. */
export const xseg: ModelArchitecture<typeof options> = {
  name: 'xseg',
  source:
    "DeepFaceLab's XSeg, as its behaviour shows it; U-Net of Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597",
  options,
  build: (chosen) => network(chosen, { beside: true, losses: [crossEntropy] }),
}

/**
 * XSeg as it is pretrained, with the parameters of `xseg`: it learns to give back, as its mask, the gray picture of a face that
 * it sees warped, from the bottleneck alone. So the way down knows faces before anybody has drawn an outline.
 *
 * The `mask` of its batches is that gray picture: `rgbToGray` of @dfl/image makes it of `target`.
 */
export const xsegPretraining = (chosen: OptionsOf<typeof options>): FaceModel =>
  network(chosen, { beside: false, losses: likeness(chosen.resolution) })

type Map2D = Block<tf.Tensor4D, tf.Tensor4D>

/** Levels on the way down: channels as multiples of the first, convolutions, width of the blur before the halving. */
const DOWN = [
  { width: 1, convs: 2, taps: 4 },
  { width: 2, convs: 2, taps: 3 },
  { width: 4, convs: 2, taps: 2 },
  { width: 8, convs: 3, taps: 2 },
  { width: 8, convs: 3, taps: 2 },
  { width: 8, convs: 3, taps: 2 },
]

/** And back up: channels of the doubled map, then of the convolutions beside what came from the way down. */
const UP = [
  { up: 4, width: 8, convs: 3 },
  { up: 4, width: 8, convs: 3 },
  { up: 4, width: 8, convs: 3 },
  { up: 4, width: 4, convs: 2 },
  { up: 2, width: 2, convs: 2 },
  { up: 1, width: 1, convs: 2 },
]

/** @param beside Whether the way up sees what the way down saw at each level. */
function network(
  { resolution: R, baseDims: B }: OptionsOf<typeof options>,
  { beside: skips, losses }: { beside: boolean; losses: Loss[] },
): FaceModel {
  const side = R >> DOWN.length
  const flat = side * side * 8 * B
  const down = DOWN.map(({ width, convs }, i) =>
    convolutions(`encoder/level${i + 1}`, convs, (DOWN[i - 1]?.width ?? 3 / B) * B, width * B),
  )
  const up = UP.map(({ up, width, convs }, i) => {
    const path = `decoder/level${UP.length - i}`
    const beside = DOWN.at(-1 - i)!.width
    return {
      double: doubling(`${path}/up`, (UP[i - 1]?.width ?? 8) * B, up * B),
      convs: convolutions(path, convs, (up + beside) * B, width * B),
    }
  })
  return {
    resolution: R,
    paints: 'masks',
    params: Object.assign(
      {},
      ...down.map(({ params }) => params),
      denseParams('encoder/dense1', flat, 16 * B),
      denseParams('encoder/dense2', 16 * B, flat),
      ...up.flatMap(({ double, convs }) => [double.params, convs.params]),
      convParams('decoder/out/conv', 3, B, 1),
    ),
    encode(_, x) {
      checkImages(x, R)
      return [x]
    },
    decode(p, [x]: [tf.Tensor4D]) {
      let y = x
      const beside: tf.Tensor4D[] = []
      DOWN.forEach(({ taps }, i) => {
        y = down[i]!.apply(p, y)
        beside.push(y)
        y = blurPool(y, taps) // [N, R/2^(i+1), R/2^(i+1), width]
      })
      const code = dense(p, 'encoder/dense2', dense(p, 'encoder/dense1', tf.reshape(y, [x.shape[0], flat])))
      y = tf.reshape(code, [x.shape[0], side, side, 8 * B])
      for (const { double, convs } of up) {
        const seen = beside.pop()!
        y = convs.apply(p, tf.concat([double.apply(p, y), skips ? seen : tf.zerosLike(seen)], 3))
      }
      return { face: x, mask: tf.sigmoid(conv(p, 'decoder/out/conv', y)) }
    },
    losses: () => losses,
  }
}

/** Mean cross-entropy of the mask. */
const crossEntropy: Loss = {
  name: 'cross_entropy',
  weight: 1,
  of({ mask, painted }) {
    const log = (x: tf.Tensor) => tf.log(tf.add(x, 1e-6))
    const inside = tf.mul(mask, log(painted.mask))
    const outside = tf.mul(tf.sub(1, mask), log(tf.sub(1, painted.mask)))
    return tf.neg(tf.mean(tf.add(inside, outside), [1, 2, 3]))
  },
}

/** How far the mask is from a gray picture: DSSIM with two windows, and the mean square. */
const likeness = (resolution: number): Loss[] => [
  ...dssimWindows(resolution).map((windowPx, i): Loss => {
    const name = i === 0 ? 'dssim' : 'dssim_fine'
    return { name, weight: 5, of: ({ mask, painted }) => dssim(mask, painted.mask, windowPx) }
  }),
  { name: 'mse', weight: 10, of: ({ mask, painted }) => meanSquaredError(mask, painted.mask) },
]

/** 3x3 convolutions, each normalised by its filter response. */
const convolutions = (path: string, count: number, inputs: number, outputs: number): Map2D =>
  chain(
    Array.from({ length: count }, (_, i): Map2D => {
      const name = `${path}/conv${i + 1}`
      return {
        params: {
          ...convParams(`${name}/conv`, 3, i === 0 ? inputs : outputs, outputs),
          ...filterResponseParams(name, outputs),
        },
        apply: (p, x) => filterResponse(p, name, conv(p, `${name}/conv`, x)),
      }
    }),
  )

/** A transposed convolution that doubles the size, normalised. */
const doubling = (path: string, inputs: number, outputs: number): Map2D => ({
  params: { ...convTransposeParams(`${path}/conv`, 3, inputs, outputs), ...filterResponseParams(path, outputs) },
  apply: (p, x) => filterResponse(p, path, convTranspose(p, `${path}/conv`, x)),
})
