import { tf } from '@dfl/engine'
import {
  blurOutMask,
  type Code,
  type Controls,
  encodeTogether,
  type FaceModel,
  type Learning,
  type Params,
  type SideView,
  sidesOf,
  softOutline,
  type Views,
} from '@dfl/nn'

/** What all sides of a batch look like to losses. */
export interface ViewOptions {
  /** The batch's tensors by name: 'src/warped'. */
  given: Readonly<Record<string, tf.Tensor>>
  controls: Controls
  maskedTraining: boolean
  blurOutMask: boolean
}

/**
 * All sides of a batch as losses see them.
 *
 * @param learning  Parameters that a gradient is taken in.
 * @param still  The same ones as other tensors, through which no gradient flows.
 */
export function viewsOf(
  model: FaceModel,
  { learning, still }: { learning: Params; still: Params },
  options: ViewOptions,
): Views {
  const sides = sidesOf(model)
  const inputOf = (side: string, name: string) => options.given[`${side}/${name}`] as tf.Tensor4D
  const decoders = Object.fromEntries(
    Object.keys(still).map((path) => [path, (path.startsWith('decoder') ? learning : still)[path]!]),
  )
  const paramsFor: Record<Learning, Params> = { all: learning, decoders, nothing: still }
  const warped = Object.fromEntries(sides.map((side) => [side, inputOf(side, 'warped')]))
  const codes = new Map<Learning, Record<string, Code>>()
  const codeOf = (side: string, who: Learning) => {
    const known = codes.get(who) ?? encodeTogether(model, paramsFor[who], warped)
    codes.set(who, known)
    return known[side]!
  }
  const view = (side: string): SideView => {
    const input = (name: string) => inputOf(side, name)
    const mask = input('mask')
    const outline = options.maskedTraining ? softOutline(mask) : undefined
    // One product for all losses that ask for it: their gradients are summed before they go back through it.
    const cut = new Map<tf.Tensor, tf.Tensor4D>()
    const inside = (x: tf.Tensor4D) => {
      if (!outline) return x
      const known = cut.get(x) ?? tf.mul(x, outline)
      cut.set(x, known)
      return known as tf.Tensor4D
    }
    const paint = (as: string, who: Learning) => model.decode(paramsFor[who], codeOf(side, who), as, options.controls)
    return {
      side,
      resolution: model.resolution,
      target: options.blurOutMask ? blurOutMask(input('target'), mask) : input('target'),
      mask,
      outline,
      painted: paint(side, 'all'),
      inside,
      input,
      paint,
      code: (who) => codeOf(side, who)[0] as tf.Tensor4D,
    }
  }
  return Object.fromEntries(sides.map((side) => [side, view(side)])) as Views
}
