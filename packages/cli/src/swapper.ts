import type { Swapper } from '@dfl/merge'
import { controlsOf, createSwapPainter, type ModelFolder, type PainterOptions } from '@dfl/trainer'

/** What a swapper needs to know of a model. */
interface Painted extends Pick<ModelFolder, 'model' | 'state'> {
  description: Pick<ModelFolder['description'], 'faceType'>
}

/** How a swapper runs, and what its model is told besides the faces: { morph: 0.5 }. */
export interface SwapperOptions extends PainterOptions {
  controls?: Readonly<Record<string, number>>
}

/**
 * A trained model as `@dfl/merge` takes it. Must be closed.
 *
 * @throws DflError `UNKNOWN_NAME`, `BAD_OPTION` for controls that the model does not have, or not so.
 */
export async function openSwapper(
  { description, model, state }: Painted,
  { controls, ...options }: SwapperOptions = {},
): Promise<Swapper & AsyncDisposable> {
  const chosen = controlsOf(model, controls)
  const painter = await createSwapPainter(model, state, options)
  return {
    faceType: description.faceType,
    resolution: model.resolution,
    swap: (faces) => painter.paint(faces, chosen),
    [Symbol.asyncDispose]: () => painter[Symbol.asyncDispose](),
  }
}

/** What tells one state of a model from every other, and what it is told from other numbers. */
export const paintedBy = ({ description, progress, model }: ModelFolder, given?: SwapperOptions['controls']) => ({
  model: description,
  iteration: progress.iteration,
  trainedSeconds: progress.seconds,
  ...(model.controls ? { controls: controlsOf(model, given) } : {}),
})

/** The numbers that a model is told, for people: ', morph 0.75'; nothing for a model without controls. */
export const sayControls = (model: ModelFolder['model'], given?: SwapperOptions['controls']): string =>
  Object.entries(controlsOf(model, given))
    .map(([name, value]) => `, ${name} ${value}`)
    .join('')
