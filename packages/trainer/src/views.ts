import { tf } from '@dfl/engine'
import {
  blurOutMask,
  type Controls,
  type FaceModel,
  type Learning,
  type Params,
  type SideView,
  softOutline,
  type Views,
} from '@dfl/nn'

/** What both sides of a batch look like to losses. */
export interface ViewOptions {
  /** The batch's tensors by name: 'src/warped'. */
  given: Readonly<Record<string, tf.Tensor>>
  controls: Controls
  maskedTraining: boolean
  blurOutMask: boolean
}

/**
 * Both sides of a batch as losses see them.
 *
 * @param learning  Parameters that a gradient is taken in.
 * @param still  The same ones as other tensors, through which no gradient flows.
 */
export function viewsOf(
  model: FaceModel,
  { learning, still }: { learning: Params; still: Params },
  options: ViewOptions,
): Views {
  const decoders = Object.fromEntries(
    Object.keys(still).map((path) => [path, (path.startsWith('decoder') ? learning : still)[path]!]),
  )
  const paramsFor: Record<Learning, Params> = { all: learning, decoders, nothing: still }
  const view = (side: string): SideView => {
    const input = (name: string) => options.given[`${side}/${name}`] as tf.Tensor4D
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
    const paint = (as: string, who: Learning) => {
      const given = [paramsFor[who], input('warped')] as const
      if (as === 'src' || as === 'dst') return model.forward(...given, as, options.controls)
      return model.people!.forward(...given, as, options.controls)
    }
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
      code: (who) => model.code!.of(paramsFor[who], input('warped')),
    }
  }
  const further = Object.fromEntries((model.people?.names ?? []).map((person) => [person, view(person)]))
  return { ...further, src: view('src'), dst: view('dst') }
}
