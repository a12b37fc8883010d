import { DflError } from '@dfl/core'
import { tf } from '@dfl/engine'
import type { Params } from './architecture.js'
import type { Block } from './blocks.js'
import { conv, convParams } from './layers.js'
import { convTranspose, convTransposeParams } from './segmentation.js'

/**
 * A critic of codes: [N, side, side, channels] → logits [N, h, w, 1].
 *
 * 1 + side/8 convolutions of stride 2, the first 4x4, the others 3x3, to 256·2^i channels but at most 2048, leaky ReLU 0.1;
 * a 1x1 convolution to the logits.
 */
export function codeDiscriminator([side, , channels]: readonly [number, number, number]): Block<
  tf.Tensor4D,
  tf.Tensor4D
> {
  const widths = Array.from({ length: 1 + (side >> 3) }, (_, i) => Math.min(2048, 256 * 2 ** i))
  return {
    params: Object.assign(
      {},
      ...widths.map((width, i) => convParams(`down${i + 1}/conv`, i === 0 ? 4 : 3, widths[i - 1] ?? channels, width)),
      convParams('out/conv', 1, widths.at(-1)!, 1),
    ),
    apply(p, x) {
      let y = x
      widths.forEach((_, i) => {
        y = tf.leakyRelu(conv(p, `down${i + 1}/conv`, y, 2), 0.1)
      })
      return conv(p, 'out/conv', y)
    },
  }
}

/**
 * Strides of the 3x3 convolutions that together see patches of about `patchPx` pixels.
 *
 * Among all lists of at most nine, of which the first is 2, that whose receptive field comes closest; then the shortest;
 * then that of the largest strides.
 */
export function patchStrides(patchPx: number): number[] {
  let best: { strides: number[]; error: number; sum: number } | undefined
  for (let length = 1; length <= 9; length++)
    for (let bits = 0; bits < 2 ** (length - 1); bits++) {
      const strides = [2, ...Array.from({ length: length - 1 }, (_, i) => (bits & (1 << (length - 2 - i)) ? 1 : 2))]
      const error = Math.abs(receptiveField(strides) - patchPx)
      const sum = strides.reduce((a, b) => a + b)
      const better =
        !best ||
        error < best.error ||
        (error === best.error && (length < best.strides.length || (length === best.strides.length && sum > best.sum)))
      if (better) best = { strides, error, sum }
    }
  return best!.strides
}

/** Side of the patch that one output of 3x3 convolutions with these strides depends on. */
export function receptiveField(strides: readonly number[]): number {
  let [field, jump] = [1, 1]
  for (const stride of strides) {
    field += 2 * jump
    jump *= stride
  }
  return field
}

/**
 * A critic of patches, a U-Net: [N, R, R, 3] → logits of its narrowest map [N, r, r, 1] and of all pixels [N, R, R, 1].
 *
 * A 1x1 convolution to `dims` channels; convolutions of the strides that see patches of `patchPx`; logits; the way back by
 * transposed convolutions, each beside what had its size on the way down; logits. Leaky ReLU 0.2.
 *
 * @throws DflError `BAD_OPTION` where the strides do not divide the resolution.
 *
 * Source: Schönfeld et al. 2020, https://arxiv.org/abs/2002.12655
 */
export function patchDiscriminator({
  resolution,
  patchPx,
  dims,
}: {
  resolution: number
  patchPx: number
  dims: number
}): Block<tf.Tensor4D, readonly [patches: tf.Tensor4D, pixels: tf.Tensor4D]> {
  const strides = patchStrides(patchPx)
  const factor = strides.reduce((a, b) => a * b)
  if (resolution % factor !== 0)
    throw new DflError(
      'BAD_OPTION',
      `Expected a resolution divisible by ${factor} for \`ganPatchSize\` ${patchPx}, but got ${resolution}. Use smaller patches.`,
    )
  const width = (level: number) => Math.min(dims * 2 ** level, 512)
  const act = (x: tf.Tensor4D) => tf.leakyRelu(x, 0.2)
  const levels = strides.map((stride, i) => ({ stride, inputs: width(i), outputs: width(i + 1), name: i + 1 }))
  const back = [...levels].reverse()
  const bottom = width(levels.length)
  return {
    params: Object.assign(
      {},
      convParams('in/conv', 1, 3, dims),
      ...levels.map(({ name, inputs, outputs }) => convParams(`down${name}/conv`, 3, inputs, outputs)),
      convParams('patches/conv', 1, bottom, 1),
      convParams('middle/conv', 1, bottom, bottom),
      // Behind the first one, half of what comes in is what lay beside it on the way down.
      ...back.map(({ name, inputs, outputs }, i) =>
        convTransposeParams(`up${name}/conv`, 3, i === 0 ? outputs : 2 * outputs, inputs),
      ),
      convParams('pixels/conv', 1, 2 * dims, 1),
    ),
    apply(p: Params, x) {
      let y = act(conv(p, 'in/conv', x))
      const beside: tf.Tensor4D[] = []
      for (const { name, stride } of levels) {
        beside.push(y)
        y = act(conv(p, `down${name}/conv`, y, stride))
      }
      const patches = conv(p, 'patches/conv', y)
      y = act(conv(p, 'middle/conv', y))
      for (const { name, stride } of back) {
        y = act(convTranspose(p, `up${name}/conv`, y, stride))
        y = tf.concat([y, beside.pop()!], 3)
      }
      return [patches, conv(p, 'pixels/conv', y)]
    },
  }
}
