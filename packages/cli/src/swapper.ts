import type { Swapper } from '@dfl/merge'
import type { ModelFolder, Painter } from '@dfl/trainer'

/** What a swapper needs to know of a model. */
interface Painted {
  description: Pick<ModelFolder['description'], 'faceType'>
  model: Pick<ModelFolder['model'], 'resolution'>
}

/** A trained model as `@dfl/merge` takes it. */
export function swapperOf({ description, model }: Painted, painter: Painter): Swapper {
  return {
    faceType: description.faceType,
    resolution: model.resolution,
    async swap(faces) {
      const painted = await painter.paint(faces)
      return painted.map(({ face, mask }) => ({ face: face.src, mask: mask.src, dstMask: mask.dst }))
    },
  }
}

/** What tells one state of a model from every other. */
export const paintedBy = ({ description, progress }: ModelFolder) => ({
  model: description,
  iteration: progress.iteration,
  trainedSeconds: progress.seconds,
})
