import type { Pixels, Random } from '@dfl/core'
import { boxBlur, createPixels, gaussianBlur, resize } from '@dfl/image'

/** An image [R, R, 3] float32 0..1 made worse or other; the result is in its range, and a new one. */
export type Noise = (image: Pixels, random: Random) => Pixels

const map = (image: Pixels, value: (v: number, i: number) => number): Pixels => ({
  ...image,
  data: image.data.map((v, i) => Math.min(1, Math.max(0, value(v, i)))),
})

/** Two images blended, the second by a share of each pixel: [R, R, 1] or one number. */
export function blend(a: Pixels, b: Pixels, share: Pixels | number): Pixels {
  const at = typeof share === 'number' ? () => share : (i: number) => share.data[Math.floor(i / a.channels)]!
  return map(a, (v, i) => v + (b.data[i]! - v) * at(i))
}

/** Any hue, and saturation and value up to a half more or less. Source: hue as a turn of the chroma plane of YIQ. */
const shiftColours: Noise = (image, random) => {
  const angle = random.uniform(0, 2 * Math.PI)
  const saturation = 1 + random.uniform(-0.5, 0.5)
  const value = random.uniform(-0.5, 0.5)
  const [cos, sin] = [saturation * Math.cos(angle), saturation * Math.sin(angle)]
  const out = createPixels(image.width, image.height, 3)
  for (let i = 0; i < image.data.length; i += 3) {
    const [r, g, b] = [image.data[i]!, image.data[i + 1]!, image.data[i + 2]!]
    const y = 0.299 * r + 0.587 * g + 0.114 * b
    const [p, q] = [0.5959 * r - 0.2746 * g - 0.3213 * b, 0.2115 * r - 0.5227 * g + 0.3112 * b]
    const [u, v] = [cos * p - sin * q, sin * p + cos * q]
    out.data.set([y + 0.9563 * u + 0.621 * v, y - 0.2721 * u - 0.6474 * v, y - 1.107 * u + 1.7046 * v], i)
  }
  return map(out, (x) => x + value)
}

/** Other black and white points, up to a quarter of the range, and another gamma, for each channel. */
const shiftLevels: Noise = (image, random) => {
  const levels = Array.from({ length: 3 }, () => ({
    black: random.uniform(0, 0.25),
    white: random.uniform(0.75, 1),
    gamma: random.uniform(0.5, 1.5),
  }))
  return map(image, (v, i) => {
    const { black, white, gamma } = levels[i % 3]!
    return Math.min(1, Math.max(0, (v - black) / (white - black))) ** gamma
  })
}

/** One or the other change of colours. */
export const recolour: Noise = (image, random) => (random.chance(0.5) ? shiftColours : shiftLevels)(image, random)

/** A noise inside of a soft circle anywhere. */
export const inCircle =
  (noise: Noise): Noise =>
  (image, random) => {
    const R = image.width
    const [x, y, radius, edge] = [random.uniform(0, R), random.uniform(0, R), random.uniform(R / 8, R / 2), R / 8]
    const share = createPixels(R, R, 1)
    for (let i = 0; i < share.data.length; i++) {
      const distance = Math.hypot((i % R) - x, Math.floor(i / R) - y)
      share.data[i] = Math.min(1, Math.max(0, (radius + edge - distance) / edge))
    }
    return blend(image, noise(image, random), share)
  }

/** The light of a region spread over the image, as a lens does. */
export const flare =
  (region: Pixels): Noise =>
  (image, random) => {
    const lit = { ...image, data: image.data.map((v, i) => v * region.data[Math.floor(i / 3)]!) }
    const light = gaussianBlur(lit, random.uniform(image.width / 16, image.width / 4))
    return map(image, (v, i) => v + light.data[i]!)
  }

/** Edges raised, by up to twice what a small blur takes away. */
export const sharpen: Noise = (image, random) => {
  const soft = gaussianBlur(image, 1)
  const amount = random.uniform(0.5, 2)
  return map(image, (v, i) => v + amount * (v - soft.data[i]!))
}

/** A short smear along a line. */
export const motionBlur: Noise = (image, random) => {
  const R = image.width
  const length = 2 + random.integer(4)
  const angle = random.uniform(0, Math.PI)
  const out = createPixels(R, image.height, 3)
  for (let k = 0; k < length; k++) {
    const [dx, dy] = [Math.cos(angle), Math.sin(angle)].map((d) => Math.round(d * (k - (length - 1) / 2))) as [
      number,
      number,
    ]
    for (let i = 0; i < R * R; i++) {
      const x = Math.min(R - 1, Math.max(0, (i % R) + dx))
      const y = Math.min(R - 1, Math.max(0, Math.floor(i / R) + dy))
      for (let c = 0; c < 3; c++) out.data[i * 3 + c]! += image.data[(y * R + x) * 3 + c]! / length
    }
  }
  return out
}

/** A blur of a few pixels. */
export const soften: Noise = (image, random) => boxBlur(boxBlur(image, 1 + random.integer(2)), 1)

/** Down to a quarter of the size at least, and up again, in squares or smoothly. */
export const rescale: Noise = (image, random) => {
  const R = image.width
  const side = Math.max(2, Math.round(R * random.uniform(0.25, 1)))
  if (random.chance(0.5)) {
    const filter = 'linear'
    return resize(resize(image, { width: side, height: side }, { filter }), { width: R, height: R }, { filter })
  }
  const out = createPixels(R, R, 3)
  const nearest = (place: number) => Math.min(R - 1, Math.floor(((Math.floor((place * side) / R) + 0.5) * R) / side))
  for (let y = 0; y < R; y++)
    for (let x = 0; x < R; x++) {
      const from = (nearest(y) * R + nearest(x)) * 3
      out.data.set(image.data.subarray(from, from + 3), (y * R + x) * 3)
    }
  return out
}

/** What comes of the image when it is stored as a JPEG of quality 10 to 100: its blocks, rounded as there. */
export const compress: Noise = (image, random) => {
  const quality = random.uniform(10, 100)
  const scale = (quality < 50 ? 50 / quality : 2 - quality / 50) / 255
  const R = image.width
  const out = createPixels(R, R, 3)
  const planes = [0, 1, 2].map((c) => toPlane(image, c))
  planes.forEach((plane, c) => {
    for (let y = 0; y < R; y += 8)
      for (let x = 0; x < R; x += 8) roundBlock(plane, R, { x, y }, { scale, coarse: c > 0 })
  })
  for (let i = 0; i < R * R; i++) {
    const [y, b, r] = planes.map((plane) => plane[i]!) as [number, number, number]
    out.data.set([y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b], 3 * i)
  }
  return map(out, (v) => v)
}

/** Luma, blue or red difference. Source: JFIF, ITU-T T.871 */
function toPlane({ data, width }: Pixels, c: number): Float32Array {
  const weights = [
    [0.299, 0.587, 0.114],
    [-0.168736, -0.331264, 0.5],
    [0.5, -0.418688, -0.081312],
  ][c]!
  return Float32Array.from({ length: width * width }, (_, i) =>
    weights.reduce((sum, weight, k) => sum + weight * data[3 * i + k]!, 0),
  )
}

const COSINES = Array.from({ length: 64 }, (_, i) => {
  const [k, n] = [Math.floor(i / 8), i % 8]
  return Math.cos(((2 * n + 1) * k * Math.PI) / 16) * (k === 0 ? Math.sqrt(1 / 8) : 1 / 2)
})

/**
 * Rounds the waves of an 8x8 block, higher ones more, those of colour most.
 *
 * Steps grow linearly with the frequency, as the tables in annex K of ITU-T T.81 roughly do.
 */
function roundBlock(
  plane: Float32Array,
  R: number,
  { x, y }: { x: number; y: number },
  { scale, coarse }: { scale: number; coarse: boolean },
): void {
  const at = (i: number) => Math.min(R - 1, y + Math.floor(i / 8)) * R + Math.min(R - 1, x + (i % 8))
  const block = Float64Array.from({ length: 64 }, (_, i) => plane[at(i)]!)
  const waves = transformed(transformed(block, false), false)
  for (let i = 0; i < 64; i++) {
    const step = scale * ((coarse ? 17 : 11) + (coarse ? 12 : 8) * (Math.floor(i / 8) + (i % 8)))
    if (step > 0) waves[i] = Math.round(waves[i]! / step) * step
  }
  const back = transformed(transformed(waves, true), true)
  for (let i = 0; i < 64; i++) if (y + Math.floor(i / 8) < R && x + (i % 8) < R) plane[at(i)] = back[i]!
}

/** Cosine transform of the rows, transposed, so that twice is that of the block; `inverse` for the way back. */
function transformed(block: Float64Array, inverse: boolean): Float64Array {
  const out = new Float64Array(64)
  for (let row = 0; row < 8; row++)
    for (let k = 0; k < 8; k++) {
      let sum = 0
      for (let n = 0; n < 8; n++) sum += block[row * 8 + n]! * COSINES[inverse ? n * 8 + k : k * 8 + n]!
      out[k * 8 + row] = sum
    }
  return out
}
