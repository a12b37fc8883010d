import type { Bitmap, Pixels } from '@dfl/core'
import { createPixels, paste, resize } from '@dfl/image'
import { drawText, type Label } from '@dfl/media'
import type { Faceset } from '../faceset.js'
import type { FaceFacts } from '../sort/face-facts.js'
import { POSE_STEP_DEGREES, poseCell, poseGrid, WIDEST_POSE_DEGREES } from './describe-faceset.js'

const CELL = 96
const GAP = 3
const LEFT = 60
const TOP = 64
const BACKGROUND = 0.1
const EMPTY = 0.17

/**
 * A picture of what a faceset shows: yaw to the side and pitch down, in each cell the sharpest face of that pose and how
 * many there are. Empty cells are poses that nobody can learn from it. [H, W, 3].
 *
 * @param facts Of all its faces.
 * @param title Stands above.
 */
export async function posePicture(faceset: Faceset, facts: readonly FaceFacts[], title: string): Promise<Bitmap> {
  const { rows, columns } = poseGrid()
  const cells = Array.from({ length: rows * columns }, () => ({ count: 0, best: undefined as FaceFacts | undefined }))
  for (const face of facts) {
    const { row, column } = poseCell(face)
    const cell = cells[row * columns + column]!
    cell.count++
    if (!cell.best || face.sharpness > cell.best.sharpness) cell.best = face
  }
  const picture = createPixels(LEFT + columns * (CELL + GAP) + GAP, TOP + rows * (CELL + GAP) + 40, 3)
  picture.data.fill(BACKGROUND)
  const most = Math.max(1, ...cells.map(({ count }) => count))
  const labels: Label[] = [{ text: title, x: 12, y: 26, sizePx: 18 }]
  for (const [i, { count, best }] of cells.entries()) {
    const x = LEFT + (i % columns) * (CELL + GAP)
    const y = TOP + Math.floor(i / columns) * (CELL + GAP)
    const cell = best ? resize(await faceset.readImage(best), { width: CELL, height: CELL }) : flat(EMPTY)
    if (best) addBar(cell, Math.log1p(count) / Math.log1p(most))
    paste(picture, cell, x, y)
    if (count > 0) labels.push({ text: String(count), x: x + 5, y: y + 16, sizePx: 13 })
  }
  const { yaw, pitch } = WIDEST_POSE_DEGREES
  for (let column = 0; column < columns; column++) {
    const text = `${column * POSE_STEP_DEGREES - yaw}°`
    labels.push({ text, x: LEFT + column * (CELL + GAP) + CELL / 2 - 12, y: TOP - 10, sizePx: 14 })
  }
  for (let row = 0; row < rows; row++) {
    const text = `${pitch - row * POSE_STEP_DEGREES}°`
    labels.push({ text, x: 12, y: TOP + row * (CELL + GAP) + CELL / 2 + 5, sizePx: 14 })
  }
  labels.push({
    text: 'Across: yaw, to the right of the image above 0. Down: pitch, up above 0.',
    x: 12,
    y: picture.height - 14,
    sizePx: 13,
  })
  return drawText(picture, labels)
}

function flat(value: number): Pixels {
  const cell = createPixels(CELL, CELL, 3)
  cell.data.fill(value)
  return cell
}

/** A bar along the bottom, from red for few to green for many. */
function addBar(cell: Pixels, share: number): void {
  const color = [Math.min(1, 2 - 2 * share), Math.min(1, 2 * share), 0.15]
  for (let y = CELL - 5; y < CELL; y++)
    for (let x = 0; x < CELL; x++)
      for (let c = 0; c < 3; c++) cell.data[(y * CELL + x) * 3 + c] = x < share * CELL ? color[c]! : 0.1
}
