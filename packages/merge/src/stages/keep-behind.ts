import type { Affine, Bitmap, Pixels } from '@dfl/core'
import { copyPixels, createPixels, gaussianBlur, invertAffine, multiplyAffine, resize } from '@dfl/image'
import { type MergeFace, type MergeStage, squareMat } from '../merge-face.js'
import { rise } from './rise.js'

/** Side of the grid on which neighbourhoods are averaged: four pixels of a 256 px face a cell. */
const GRID = 64

/** How far a neighbourhood reaches, as a standard deviation in cells: across the mask's soft edge, not far beyond. */
const REACH = 3

/** A mask above the first is the head for sure; below the second, its surroundings; between them lies the band to decide on. */
const [HEAD, BESIDE] = [0.95, 0.05]

/** Colours, 0..1 a channel, that differ by less than the first are alike; by more than the second, told apart for sure. */
const [ALIKE, APART] = [0.05, 0.12]

/** What the face itself shows is no background: colours that this share of it has, nearly, may be, and those that the second share has are none. */
const [RARE, OWN] = [0.02, 0.06]

/** Colours this near are the same for that, and so many places of the face are asked. */
const [SAME, PLACES] = [0.08, 96]

/** At an edge most of the band has one colour or the other; where more of it than this lies between, light fades over skin. */
const [SHARP, FADING] = [0.2, 0.35]

/** How near a pixel is to the surroundings' colour, as a share of the way to the head's: nearer than the first, it is behind. */
const [BEHIND, BEFORE] = [0.3, 0.7]

/**
 * A stage that takes the mask back where it reaches past DST's head and over what is behind: a cheek or temple that is
 * turned away gets the sharp edge that it has in the frame, and no halo. Comes after the mask has been made soft.
 *
 * Along the mask's edge the mean colours of the frame inside and beside it are compared. Where they differ, a pixel that
 * looks like what is beside, and from which a way of such pixels leads out of the mask, is left as it is. Where they are
 * alike, as skin on both sides of a forehead, or run into each other, as skin in fading light, nothing changes.
 *
 * Source: colours of foreground and background from either side of an unknown band as in Knockout matting (Berman et al.
 * 2000, US patent 6,134,346, expired); ways out by greyscale reconstruction: Vincent 1993, https://doi.org/10.1109/83.217222
 */
export function keepBehind(): MergeStage {
  return (face) => {
    const behind = likenessToBeside(face)
    if (!behind) return face
    connectToBeside(behind, face.mask)
    return { ...face, mask: without(face.mask, behind) }
  }
}

/** A copy of the mask, less where there is something behind. */
function without(mask: Pixels, { data: behind }: Pixels): Pixels {
  const out = copyPixels(mask)
  const { data } = out
  for (let i = 0; i < data.length; i++) data[i] = data[i]! * (1 - behind[i]!)
  return out
}

/** [M, M, 1] how surely each pixel shows what is beside the head and not the head; nothing where none does. */
function likenessToBeside({ frame, mask, dst, imageToFaceMat }: MergeFace): Pixels | undefined {
  const cells = { width: GRID, height: GRID }
  const [smallMask, smallDst] = [resize(mask, cells), resize(dst, cells)]
  const head = coloursNear(smallDst, smallMask, HEAD, Number.POSITIVE_INFINITY)
  const beside = coloursNear(smallDst, smallMask, Number.NEGATIVE_INFINITY, BESIDE)
  const own = coloursOfHead(smallDst, smallMask)
  const sure = createPixels(GRID, GRID, 1)
  for (let i = 0; i < sure.data.length; i++) {
    const isNear = rise(Math.min(head.weight[i]!, beside.weight[i]!), 0.005, 0.02)
    const known = isNear === 0 ? 0 : isNear * rise(distance(head.mean.data, beside.mean.data, 3 * i), ALIKE, APART)
    sure.data[i] = known === 0 ? 0 : known * (1 - rise(shareOf(own, beside.mean.data, 3 * i), RARE, OWN))
  }
  if (sure.data.every((v) => v === 0)) return undefined

  const maskToFrame = invertAffine(multiplyAffine(squareMat(dst.width, mask.width), imageToFaceMat))
  const grid = gridOver(mask.width)
  const { out, band, between } = likenesses(
    { frame, maskToFrame, mask, sure },
    { head: head.mean, beside: beside.mean },
    grid,
  )
  const [inBand, lieBetween] = [near(band).data, near(between).data]
  for (let i = 0; i < sure.data.length; i++)
    sure.data[i]! *= 1 - rise(lieBetween[i]! / Math.max(inBand[i]!, 1e-3), SHARP, FADING)
  timesCells(out, sure, grid)
  return out
}

/** [M, M, 1] how far each pixel looks like what is beside; and [G, G, 1] how many pixels of a cell lie in the band, and between the colours. */
function likenesses(
  { frame, maskToFrame, mask, sure }: { frame: Bitmap; maskToFrame: Affine; mask: Pixels; sure: Pixels },
  colours: { head: Pixels; beside: Pixels },
  grid: Grid,
) {
  const { width, height } = mask
  const [head, beside] = [colours.head.data, colours.beside.data]
  const out = createPixels(width, height, 1)
  const band = createPixels(GRID, GRID, 1)
  const between = createPixels(GRID, GRID, 1)
  const own = new Float64Array(3)
  const [a, b, tx, c, d, ty] = maskToFrame
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const m = mask.data[i]!
      if (m === 0) continue
      const isBand = m > BESIDE && m < HEAD
      const cell = grid.cell[y]! * GRID + grid.cell[x]!
      if (!isBand && sure.data[cell] === 0) continue
      colourAt(frame, a * x + b * y + tx, c * x + d * y + ty, own)
      const at = 3 * (grid.first[y]! * GRID + grid.first[x]!)
      const fx = grid.share[x]!
      const fy = grid.share[y]!
      const r = mixed(beside, at, 3, fx, fy)
      const g = mixed(beside, at + 1, 3, fx, fy)
      const blue = mixed(beside, at + 2, 3, fx, fy)
      const stepR = mixed(head, at, 3, fx, fy) - r
      const stepG = mixed(head, at + 1, 3, fx, fy) - g
      const stepB = mixed(head, at + 2, 3, fx, fy) - blue
      const ownR = own[0]! - r
      const ownG = own[1]! - g
      const ownB = own[2]! - blue
      // As shares of the colours' distance: how far from what is beside, and how far along the straight way to the head.
      const apart = 1e-6 + stepR * stepR + stepG * stepG + stepB * stepB
      const off = Math.sqrt((ownR * ownR + ownG * ownG + ownB * ownB) / apart)
      out.data[i] = 1 - rise(off, BEHIND, BEFORE)
      if (!isBand) continue
      band.data[cell]!++
      const way = (ownR * stepR + ownG * stepG + ownB * stepB) / apart
      if (way > BEHIND && way < BEFORE) between.data[cell]!++
    }
  return { out, band, between }
}

/**
 * Writes what the frame shows at a place, 0..1, to `colour`; beyond the frame its nearest pixel. Linear, and not filtered where the
 * frame is finer than the mask: colours are only told apart, and edges stay sharp.
 */
function colourAt({ data, width, height, channels }: Bitmap, x: number, y: number, colour: Float64Array): void {
  const u = Math.min(width - 1, Math.max(0, x))
  const v = Math.min(height - 1, Math.max(0, y))
  const left = Math.floor(u)
  const top = Math.floor(v)
  const right = left < width - 1 ? channels : 0
  const below = top < height - 1 ? width * channels : 0
  const scale = 1 / (data instanceof Uint8Array ? 255 : 65535)
  const lower = (v - top) * scale
  const upper = scale - lower
  const w01 = upper * (u - left)
  const w11 = lower * (u - left)
  const w00 = upper - w01
  const w10 = lower - w11
  for (let k = 0, p = (top * width + left) * channels; k < 3; k++, p += channels === 1 ? 0 : 1)
    colour[k] = data[p]! * w00 + data[p + right]! * w01 + data[p + below]! * w10 + data[p + below + right]! * w11
}

/** Multiplies pixels by what the cells are there, in place. */
function timesCells({ data, width, height }: Pixels, cells: Pixels, grid: Grid): void {
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++)
      if (data[i]! > 0)
        data[i]! *= mixed(cells.data, grid.first[y]! * GRID + grid.first[x]!, 1, grid.share[x]!, grid.share[y]!)
}

/** Means over the neighbourhood of each cell. */
const near = (cells: Pixels): Pixels => gaussianBlur(cells, REACH, { border: 'zero' })

/** [G, G, 3] the mean colour near each cell of the cells whose mask lies between two values, and the share of those. */
function coloursNear(colours: Pixels, mask: Pixels, low: number, high: number) {
  const [chosen, counted] = [copyPixels(mask), copyPixels(colours)]
  for (let i = 0; i < chosen.data.length; i++) {
    const passes = mask.data[i]! >= low && mask.data[i]! <= high
    chosen.data[i] = passes ? 1 : 0
    if (!passes) counted.data.fill(0, 3 * i, 3 * i + 3)
  }
  const mean = near(counted)
  const weight = near(chosen).data
  for (let i = 0; i < weight.length; i++)
    for (let c = 3 * i; c < 3 * i + 3; c++) mean.data[c]! /= Math.max(weight[i]!, 1e-4)
  return { mean, weight }
}

/** Colours of places spread evenly over the head, three numbers each. */
function coloursOfHead(colours: Pixels, mask: Pixels): number[] {
  const inside: number[] = []
  for (let i = 0; i < mask.data.length; i++) if (mask.data[i]! >= HEAD) inside.push(i)
  const every = Math.max(1, Math.floor(inside.length / PLACES))
  const out: number[] = []
  for (let n = 0; n < inside.length; n += every)
    for (let c = 3 * inside[n]!; c < 3 * inside[n]! + 3; c++) out.push(colours.data[c]!)
  return out
}

/** Distance of the colours that begin at the same place of two lists. */
function distance(a: Float32Array, b: Float32Array, at: number): number {
  const red = a[at]! - b[at]!
  const green = a[at + 1]! - b[at + 1]!
  const blue = a[at + 2]! - b[at + 2]!
  return Math.sqrt(red * red + green * green + blue * blue)
}

/** The share of some colours that are nearly the one at a place of a list; counted up to `OWN` only, as more makes no difference. */
function shareOf(colours: readonly number[], list: Float32Array, at: number): number {
  const places = Math.max(1, colours.length / 3)
  const red = list[at]!
  const green = list[at + 1]!
  const blue = list[at + 2]!
  let count = 0
  for (let i = 0; i < colours.length && count < OWN * places; i += 3) {
    const r = colours[i]! - red
    const g = colours[i + 1]! - green
    const b = colours[i + 2]! - blue
    if (r * r + g * g + b * b < SAME * SAME) count++
  }
  return count / places
}

/** For each column, or row, of a square over the grid. */
interface Grid {
  /** The cell that it lies in. */
  cell: Int32Array
  /** The cell whose centre comes before it, and how far it is from there to the next, 0..1. */
  first: Int32Array
  share: Float64Array
}

function gridOver(side: number): Grid {
  const places = Float64Array.from({ length: side }, (_, i) =>
    Math.min(GRID - 1.001, Math.max(0, ((i + 0.5) * GRID) / side - 0.5)),
  )
  const first = Int32Array.from(places, Math.floor)
  return {
    cell: Int32Array.from(places, (_, i) => Math.floor((i * GRID) / side)),
    first,
    share: places.map((place, i) => place - first[i]!),
  }
}

/** The sample of a field of cells between the one at `at` and its neighbours on the right and below. */
function mixed(data: Float32Array, at: number, channels: number, fx: number, fy: number): number {
  const below = at + GRID * channels
  const upper = data[at]! * (1 - fx) + data[at + channels]! * fx
  return upper * (1 - fy) + (data[below]! * (1 - fx) + data[below + channels]! * fx) * fy
}

/** Lowers each likeness to what the best way out of the mask has at its weakest place, in place. */
function connectToBeside(likeness: Pixels, mask: Pixels): void {
  const { data, width, height } = likeness
  const limit = copyPixels(likeness).data
  // The places to decide on are few: only they are visited.
  const places: number[] = []
  for (let i = 0; i < data.length; i++) {
    const isBeside = mask.data[i]! <= BESIDE
    data[i] = isBeside ? 1 : 0
    if (!isBeside && limit[i] !== 0) places.push(i)
  }
  const count = places.length
  // Two sweeps each way follow every way that does not wind: the band is narrow. Where a sweep back changes nothing, nor will the next.
  for (let sweep = 0, changed = false; sweep < 4 && (sweep < 2 || changed); sweep++) {
    changed = false
    const step = sweep % 2 === 0 ? 1 : -1
    for (let n = 0; n < count; n++) {
      const i = places[step === 1 ? n : count - 1 - n]!
      const x = i % width
      const y = (i - x) / width
      const sideways = x - step >= 0 && x - step < width ? data[i - step]! : 0
      const upDown = y - step >= 0 && y - step < height ? data[i - step * width]! : 0
      const way = Math.min(limit[i]!, Math.max(data[i]!, sideways, upDown))
      if (way === data[i]) continue
      data[i] = way
      changed = true
    }
  }
  for (let i = 0; i < data.length; i++) if (mask.data[i]! <= BESIDE) data[i] = limit[i]!
}
