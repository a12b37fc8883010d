import { join } from 'node:path'
import type { Bitmap, Pixels } from '@dfl/core'
import type { Sampler } from '@dfl/faceset'
import { createPixels, mosaic, paste, resize } from '@dfl/image'
import { drawText, writeImage } from '@dfl/media'
import { createPainter, type ModelFolder, type Painter, previewRows, type TrainReport } from '@dfl/trainer'
import { createControlSheets } from './control-sheet.js'
import type { PreviewEvent } from './events.js'
import { runPlot } from './run-plot.js'

/** Rows of the preview: faces spread evenly over the footage. */
const ROWS = 5
const FIRST_AFTER_SECONDS = 10
const EVERY_SECONDS = 30
/** The most that previews may cost, as a share of the training time. */
const LARGEST_SHARE = 0.03
const CELL_PX = 128
const GAP_PX = 2
const HEADER_PX = 26

const TITLES = ['src', 'src→src', 'dst', 'dst→dst', 'dst→src (swap)']

/** Faces of a preview and where they are. */
interface PreviewFaces {
  face: Record<'src' | 'dst', Pixels[]>
  mask: Record<'src' | 'dst', Pixels[]>
}

/** Writes preview pictures while a model trains. */
export interface Previewer extends AsyncDisposable {
  /** Writes a preview if it is time for one. */
  ifDue(report: TrainReport): Promise<PreviewEvent | undefined>
  /** Writes a preview now. */
  write(): Promise<PreviewEvent>
}

/**
 * A writer of `<folder>/<iteration>.png` and `<folder>/latest.png`: the first after about 10 s, then every 30 s, or less
 * often where that would cost more than 3 % of the training time. With each come `masked.png`, the same faces cut out
 * along their masks, `progress.png`, losses and measures over the run, and for each of the model's controls a sheet of its
 * name, such as `morph.png`: swaps at several values of it.
 *
 * @param sampler  Gives the faces; asked once.
 */
export function createPreviewer(folder: string, run: ModelFolder, sampler: () => Promise<Sampler>): Previewer {
  let faces: Promise<PreviewFaces> | undefined
  let painter: Promise<Painter> | undefined
  const controls = createControlSheets(run.model, run.state)
  let nextAt = run.progress.seconds + FIRST_AFTER_SECONDS

  const write = async (): Promise<PreviewEvent> => {
    const began = performance.now()
    faces ??= sampler().then(previewFaces)
    painter ??= createPainter(run.model, run.state, { freeze: false, batchSize: 2 * ROWS })
    const { face, mask } = await faces
    const { iteration, seconds } = run.progress
    const rows = await previewRows(await painter, face, mask, run.description.faceType)
    const picture = await previewPicture(rows.plain, `iteration ${iteration}`)
    const path = join(folder, `${String(iteration).padStart(6, '0')}.png`)
    await writeImage(path, picture)
    await writeImage(join(folder, 'latest.png'), picture)
    await writeImage(
      join(folder, 'masked.png'),
      await previewPicture(rows.masked, `iteration ${iteration}, inside masks`),
    )
    for (const [name, sheet] of Object.entries(await controls.draw(face.dst, `iteration ${iteration}`)))
      await writeImage(join(folder, `${name}.png`), sheet)
    const log = await run.readLog()
    if (log.length > 0)
      await writeImage(
        join(folder, 'progress.png'),
        await runPlot(log, await run.readMeasures(), await run.readHistory()),
      )
    const cost = (performance.now() - began) / 1000
    nextAt = seconds + Math.max(EVERY_SECONDS, cost / LARGEST_SHARE)
    return { event: 'preview', path, iteration }
  }
  return {
    ifDue: async ({ seconds }) => (seconds >= nextAt ? write() : undefined),
    write,
    async [Symbol.asyncDispose]() {
      await (await painter?.catch(() => undefined))?.[Symbol.asyncDispose]()
      await controls[Symbol.asyncDispose]()
    },
  }
}

async function previewFaces(sampler: Sampler): Promise<PreviewFaces> {
  const { resolution: R, src, dst } = await sampler.previewBatch(ROWS)
  const split = (data: Float32Array, channels: 1 | 3): Pixels[] =>
    Array.from({ length: ROWS }, (_, i) => ({
      data: data.slice(i * R * R * channels, (i + 1) * R * R * channels),
      ...{ width: R, height: R, channels },
    }))
  return {
    face: { src: split(src.target, 3), dst: split(dst.target, 3) },
    mask: { src: split(src.mask, 1), dst: split(dst.mask, 1) },
  }
}

/**
 * Rows of faces as one picture, such as the preview: a title over each column.
 *
 * @param rows  [R, R, 3] pictures, as many in each as there are titles.
 * @param caption  A line below.
 * @param columns  Titles; those of the preview's five columns if not given.
 */
export async function previewPicture(
  rows: readonly (readonly Pixels[])[],
  caption: string,
  columns: readonly string[] = TITLES,
): Promise<Bitmap> {
  const R = rows[0]![0]!.width
  const cell = Math.max(CELL_PX, R)
  const cells = rows.map((row) =>
    row.map((face) => (face.width === cell ? face : resize(face, { width: cell, height: cell }))),
  )
  const sheet = mosaic(cells, { gapPx: GAP_PX, background: 0.1 })
  const picture = createPixels(sheet.width, sheet.height + 2 * HEADER_PX, 3)
  picture.data.fill(0.1)
  paste(picture, sheet, 0, HEADER_PX)
  for (let i = 0; i < picture.data.length; i++) picture.data[i] = Math.min(1, Math.max(0, picture.data[i]!))
  const titles = columns.map((text, i) => ({ text, x: i * (cell + GAP_PX) + 4, y: HEADER_PX - 9, sizePx: 14 }))
  return drawText(picture, [...titles, { text: caption, x: 4, y: picture.height - 9, sizePx: 14 }])
}
