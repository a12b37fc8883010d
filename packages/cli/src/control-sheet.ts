import type { Bitmap, Pixels } from '@dfl/core'
import type { State } from '@dfl/engine'
import type { Control, FaceModel } from '@dfl/nn'
import { createSwapPainter } from '@dfl/trainer'
import { previewPicture } from './preview.js'

/** Steps of a control from its least value to its most. */
const STEPS = 4

/** Shows, with each preview, what a model paints when it is told something besides the face. */
export interface ControlSheets extends AsyncDisposable {
  /**
   * One picture for each of the model's controls: faces of DST, and their swaps at several values.
   *
   * @param faces  [R, R, 3] float32 0..1 each, one for a row.
   * @param caption  A line below.
   */
  draw(faces: readonly Pixels[], caption: string): Promise<Record<string, Bitmap>>
}

/** Sheets of a model's controls, with whatever weights its state holds when they are drawn. */
export function createControlSheets(model: FaceModel, state: State): ControlSheets {
  let painter: ReturnType<typeof createSwapPainter> | undefined
  return {
    async draw(faces, caption) {
      const sheets: Record<string, Bitmap> = {}
      for (const [name, control] of Object.entries(model.controls ?? {})) {
        painter ??= createSwapPainter(model, state, { freeze: false, batchSize: faces.length })
        const values = valuesOf(control)
        const rows = faces.map((face) => [face])
        for (const value of values)
          for (const [row, { face }] of (await (await painter).paint(faces, { [name]: value })).entries())
            rows[row]!.push(face)
        sheets[name] = await previewPicture(rows, caption, ['dst', ...values.map((value) => `${name} ${value}`)])
      }
      return sheets
    },
    async [Symbol.asyncDispose]() {
      await (await painter?.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}

/** From the least value to the most in even steps, and the usual one among them. */
function valuesOf({ min, max, default: usual }: Control): number[] {
  const even = Array.from({ length: STEPS + 1 }, (_, i) => min + ((max - min) * i) / STEPS)
  return [...new Set([...even, usual])].sort((a, b) => a - b)
}
