import { DflError, type Pixels, type Raster } from '@dfl/core'
import { mosaic, resize } from '@dfl/image'

/**
 * One picture with rows of pictures side by side, such as DST, swap and truth of some frames, for people to compare.
 *
 * @param rows Each a list of [h, w, 3]; all are brought to one size.
 * @param options `cellWidth`: width of a cell in pixels; its height follows from the first picture's shape.
 * @throws DflError `BAD_SHAPE` when there is no picture.
 */
export function compareSheet(
  rows: readonly (readonly Raster[])[],
  { cellWidth = 256, gapPx = 4 }: { cellWidth?: number; gapPx?: number } = {},
): Pixels {
  const first = rows.flat()[0]
  if (!first)
    throw new DflError('BAD_SHAPE', 'Expected at least one picture for `rows`, but got none. Give rows of pictures.')
  const size = { width: cellWidth, height: Math.max(1, Math.round((cellWidth * first.height) / first.width)) }
  const cells = rows.map((row) => row.map((picture) => resize(picture, size)))
  const sheet = mosaic(cells, { gapPx, background: 0.5 })
  for (let i = 0; i < sheet.data.length; i++) sheet.data[i] = Math.min(1, Math.max(0, sheet.data[i]!))
  return sheet
}
