import type { Swapper } from '@dfl/merge'
import { createSwapPainter, type ModelFolder, type PainterOptions } from '@dfl/trainer'

/** What a swapper needs to know of a model. */
interface Painted extends Pick<ModelFolder, 'model' | 'state'> {
  description: Pick<ModelFolder['description'], 'faceType'>
}

/** A trained model as `@dfl/merge` takes it. Must be closed. */
export async function openSwapper(
  { description, model, state }: Painted,
  options?: PainterOptions,
): Promise<Swapper & AsyncDisposable> {
  const painter = await createSwapPainter(model, state, options)
  return {
    faceType: description.faceType,
    resolution: model.resolution,
    swap: (faces) => painter.paint(faces),
    [Symbol.asyncDispose]: () => painter[Symbol.asyncDispose](),
  }
}

/** What tells one state of a model from every other. */
export const paintedBy = ({ description, progress }: ModelFolder) => ({
  model: description,
  iteration: progress.iteration,
  trainedSeconds: progress.seconds,
})
