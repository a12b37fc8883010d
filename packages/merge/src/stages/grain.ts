import { hashSeed, type Pixels, Random, type Rect } from '@dfl/core'
import { createPixels, crop } from '@dfl/image'
import type { MergeFace, MergeStage, PlacedFace } from '../merge-face.js'
import { BANDS, bandsOf, noiseOf, REACH } from './noise-bands.js'
import { averaged, takingNotes } from './over-time.js'
import { behind, placedFace } from './placed-face.js'
import { expectPercent } from './texture.js'

/** Side of the squares in which noise is measured, and how many a face gets at most in a row and in a column. */
const [TILE, TILES] = [64, 3]

/** Fewer pixels than this say nothing about noise. */
const ENOUGH = 400

/** Side of the piece of noise that grain is cut from, each time at another place. */
const NOISE = 256

/** Weaker noise than this, a 20th of a step of 8 bits, is none. */
const FAINTEST = 2e-4

/** Seconds over which the amount of grain is averaged. */
const STEADY = 0.5

/** Red, green and blue of lightness and of the two colour axes. Source: ITU-R BT.601 */
const TO_YCC = [0.299, 0.587, 0.114, -0.168736, -0.331264, 0.5, 0.5, -0.418688, -0.081312] as const

/**
 * A stage that gives the face the grain of the frame: in lightness and colour, and in detail of 1, 2 and 4 pixels, it adds
 * the noise that the painted face lacks against what it covers and what is beside it. Comes last before `overlay`.
 *
 * Where the soft edge mixes face and frame, which evens noise out, it adds more. The same frame gets the same grain each
 * time. Nothing is taken away where the face has more noise than the frame: that is what `denoise` is for.
 *
 * @param percent 0..100: how much of what lacks is added.
 * Source: see `bandsOf` and `noiseOf`; noise in bands as in Portilla, Simoncelli 2000,
 * https://doi.org/10.1023/A:1026553619983, without their joint statistics
 */
export function grain(percent: number): MergeStage {
  expectPercent('grain', percent, 0)
  if (percent === 0) return (face) => face
  return takingNotes((face) => {
    const placed = placedFace(face)
    if (!placed) return face
    const lacks = lacking(placed, face)
    if (!lacks) return { ...face, placed }
    const noise = noiseBands()
    const { timestampSeconds, frameIndex, faceIndex } = face.meta
    const kept = averaged(lacks, face.past, { name: 'grain', timestampSeconds, seconds: STEADY })
    const strengths = amplitudes(kept.values, noise).map((v) => (v * percent) / 100)
    const painted = withNoise(placed, noise, { strengths, seed: hashSeed('grain', frameIndex, faceIndex) })
    return { ...face, placed: { ...placed, painted }, notes: { ...face.notes, ...kept.notes } }
  })
}

/** Noise of deviation 1, taken apart. */
interface Noise {
  /** [256 · 256] each; they go on at the other side. */
  bands: [fine: Float32Array, middle: Float32Array, coarse: Float32Array]
  /** [i][j][k] what bands j and k of the noise, together, show in band i: its variance is the sum over both. */
  shows: number[][][]
}

/** The same for every face and clip, so that it is made once, by the first face that lacks grain. */
let made: Noise | undefined

function noiseBands(): Noise {
  if (made) return made
  const random = new Random(hashSeed('grain'))
  const size = { width: NOISE, height: NOISE, periodic: true }
  const white = Float32Array.from({ length: NOISE * NOISE }, () => random.normal())
  const bands = bandsOf(white, size) as Noise['bands']
  const seen = bands.map((band) => bandsOf(band, size))
  const together = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0) / a.length
  const shows = bands.map((_, i) => bands.map((_, j) => bands.map((_, k) => together(seen[j]![i]!, seen[k]![i]!))))
  made = { bands, shows }
  return made
}

/**
 * Variance of noise that the painted face lacks, for each axis and band, or nothing where too little of it can be seen.
 *
 * The frame's noise is what shows under the mask and beside it: skin has texture and a background edges, but only noise is
 * in both.
 */
function lacking(placed: PlacedFace, face: MergeFace): number[] | undefined {
  const { painted, alpha, rect } = placed
  const inFrame = (of: Rect) => (tile: Rect) => behind(face, { ...tile, x: of.x + tile.x, y: of.y + tile.y })
  const own = noiseIn(alpha, (tile) => crop(painted, tile))
  const under = noiseIn(alpha, inFrame(rect))
  if (!own || !under) return undefined
  const around = aroundOf(rect, face.frame)
  const beside = noiseIn(outside(placed, around), inFrame(around)) ?? under
  return own.map((v, i) => Math.min(under[i]!, beside[i]!) - v)
}

/**
 * Variance of noise where `where` is above 0.9, for each axis and band; nothing for a few pixels.
 *
 * @param read The picture in a rectangle of `where`.
 */
function noiseIn(where: Pixels, read: (tile: Rect) => Pixels): number[] | undefined {
  const found = new Float64Array(3 * BANDS)
  let total = 0
  for (const tile of tilesOf(where)) {
    const counts = inner(where, tile)
    const pixels = counts.reduce((sum, v) => sum + v, 0)
    if (pixels < ENOUGH / TILES) continue
    total += pixels
    const picture = read(tile)
    for (let axis = 0; axis < 3; axis++)
      bandsOf(planeOf(picture, axis), tile).forEach((values, band) => {
        found[axis * BANDS + band] = found[axis * BANDS + band]! + noiseOf(values, counts) ** 2 * pixels
      })
  }
  return total < ENOUGH ? undefined : Array.from(found, (v) => v / total)
}

/** A rectangle with a quarter more on each side, as far as the frame goes. */
function aroundOf({ x, y, width, height }: Rect, frame: { width: number; height: number }): Rect {
  const [left, top] = [Math.max(0, x - (width >> 2)), Math.max(0, y - (height >> 2))]
  const right = Math.min(frame.width, x + width + (width >> 2))
  const bottom = Math.min(frame.height, y + height + (height >> 2))
  return { x: left, y: top, width: right - left, height: bottom - top }
}

/** 1 where nothing of the face is laid. */
function outside({ rect, alpha }: PlacedFace, around: Rect): Pixels {
  const out = createPixels(around.width, around.height, 1)
  out.data.fill(1)
  for (let y = 0; y < rect.height; y++)
    for (let x = 0; x < rect.width; x++)
      if (alpha.data[y * rect.width + x]! > 0.02)
        out.data[(rect.y - around.y + y) * around.width + rect.x - around.x + x] = 0
  return out
}

/** Squares spread over a picture, or all of it where it is small. */
function tilesOf({ width, height }: Pixels): Rect[] {
  const along = (length: number) => {
    if (length <= TILE * TILES) return [{ at: 0, length }]
    return Array.from({ length: TILES }, (_, i) => ({
      at: Math.round(((i + 0.5) / TILES) * length - TILE / 2),
      length: TILE,
    }))
  }
  return along(height).flatMap((v) =>
    along(width).map((h) => ({ x: h.at, y: v.at, width: h.length, height: v.length })),
  )
}

/** 1 where `data` is above 0.9 in a tile, and its bands see no edge of the tile. */
function inner({ data, width, height }: Pixels, tile: Rect): Uint8Array {
  const counts = new Uint8Array(tile.width * tile.height)
  const cut = (at: number, length: number, whole: number) => [at > 0 ? REACH : 0, at + length < whole ? REACH : 0]
  const [left, right] = cut(tile.x, tile.width, width) as [number, number]
  const [top, bottom] = cut(tile.y, tile.height, height) as [number, number]
  for (let y = top; y < tile.height - bottom; y++)
    for (let x = left; x < tile.width - right; x++)
      if (data[(tile.y + y) * width + tile.x + x]! > 0.9) counts[y * tile.width + x] = 1
  return counts
}

/** One axis of lightness and colour. */
function planeOf({ data }: Pixels, axis: number): Float32Array {
  const [r, g, b] = TO_YCC.slice(3 * axis, 3 * axis + 3) as [number, number, number]
  const out = new Float32Array(data.length / 3)
  for (let p = 0, i = 0; p < out.length; p++, i += 3) out[p] = r * data[i]! + g * data[i + 1]! + b * data[i + 2]!
  return out
}

/** How strong each band of the noise must be, for each axis, to show the wanted variances: the bands see each other. */
function amplitudes(lacks: readonly number[], { shows }: Noise): number[] {
  return [0, 1, 2].flatMap((axis) => {
    const wanted = lacks.slice(axis * BANDS, (axis + 1) * BANDS).map((v) => (v > FAINTEST ** 2 ? v : 0))
    let strengths = wanted.map((v, i) => Math.sqrt(v / shows[i]![i]![i]!))
    for (let round = 0; round < 30; round++)
      strengths = strengths.map((strength, i) => {
        if (strength === 0) return 0
        const now = shows[i]!.reduce(
          (sum, row, j) => sum + row.reduce((line, v, k) => line + v * strengths[j]! * strengths[k]!, 0),
          0,
        )
        return strength * Math.sqrt(wanted[i]! / Math.max(1e-12, now))
      })
    return strengths
  })
}

/** The painted face with noise, from another place of the piece for each axis. */
function withNoise(
  { rect, painted, alpha }: PlacedFace,
  { bands: [fine, middle, coarse] }: Noise,
  { strengths, seed }: { strengths: readonly number[]; seed: number },
): Pixels {
  const random = new Random(seed)
  const at = [0, 1, 2].map(() => [random.integer(NOISE), random.integer(NOISE)] as const)
  const out = { ...painted, data: painted.data.slice() }
  const line = new Float32Array(3 * NOISE)
  for (let y = 0; y < rect.height; y++) {
    // A line of the piece, which then repeats.
    for (let axis = 0; axis < 3; axis++) {
      const [dx, dy] = at[axis]!
      const row = ((y + dy) % NOISE) * NOISE
      const [a, b, c] = strengths.slice(axis * BANDS, (axis + 1) * BANDS) as [number, number, number]
      for (let x = 0; x < NOISE; x++) {
        const from = row + ((x + dx) & (NOISE - 1))
        line[3 * x + axis] = a * fine[from]! + b * middle[from]! + c * coarse[from]!
      }
    }
    for (let x = 0, i = y * rect.width; x < rect.width; x++, i++) {
      const share = alpha.data[i]!
      if (share === 0) continue
      const more = share < 1 ? Math.min(2, Math.sqrt((2 - share) / share)) : 1
      const k = 3 * (x & (NOISE - 1))
      const [light, blue, red] = [line[k]!, line[k + 1]!, line[k + 2]!]
      out.data[3 * i] = out.data[3 * i]! + more * (light + 1.402 * red)
      out.data[3 * i + 1] = out.data[3 * i + 1]! + more * (light - 0.344136 * blue - 0.714136 * red)
      out.data[3 * i + 2] = out.data[3 * i + 2]! + more * (light + 1.772 * blue)
    }
  }
  return out
}
