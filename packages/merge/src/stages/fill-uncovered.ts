import type { Pixels, Rect } from '@dfl/core'
import { createPixels, dilate, erode, gaussianBlur, membrane, resize } from '@dfl/image'
import { dstFaceOf } from '../mask-fit.js'
import { clamp, type MergeFace, type MergeStage, type PlacedFace } from '../merge-face.js'
import { placedFace } from './placed-face.js'

/* In pixels of a face whose crop is 256 pixels wide. */

/** What is left of DST and narrower than twice this belongs to the soft edge of the mask. */
const SLIVER = 2
/** How far the filling reaches beyond what is left, and over what width it fades. */
const [REACH, SOFT] = [6, 2.5]
/** How far from DST's face its surroundings begin: its own soft edge and shadow are not repeated. */
const AWAY = 8

/** The filling is smooth: a grid of this many pixels a side holds all of it. */
const GRID = 112

/**
 * A stage that paints over what the mask leaves uncovered of DST's face, with what surrounds DST's face: the wide cheeks
 * beside a narrow new face become background. Comes after the mode, for light is matched to the true frame.
 *
 * The filling is smooth; where the surroundings are busy it shows as a blur. What covers the face, such as a hand, must not
 * count as DST's face: use an XSeg or masks in the faceset where something does.
 *
 * Source: see `membrane` of `@dfl/image`.
 */
export function fillUncovered(): MergeStage {
  return (face) => {
    const placed = placedFace(face)
    if (!placed) return face
    const there = dstFaceOf(face, face.mask.width)
    const open = uncovered(there, face.mask)
    if (!open) return face
    const below = placedFace({ ...face, placed: undefined, mask: open, face: surroundings(face, there) })
    return below ? { ...face, placed: layered(placed, below) } : face
  }
}

/** [M, M, 1] what `mask` leaves of a face, softly; nothing where that is next to nothing. */
function uncovered(there: Pixels, mask: Pixels): Pixels | undefined {
  const unit = mask.width / 256
  const left = { ...mask, data: mask.data.map((covered, i) => (there.data[i]! >= 0.5 && covered < 0.5 ? 1 : 0)) }
  const wide = erode(left, SLIVER * unit)
  if (wide.data.every((v) => v < 0.5)) return undefined
  return clamp(gaussianBlur(dilate(wide, (SLIVER + REACH) * unit), SOFT * unit))
}

/** What surrounds DST's face, led on smoothly over it: [G, G, 3] over the crop's square. */
function surroundings({ dst }: MergeFace, there: Pixels): Pixels {
  const side = Math.min(GRID, dst.width)
  const size = { width: side, height: side }
  const hole = resize(dilate(there, (AWAY * there.width) / 256), size)
  return membrane(resize(dst, size), hole, { tolerance: 5e-4 })
}

/** One picture over another. */
function layered(top: PlacedFace, below: PlacedFace): PlacedFace {
  const x = Math.min(top.rect.x, below.rect.x)
  const y = Math.min(top.rect.y, below.rect.y)
  const width = Math.max(top.rect.x + top.rect.width, below.rect.x + below.rect.width) - x
  const height = Math.max(top.rect.y + top.rect.height, below.rect.y + below.rect.height) - y
  const rect: Rect = { x, y, width, height }
  const painted = createPixels(width, height, 3)
  const alpha = createPixels(width, height, 1)
  for (const { rect: from, painted: colour, alpha: cover } of [below, top])
    for (let row = 0; row < from.height; row++)
      for (let column = 0; column < from.width; column++) {
        const at = row * from.width + column
        const share = Math.min(1, Math.max(0, cover.data[at]!))
        if (share === 0) continue
        const to = (from.y - y + row) * width + from.x - x + column
        const under = (1 - share) * alpha.data[to]!
        const total = share + under
        for (let c = 0; c < 3; c++)
          painted.data[3 * to + c] = (share * colour.data[3 * at + c]! + under * painted.data[3 * to + c]!) / total
        alpha.data[to] = total
      }
  return { rect, painted, alpha }
}
