import { tf } from '@dfl/engine'
import type { Decoded, ParamSpec, Params } from './architecture.js'
import {
  type Activation,
  activation,
  conv,
  convParams,
  convTogether,
  dense,
  denseParams,
  depthToSpace,
  pixelNorm,
} from './layers.js'

/** A part of a network: its parameters, and what it does with them. */
export interface Block<In extends tf.Tensor, Out> {
  params: ParamSpec
  apply(params: Params, x: In): Out
}

/** Which of DeepFaceLab's variants the blocks are of. */
export interface Variant {
  /** One more level, residual blocks in the encoder: 't'. */
  deep: boolean
  /** Paint the last doubling with four convolutions: 'd'. */
  subpixel: boolean
  /** x · cos(x) as the activation: 'c'. */
  cosine: boolean
}

/** Doubles the size: a 3x3 convolution to four times the channels, laid out as pixels. */
export const upBlock = (
  path: string,
  inputs: number,
  outputs: number,
  act: Activation,
): Block<tf.Tensor4D, tf.Tensor4D> => ({
  params: convParams(`${path}/conv`, 3, inputs, 4 * outputs),
  apply: (p, x) => depthToSpace(act(conv(p, `${path}/conv`, x))), // [N, 2H, 2W, outputs]
})

/** Two 3x3 convolutions beside the way straight through. */
export const resBlock = (path: string, width: number, act: Activation): Block<tf.Tensor4D, tf.Tensor4D> => ({
  params: { ...convParams(`${path}/conv1`, 3, width, width), ...convParams(`${path}/conv2`, 3, width, width) },
  apply: (p, x) => act(tf.add(conv(p, `${path}/conv2`, act(conv(p, `${path}/conv1`, x), 0.2)), x), 0.2),
})

/** Blocks one after the other. */
export const chain = (blocks: readonly Block<tf.Tensor4D, tf.Tensor4D>[]): Block<tf.Tensor4D, tf.Tensor4D> => ({
  params: Object.assign({}, ...blocks.map(({ params }) => params)),
  apply: (p, x) => blocks.reduce((y, block) => block.apply(p, y), x),
})

/**
 * DeepFaceLab's encoder: [N, R·shrink, R·shrink, 3] → [N, outputs] float32. `shrink` averages squares of so many pixels a side first.
 *
 * Four convolutions of 5x5 and stride 2, to E, 2E, 4E, 8E; `deep`: five, with residual blocks after the first and the last.
 * `pixelNorm` divides the flat code by its root mean square: 'u'.
 */
export function faceEncoder(
  path: string,
  {
    resolution,
    shrink = 1,
    dims: E,
    deep,
    cosine,
    pixelNorm: norm,
  }: { resolution: number; shrink?: number; dims: number; pixelNorm: boolean } & Pick<Variant, 'deep' | 'cosine'>,
): Block<tf.Tensor4D, tf.Tensor2D> & { outputs: number } {
  const act = activation(cosine)
  const downs = deep ? [E, 2 * E, 4 * E, 8 * E, 8 * E] : [E, 2 * E, 4 * E, 8 * E]
  const side = resolution >> downs.length
  const outputs = side * side * downs.at(-1)!
  const levels = chain(
    downs.flatMap((width, i) => {
      const down = `${path}/down${i + 1}/conv`
      const block: Block<tf.Tensor4D, tf.Tensor4D> = {
        params: convParams(down, 5, downs[i - 1] ?? 3, width),
        apply: (p, x) => act(conv(p, down, x, 2)), // [N, H/2, W/2, width]
      }
      return deep && (i === 0 || i === 4) ? [block, resBlock(`${path}/res${i + 1}`, width, act)] : [block]
    }),
  )
  return {
    params: levels.params,
    outputs,
    apply(p, x) {
      const seen = shrink === 1 ? x : tf.avgPool(x, shrink, shrink, 'valid') // [N, R, R, 3]
      const flat = tf.reshape(levels.apply(p, seen), [x.shape[0], outputs]) as tf.Tensor2D
      return norm ? pixelNorm(flat) : flat
    },
  }
}

/** A code laid out as a map: [N, codeDims] → [N, out, out, outputs] float32, `out` being its own `side`. */
export type CodeMap = Block<tf.Tensor2D, tf.Tensor4D> & { side: number }

/** The second half of DeepFaceLab's inter: dense to a map of side `side`, doubled unless the variant is deep. */
export function codeMap(
  path: string,
  {
    codeDims,
    side,
    outputs,
    deep,
    cosine,
  }: { codeDims: number; side: number; outputs: number } & Pick<Variant, 'deep' | 'cosine'>,
): CodeMap {
  const up = deep ? undefined : upBlock(`${path}/up1`, outputs, outputs, activation(cosine))
  return {
    params: { ...denseParams(`${path}/dense2`, codeDims, side * side * outputs), ...up?.params },
    side: deep ? side : 2 * side,
    apply(p, code) {
      const wide = dense(p, `${path}/dense2`, code) // [N, side·side·outputs]
      const map = tf.reshape(wide, [code.shape[0], side, side, outputs]) as tf.Tensor4D
      return up ? up.apply(p, map) : map
    },
  }
}

/** An inter, and its two halves: `code` gives [N, codeDims] float32, `map` lays that out. */
export interface FaceInter extends Block<tf.Tensor2D, tf.Tensor4D> {
  /** Of the map that comes out. */
  side: number
  code(params: Params, flat: tf.Tensor2D): tf.Tensor2D
  map: CodeMap
}

/**
 * DeepFaceLab's inter: a flat code → a map, [N, inputs] → [N, out, out, outputs] float32.
 *
 * Dense to `codeDims` numbers, and these laid out as a map: see `codeMap`.
 */
export function faceInter(
  path: string,
  { inputs, ...laidOut }: { inputs: number } & Parameters<typeof codeMap>[1],
): FaceInter {
  const map = codeMap(path, laidOut)
  const code = (p: Params, flat: tf.Tensor2D) => dense(p, `${path}/dense1`, flat)
  return {
    params: { ...denseParams(`${path}/dense1`, inputs, laidOut.codeDims), ...map.params },
    side: map.side,
    code,
    map,
    apply: (p, flat) => map.apply(p, code(p, flat)),
  }
}

/**
 * DeepFaceLab's decoder: a map → face and mask, each by ups of its own.
 *
 * The face has a residual block after each up; its last doubling is painted by four convolutions with `subpixel`. `finer`
 * adds as many doublings, of the channels of the last.
 */
export function faceDecoder(
  path: string,
  {
    inputs,
    dims: D,
    maskDims: M,
    finer = 0,
    deep,
    subpixel,
    cosine,
  }: { inputs: number; dims: number; maskDims: number; finer?: number } & Variant,
): Block<tf.Tensor4D, Decoded> {
  const act = activation(cosine)
  const widths = (dims: number) => [
    ...(deep ? [8 * dims, 8 * dims, 4 * dims, 2 * dims] : [8 * dims, 4 * dims, 2 * dims]),
    ...Array.from({ length: finer }, () => 2 * dims),
  ]
  const maskWidths = [...widths(M), ...(subpixel ? [M] : [])]
  const face = chain(
    widths(D).flatMap((width, i, all) => [
      upBlock(`${path}/up${i + 1}`, all[i - 1] ?? inputs, width, act),
      resBlock(`${path}/res${i + 1}`, width, act),
    ]),
  )
  const mask = chain(
    maskWidths.map((width, i) => upBlock(`${path}/mask_up${i + 1}`, maskWidths[i - 1] ?? inputs, width, act)),
  )
  const heads = ['out', ...(subpixel ? ['out1', 'out2', 'out3'] : [])].map((name) => `${path}/${name}`)
  return {
    params: Object.assign(
      {},
      face.params,
      ...heads.map((head, i) => convParams(head, i === 0 ? 1 : 3, widths(D).at(-1)!, 3)),
      mask.params,
      convParams(`${path}/mask_out`, 1, maskWidths.at(-1)!, 1),
    ),
    apply(p, z) {
      const features = face.apply(p, z)
      const painted = convTogether(p, heads, features)
      return {
        face: tf.sigmoid(subpixel ? depthToSpace(painted) : painted), // [N, R, R, 3]
        mask: tf.sigmoid(conv(p, `${path}/mask_out`, mask.apply(p, z))), // [N, R, R, 1]
      }
    },
  }
}
