import type { Pixels } from '@dfl/core'
import { resize } from '@dfl/image'
import { dstFaceOf } from '../mask-fit.js'
import { clamp, type Masker, type MergeFace, type MergeStage } from '../merge-face.js'
import { averaged, takingNotes } from './over-time.js'
import { remap } from './remap.js'
import { xsegMasks } from './xseg-masks.js'

/** Directions round the face in which outlines are compared. */
const RAYS = 72

/** Inside this share of the outline nothing moves: eyes, nose and mouth stay where they are. */
const STILL = 0.55

/** An outline is stretched or shrunk by no more than this. */
const MOST = 1.25

/** Side of the masks that outlines are read from. */
const SIDE = 160

/**
 * A stage that warps the painted face and its mask near the edge, so that its outline becomes DST's: a narrow face covers a
 * wide one, a wide one does not reach beyond it. The inner face stays. Comes before `mask`.
 *
 * Gives up some of the shape of SRC's face for it. The warp is averaged over past frames.
 *
 * @param options `seconds`: time constant of that average; 0 switches it off. `masker`: an XSeg to find DST's face with,
 * in place of its outline.
 * Source: radial warp between star-shaped outlines, after the fields of Beier, Neely 1992,
 * https://doi.org/10.1145/133994.134003
 */
export function reshape(options: { seconds?: number; masker?: Masker } = {}): MergeStage {
  const { seconds = 0.25, masker } = options
  return takingNotes(async (given) => {
    const face: MergeFace = masker ? { ...given, dstFace: (await xsegMasks(given, masker, ['dst'])).dst! } : given
    const to = dstFaceOf(face, SIDE)
    const centre = centreOf(to)
    if (!centre) return face
    const own = radii(resize(face.swap.mask, { width: SIDE, height: SIDE }), centre)
    const wanted = radii(to, centre)
    if (own.some((r) => r < 0.2 * SIDE * STILL) || wanted.some((r) => r < 0.2 * SIDE * STILL)) return face
    const edges = wanted.map((r, i) => Math.min(own[i]! * MOST, Math.max(own[i]! / MOST, r)))
    const ratios = edges.map((edge, i) => own[i]! / edge)
    const { timestampSeconds } = face.meta
    const kept = averaged(ratios, face.past, { name: 'reshape', timestampSeconds, seconds })
    const warp = (pixels: Pixels) => clamp(remap(pixels, pulled(pixels.width, { centre, edges, ratios: kept.values })))
    const swap = { ...face.swap, mask: warp(face.swap.mask) }
    return { ...face, face: warp(face.face), swap, notes: { ...face.notes, ...kept.notes } }
  })
}

/** Centre of what a mask covers, in its pixels, or nothing where it is empty. */
function centreOf({ data, width }: Pixels): readonly [number, number] | undefined {
  let [x, y, sum] = [0, 0, 0]
  for (let i = 0; i < data.length; i++) {
    x += data[i]! * (i % width)
    y += data[i]! * Math.floor(i / width)
    sum += data[i]!
  }
  return sum < 1 ? undefined : [x / sum, y / sum]
}

/** How far a mask reaches from a point in each direction, in its pixels, smooth from direction to direction. */
function radii({ data, width }: Pixels, [cx, cy]: readonly [number, number]): number[] {
  const at = (x: number, y: number) =>
    x < 0 || y < 0 || x >= width || y >= width ? 0 : data[Math.floor(y) * width + Math.floor(x)]!
  const found = Array.from({ length: RAYS }, (_, ray) => {
    const angle = (2 * Math.PI * ray) / RAYS
    const [dx, dy] = [Math.cos(angle), Math.sin(angle)]
    for (let r = width; r > 0; r -= 0.5) if (at(cx + r * dx + 0.5, cy + r * dy + 0.5) >= 0.5) return r
    return 0
  })
  const taps = [0.06, 0.24, 0.4, 0.24, 0.06]
  return found.map((_, i) => taps.reduce((sum, tap, k) => sum + tap * found[(i + k - 2 + RAYS) % RAYS]!, 0))
}

/** Where each pixel of a square picture comes from; what is told is in pixels of a square of `SIDE`. */
function pulled(
  side: number,
  { centre, edges, ratios }: { centre: readonly [number, number]; edges: number[]; ratios: number[] },
): (x: number, y: number) => readonly [number, number] | undefined {
  const scale = side / SIDE
  const [cx, cy] = centre.map((v) => (v + 0.5) * scale - 0.5) as [number, number]
  return (x, y) => {
    const [dx, dy] = [x - cx, y - cy]
    const r = Math.hypot(dx, dy) / scale
    const turn = ((Math.atan2(dy, dx) / (2 * Math.PI) + 1) % 1) * RAYS
    const ray = Math.floor(turn) % RAYS
    const between = turn - Math.floor(turn)
    const next = (ray + 1) % RAYS
    const edge = edges[ray]! + between * (edges[next]! - edges[ray]!)
    if (r <= STILL * edge) return undefined
    const ratio = ratios[ray]! + between * (ratios[next]! - ratios[ray]!)
    const t = Math.min(1, (r / edge - STILL) / (1 - STILL))
    const from = 1 + ((ratio - 1) * edge * t * t) / r
    return [cx + dx * from, cy + dy * from]
  }
}
