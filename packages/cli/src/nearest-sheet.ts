import { join } from 'node:path'
import { mouthOpening } from '@dfl/align'
import type { Bitmap } from '@dfl/core'
import { compareSheet, driftToDst, nearestPictures, type PoseAndMouth } from '@dfl/evaluate'
import type { Faceset } from '@dfl/faceset'
import { createPixels, paste } from '@dfl/image'
import { drawText, type Label, writeImage } from '@dfl/media'
import type { WarningEvent } from './events.js'
import type { SwapsSeen } from './run-measures.js'

/** SRC faces beside each swap. */
const NEAREST = 3
/** Faces of DST at most. */
const ROWS = 8
const CELL_PX = 128
const GAP_PX = 2
const HEADER_PX = 26

/** Shows and tells, whenever a run is measured, what its swaps are made of. */
export interface NearestSheet {
  /**
   * Writes `nearest.png`: faces of DST, their swaps, and the SRC faces that look most like each swap. Gives back a warning
   * where the output falls back to DST and did not, or not there, the last time.
   */
  write(seen: SwapsSeen, iteration: number): Promise<WarningEvent | undefined>
}

/** @param src All of SRC's faces, for how many of them show a pose. */
export function createNearestSheet(folder: string, src: Faceset): NearestSheet {
  let srcFaces: Promise<PoseAndMouth[]> | undefined
  let told = ''
  return {
    async write(seen, iteration) {
      srcFaces ??= posesOf(src)
      const { swapTrack: swap, dstTrack: dst } = seen
      const drift = driftToDst({ swap, dst, src: seen.src }, await srcFaces)
      await writeImage(join(folder, 'nearest.png'), await sheetOf(seen, new Set(drift?.fallen), iteration))
      const what = drift ? `${drift.where?.name} ${drift.where?.side}` : ''
      const isNew = drift !== undefined && what !== told
      told = what
      return isNew ? { event: 'warning', text: `Iteration ${iteration}: ${drift.sentence}` } : undefined
    },
  }
}

async function posesOf(faceset: Faceset): Promise<PoseAndMouth[]> {
  const out: PoseAndMouth[] = []
  for await (const { pose, sourceLandmarks } of faceset.faces())
    if (pose) out.push({ ...pose, mouth: mouthOpening(sourceLandmarks) })
  return out
}

async function sheetOf(
  { dst, swap, candidates }: SwapsSeen,
  fallen: ReadonlySet<number>,
  iteration: number,
): Promise<Bitmap> {
  // Fallen faces first: they are what one looks for.
  const order = Array.from(dst.keys()).sort((a, b) => Number(fallen.has(b)) - Number(fallen.has(a)))
  const shown = order.slice(0, ROWS)
  const near = nearestPictures(
    shown.map((i) => swap[i]!),
    candidates,
    NEAREST,
  )
  const sheet = compareSheet(
    shown.map((i, row) => [dst[i]!, swap[i]!, ...near[row]!.map((at) => candidates[at]!)]),
    { cellWidth: CELL_PX, gapPx: GAP_PX },
  )
  const picture = createPixels(sheet.width, sheet.height + 2 * HEADER_PX, 3)
  picture.data.fill(0.1)
  paste(picture, sheet, 0, HEADER_PX)
  const step = CELL_PX + GAP_PX
  const titles = ['dst', 'swap', 'nearest src', '2nd', '3rd']
  const labels: Label[] = titles.map((text, i) => ({ text, x: i * step + 4, y: HEADER_PX - 9, sizePx: 14 }))
  shown.forEach((i, row) => {
    if (fallen.has(i))
      labels.push({ text: 'falls back', x: step + 4, y: HEADER_PX + row * step + CELL_PX - 6, sizePx: 14 })
  })
  labels.push({ text: `iteration ${iteration}`, x: 4, y: picture.height - 9, sizePx: 14 })
  return drawText(picture, labels)
}
