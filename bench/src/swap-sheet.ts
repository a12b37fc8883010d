import type { Bitmap, Landmarks, Pixels, Rect } from '@dfl/core'
import { compareSheet } from '@dfl/evaluate'
import { openFaceset } from '@dfl/faceset'
import { createPixels, crop, paste } from '@dfl/image'
import { drawText, openFrames, writeImage } from '@dfl/media'

const ROWS = 6
const CELL_PX = 320
const GAP_PX = 4
const HEADER_PX = 26

/**
 * Writes the heads of a few frames, large and beside each other: DST, the result, and the truth where there is one.
 *
 * @param clips  `faces`: folder of DST's faceset, which says where the heads are.
 */
export async function writeSwapSheet(
  path: string,
  clips: { dst: string; result: string; truth?: string; faces: string },
): Promise<void> {
  const places = new Map<number, Rect>()
  for await (const { frameIndex, faceIndex, sourceLandmarks } of (await openFaceset(clips.faces)).faces())
    if (faceIndex === 0) places.set(frameIndex, around(sourceLandmarks))
  const indices = [...places.keys()].sort((a, b) => a - b)
  const chosen = Array.from({ length: Math.min(ROWS, indices.length) }, (_, row) => {
    return indices[Math.floor(((row + 0.5) * indices.length) / Math.min(ROWS, indices.length))]!
  })
  const columns = [clips.dst, clips.result, ...(clips.truth ? [clips.truth] : [])]
  const rows: Bitmap[][] = []
  for (const index of chosen) {
    const row: Bitmap[] = []
    for (const clip of columns) row.push(crop(await frameOf(clip, index), places.get(index)!))
    rows.push(row)
  }
  const sheet = compareSheet(rows, { cellWidth: CELL_PX, gapPx: GAP_PX })
  await writeImage(path, await withTitles(sheet, ['DST', 'result', 'truth'].slice(0, columns.length)))
}

async function frameOf(clip: string, index: number): Promise<Bitmap> {
  await using source = await openFrames(clip, { start: index, end: index + 1 })
  for await (const frame of source.frames()) {
    const { bitmap } = frame
    frame.close()
    return bitmap
  }
  throw new Error(`${clip} ended before frame ${index}.`)
}

/** The square around a head whose landmarks these are. */
function around(landmarks: Landmarks): Rect {
  const xs = landmarks.map(([x]) => x)
  const ys = landmarks.map(([, y]) => y)
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const side = 1.7 * Math.max(right - left, bottom - top)
  return { x: (left + right - side) / 2, y: (top + bottom) / 2 - 0.57 * side, width: side, height: side }
}

function withTitles(sheet: Pixels, titles: readonly string[]): Promise<Bitmap> {
  const picture = createPixels(sheet.width, sheet.height + HEADER_PX, 3)
  picture.data.fill(0.1)
  paste(picture, sheet, 0, HEADER_PX)
  const labels = titles.map((text, i) => ({ text, x: i * (CELL_PX + GAP_PX) + 6, y: HEADER_PX - 8, sizePx: 15 }))
  return drawText(picture, labels)
}
