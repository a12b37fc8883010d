import { State } from '@dfl/engine'
import { type FaceModel, initialise, type Optimiser } from '@dfl/nn'

/** Name of an optimiser's moment in the state: 'm:encoder/down1/conv/weight'. */
export const momentName = (moment: string, path: string) => `${moment}:${path}`

/** The parameters and zeroed moments with which a run begins. */
export function createTrainState(model: FaceModel, optimiser: Optimiser, seed: number): State {
  const state = new State(initialise(model.params, seed))
  resetMoments(state, model, optimiser)
  return state
}

/** Sets all moments to zero, as at the start of a run or after a change of optimiser. */
export function resetMoments(state: State, model: FaceModel, optimiser: Optimiser): void {
  for (const [path, { shape }] of Object.entries(model.params))
    for (const moment of optimiser.moments)
      state.set(momentName(moment, path), { data: new Float32Array(sizeOf(shape)), shape })
}

/** Adds what a critic begins with where the state has nothing of that name and shape. */
export function addCritics(
  state: State,
  params: FaceModel['params'],
  { optimiser, seed }: { optimiser: Optimiser; seed: number },
): void {
  const missing = Object.keys(params).some(
    (path) => !state.has(path) || state.shapeOf(path).join() !== params[path]!.shape.join(),
  )
  if (!missing) return
  for (const [path, tensor] of Object.entries(initialise(params, seed))) {
    state.set(path, tensor)
    for (const moment of optimiser.moments)
      state.set(momentName(moment, path), { data: new Float32Array(tensor.data.length), shape: tensor.shape })
  }
}

/** How many values a tensor of a shape has. */
export const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
