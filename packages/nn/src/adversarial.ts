import { DflError, type Side } from '@dfl/core'
import { tf } from '@dfl/engine'
import { codeDiscriminator, patchDiscriminator } from './discriminators.js'
import type { Loss, LossSettings } from './loss.js'
import { crossEntropy } from './losses.js'

/**
 * True face: SRC's code shall look like one of DST to a critic that learns to tell them apart.
 *
 * Critic: mean of the cross-entropies of DST's code as 1 and SRC's as 0. Model: `trueFacePower` times that of SRC's as 1.
 *
 * @throws DflError `BAD_OPTION` for an architecture that shows no code.
 */
export function trueFace({ codeShape, trueFacePower }: Pick<LossSettings, 'codeShape' | 'trueFacePower'>): Loss {
  if (!codeShape)
    throw new DflError(
      'BAD_OPTION',
      `Expected 0 for \`trueFacePower\`, but got ${trueFacePower}. This architecture shows no code that SRC and DST share: DF does.`,
    )
  const critic = codeDiscriminator(codeShape)
  return {
    name: 'true_face',
    weight: trueFacePower,
    side: 'src',
    of: (view, params) => crossEntropy(critic.apply(params, view.code('all')), 1),
    critic: {
      params: critic.params,
      loss: (params, { src, dst }) =>
        tf.div(
          tf.add(
            crossEntropy(critic.apply(params, dst.code('nothing')), 1),
            crossEntropy(critic.apply(params, src.code('nothing')), 0),
          ),
          2,
        ),
    },
  }
}

/**
 * GAN: what is painted shall look real to a U-Net that judges patches and pixels.
 *
 * Critic: for both of its maps the mean of the cross-entropies of real faces as 1 and painted ones as 0. Model: `ganPower`
 * times those of painted ones as 1. Faces are cut out along the outline in masked training.
 *
 * The critic learns in the same step as the model, from what the model painted before it; DeepFaceLab paints again.
 *
 * @param sides  Whose faces it looks at; SRC's alone in DeepFaceLab's SAEHD, both in its AMP.
 */
export function gan(
  {
    resolution,
    ganPower,
    ganPatchSize,
    ganDims,
  }: Pick<LossSettings, 'resolution' | 'ganPower' | 'ganPatchSize' | 'ganDims'>,
  sides: readonly Side[] = ['src'],
): Loss {
  const critic = patchDiscriminator({
    resolution,
    patchPx: ganPatchSize || Math.max(3, resolution >> 3),
    dims: ganDims,
  })
  const judge = (params: Parameters<typeof critic.apply>[0], x: tf.Tensor4D, label: number) =>
    tf.addN(critic.apply(params, x).map((logits) => crossEntropy(logits, label)))
  return {
    name: 'gan',
    weight: ganPower,
    side: sides.length === 1 ? sides[0] : undefined,
    of: ({ inside, painted }, params) => judge(params, inside(painted.face), 1),
    critic: {
      params: critic.params,
      loss: (params, views) =>
        tf.div(
          tf.addN(
            sides.flatMap((side) => {
              const { inside, target, paint } = views[side]
              return [judge(params, inside(target), 1), judge(params, inside(paint(side, 'nothing').face), 0)]
            }),
          ),
          sides.length === 1 ? 2 : 4 * sides.length,
        ),
    },
  }
}
