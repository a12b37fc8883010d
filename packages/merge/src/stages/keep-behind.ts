import type { Pixels } from '@dfl/core'
import { copyPixels, createPixels, gaussianBlur, invertAffine, multiplyAffine, resize, samplesLike } from '@dfl/image'
import { kernels } from '../kernels.js'
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
  const places = placesBySide()
  return (face) => {
    const seen = coloursOf(face)
    return seen ? { ...face, mask: takenBack(face, seen, places(face.mask.width)) } : face
  }
}

/** What the colours of the grid's neighbourhoods are. */
interface Colours {
  /** [G, G, 3] mean colours of the head, and of what is beside it. */
  head: Pixels
  beside: Pixels
  /** [G, G, 1] how surely the two differ. */
  sure: Pixels
}

/** The colours of the head and of what is beside it; nothing where they nowhere differ. */
function coloursOf({ mask, dst }: MergeFace): Colours | undefined {
  const cells = { width: GRID, height: GRID }
  const [smallMask, smallDst] = [resize(mask, cells), resize(dst, cells)]
  const head = coloursNear(smallDst, smallMask, HEAD, Number.POSITIVE_INFINITY)
  const beside = coloursNear(smallDst, smallMask, Number.NEGATIVE_INFINITY, BESIDE)
  const own = coloursOfHead(smallDst, smallMask)
  const sure = createPixels(GRID, GRID, 1)
  let any = false
  for (let i = 0; i < sure.data.length; i++) {
    const isNear = rise(Math.min(head.weight[i]!, beside.weight[i]!), 0.005, 0.02)
    const known = isNear === 0 ? 0 : isNear * rise(distance(head.mean.data, beside.mean.data, 3 * i), ALIKE, APART)
    if (known === 0) continue
    sure.data[i] = known * (1 - rise(shareOf(own, beside.mean.data, 3 * i), RARE, OWN))
    any ||= sure.data[i] !== 0
  }
  return any ? { head: head.mean, beside: beside.mean, sure } : undefined
}

/** [M, M, 1] a copy of the mask, less where there is something behind. */
function takenBack(
  { frame, mask, dst, imageToFaceMat }: MergeFace,
  { head, beside, sure }: Colours,
  places: Int32Array,
): Pixels {
  const { width: side } = mask
  const cells = GRID * GRID
  const memory = kernels()
  const [maskAt, likeAt, frameAt, matAt, placesAt, headAt, besideAt, sureAt, bandAt, betweenAt, spareAt, waysAt] =
    memory.room(
      ...[mask.data.byteLength, mask.data.byteLength, frame.data.byteLength, 48, places.byteLength],
      ...[cells * 12, cells * 12, cells * 4, cells * 4, cells * 4],
      ...[Math.max(GRID * 32, side * side * 8), (side + 2) ** 2 * 4],
    ) as [number, number, number, number, number, number, number, number, number, number, number, number]
  const [own, known] = [memory.floats(maskAt, side * side), memory.floats(sureAt, cells)]
  own.set(mask.data)
  memory.viewLike(frame.data, frameAt, frame.data.length).set(frame.data)
  memory.doubles(matAt, 6).set(invertAffine(multiplyAffine(squareMat(dst.width, side), imageToFaceMat)))
  memory.integers(placesAt, places.length).set(places)
  memory.floats(headAt, cells * 3).set(head.data)
  memory.floats(besideAt, cells * 3).set(beside.data)
  known.set(sure.data)
  const [band, between] = [memory.floats(bandAt, cells).fill(0), memory.floats(betweenAt, cells).fill(0)]
  const { width, height, channels } = frame
  const shape = [width, height, channels, frame.data instanceof Uint16Array] as const
  const grid = [placesAt, GRID, sureAt] as const
  memory.call.likenesses(
    side,
    maskAt,
    likeAt,
    frameAt,
    ...shape,
    matAt,
    ...grid,
    headAt,
    besideAt,
    bandAt,
    betweenAt,
    spareAt,
  )
  const counts = { width: GRID, height: GRID, channels: 1 } as const
  const [inBand, lieBetween] = [near({ ...counts, data: band }).data, near({ ...counts, data: between }).data]
  for (let i = 0; i < cells; i++) known[i]! *= 1 - rise(lieBetween[i]! / Math.max(inBand[i]!, 1e-3), SHARP, FADING)
  memory.call.connect(side, maskAt, likeAt, ...grid, waysAt, spareAt)
  const data = samplesLike(own, own.length)
  data.set(own)
  return { ...mask, data }
}

/** Means over the neighbourhood of each cell. */
const near = (cells: Pixels): Pixels => gaussianBlur(cells, REACH, { border: 'zero' })

/** [G, G, 3] the mean colour near each cell of the cells whose mask lies between two values, and the share of those. */
function coloursNear(colours: Pixels, mask: Pixels, low: number, high: number) {
  const [chosen, counted] = [copyPixels(mask), copyPixels(colours)]
  for (let i = 0; i < chosen.data.length; i++) {
    const passes = mask.data[i]! >= low && mask.data[i]! <= high
    chosen.data[i] = passes ? 1 : 0
    if (passes) continue
    counted.data[3 * i] = 0
    counted.data[3 * i + 1] = 0
    counted.data[3 * i + 2] = 0
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

/**
 * For each column, or row, of a square the cell of the grid that it lies in; the one whose centre comes before it; and, in the
 * bits of floats, the share of the way from there to the next. Made anew only where the side changes.
 */
function placesBySide(): (side: number) => Int32Array {
  let last = new Int32Array(0)
  return (side) => {
    if (last.length === 3 * side) return last
    last = new Int32Array(3 * side)
    const shares = new Float32Array(last.buffer, 8 * side)
    for (let i = 0; i < side; i++) {
      const place = Math.min(GRID - 1.001, Math.max(0, ((i + 0.5) * GRID) / side - 0.5))
      last[i] = Math.floor((i * GRID) / side)
      last[side + i] = Math.floor(place)
      shares[i] = place - Math.floor(place)
    }
    return last
  }
}
