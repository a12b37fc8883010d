import type { Pixels } from '@dfl/core'
import { createPixels, gaussianBlur, multiplyAffine, resize, warpAffine } from '@dfl/image'
import { type MergeFace, type MergeStage, squareMat } from '../merge-face.js'

/** Side of the grid on which neighbourhoods are averaged: four pixels of a 256 px face a cell. */
const GRID = 64

/** How far a neighbourhood reaches, as a standard deviation in cells: across the mask's soft edge, not far beyond. */
const REACH = 3

/** A mask above the first is the head for sure; below the second, its surroundings; between them lies the band to decide on. */
const [HEAD, BESIDE] = [0.95, 0.05]

/** Colours, 0..1 a channel, that differ by less than the first are alike; by more than the second, told apart for sure. */
const [ALIKE, APART] = [0.05, 0.12]

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
    return { ...face, mask: { ...face.mask, data: face.mask.data.map((v, i) => v * (1 - behind.data[i]!)) } }
  }
}

/** [M, M, 1] how surely each pixel shows what is beside the head and not the head; nothing where none does. */
function likenessToBeside({ frame, mask, dst, imageToFaceMat }: MergeFace): Pixels | undefined {
  const cells = { width: GRID, height: GRID }
  const [smallMask, smallDst] = [resize(mask, cells), resize(dst, cells)]
  const head = coloursNear(smallDst, smallMask, (v) => v >= HEAD)
  const beside = coloursNear(smallDst, smallMask, (v) => v <= BESIDE)
  const sure = createPixels(GRID, GRID, 1)
  for (let i = 0; i < sure.data.length; i++) {
    const { data: a } = head.mean
    const { data: b } = beside.mean
    const apart = Math.hypot(a[3 * i]! - b[3 * i]!, a[3 * i + 1]! - b[3 * i + 1]!, a[3 * i + 2]! - b[3 * i + 2]!)
    sure.data[i] = rise(Math.min(head.weight[i]!, beside.weight[i]!), 0.005, 0.02) * rise(apart, ALIKE, APART)
  }
  if (sure.data.every((v) => v === 0)) return undefined

  const size = { width: mask.width, height: mask.height }
  const toMask = multiplyAffine(squareMat(dst.width, mask.width), imageToFaceMat)
  const picture = warpAffine(frame, toMask, size, { border: 'replicate', where: mask })
  const headAt = cellReader(head.mean, mask.width)
  const besideAt = cellReader(beside.mean, mask.width)
  const sureAt = cellReader(sure, mask.width)
  const out = createPixels(mask.width, mask.height, 1)
  const band = createPixels(GRID, GRID, 1)
  const between = createPixels(GRID, GRID, 1)
  for (let i = 0; i < out.data.length; i++) {
    const m = mask.data[i]!
    if (m === 0) continue
    const isBand = m > BESIDE && m < HEAD
    const cell = cellOf(i, mask.width)
    if (!isBand && sure.data[cell] === 0) continue
    const { off, way } = placeOf(picture, i, headAt, besideAt)
    out.data[i] = 1 - rise(off, BEHIND, BEFORE)
    if (!isBand) continue
    band.data[cell]!++
    if (way > BEHIND && way < BEFORE) between.data[cell]!++
  }
  const [inBand, lieBetween] = [near(band).data, near(between).data]
  for (let i = 0; i < sure.data.length; i++)
    sure.data[i]! *= 1 - rise(lieBetween[i]! / Math.max(inBand[i]!, 1e-3), SHARP, FADING)
  for (let i = 0; i < out.data.length; i++) if (out.data[i]! > 0) out.data[i]! *= sureAt(i, 0)
  return out
}

/** Means over the neighbourhood of each cell. */
const near = (cells: Pixels): Pixels => gaussianBlur(cells, REACH, { border: 'zero' })

/** [G, G, 3] the mean colour near each cell of the cells whose mask passes, and the share of those. */
function coloursNear(colours: Pixels, mask: Pixels, passes: (mask: number) => boolean) {
  const chosen: Pixels = { ...mask, data: mask.data.map((v) => (passes(v) ? 1 : 0)) }
  const mean = near({ ...colours, data: colours.data.map((v, i) => v * chosen.data[Math.floor(i / 3)]!) })
  const weight = near(chosen).data
  for (let i = 0; i < mean.data.length; i++) mean.data[i]! /= Math.max(weight[Math.floor(i / 3)]!, 1e-4)
  return { mean, weight }
}

/** The cell that a pixel of a square of that side lies in. */
function cellOf(pixel: number, side: number): number {
  const x = pixel % side
  const y = (pixel - x) / side
  return Math.floor((y * GRID) / side) * GRID + Math.floor((x * GRID) / side)
}

type CellReader = (pixel: number, channel: number) => number

/** What a field of cells is at a pixel of a square of that side, between its four cells. */
function cellReader({ data, channels }: Pixels, side: number): CellReader {
  const along = Array.from({ length: side }, (_, i) =>
    Math.min(GRID - 1.001, Math.max(0, ((i + 0.5) * GRID) / side - 0.5)),
  )
  return (pixel, channel) => {
    const [x, y] = [along[pixel % side]!, along[Math.floor(pixel / side)]!]
    const [fx, fy] = [x - Math.floor(x), y - Math.floor(y)]
    const at = (Math.floor(y) * GRID + Math.floor(x)) * channels + channel
    const below = at + GRID * channels
    const upper = data[at]! * (1 - fx) + data[at + channels]! * fx
    return upper * (1 - fy) + (data[below]! * (1 - fx) + data[below + channels]! * fx) * fy
  }
}

/**
 * Where a pixel's colour lies between two colours, as shares of their distance: `off` how far from what is beside, `way`
 * how far along the straight way from there (0) to the head (1).
 */
function placeOf(picture: Pixels, pixel: number, headAt: CellReader, besideAt: CellReader) {
  let [square, along, apart] = [0, 0, 1e-6]
  for (let c = 0; c < 3; c++) {
    const from = besideAt(pixel, c)
    const step = headAt(pixel, c) - from
    const own = picture.data[picture.channels * pixel + Math.min(c, picture.channels - 1)]! - from
    square += own * own
    along += own * step
    apart += step * step
  }
  return { off: Math.sqrt(square / apart), way: along / apart }
}

/** Lowers each likeness to what the best way out of the mask has at its weakest place, in place. */
function connectToBeside({ data, width, height }: Pixels, mask: Pixels): void {
  const limit = data.slice()
  const isOut = (i: number) => mask.data[i]! <= BESIDE
  for (let i = 0; i < data.length; i++) data[i] = isOut(i) ? 1 : 0
  // Two sweeps each way follow every way that does not wind: the band is narrow.
  for (let sweep = 0; sweep < 4; sweep++) {
    const step = sweep % 2 === 0 ? 1 : -1
    for (let n = 0; n < data.length; n++) {
      const i = step === 1 ? n : data.length - 1 - n
      if (limit[i] === 0 || isOut(i)) continue
      const x = i % width
      const y = (i - x) / width
      const sideways = x - step >= 0 && x - step < width ? data[i - step]! : 0
      const upDown = y - step >= 0 && y - step < height ? data[i - step * width]! : 0
      data[i] = Math.min(limit[i]!, Math.max(data[i]!, sideways, upDown))
    }
  }
  for (let i = 0; i < data.length; i++) if (isOut(i)) data[i] = limit[i]!
}

/** 0 up to `from`, 1 from `to`, smooth between. */
function rise(value: number, from: number, to: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)))
  return t * t * (3 - 2 * t)
}
