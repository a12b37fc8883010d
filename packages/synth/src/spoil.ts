import type { Random } from '@dfl/core'
import { eachPixel, type GraySquare, graySquare } from './gray-square.js'

/**
 * What stands in the way, what light, lens and sensor do, and what a file keeps of it, each by chance and by a random amount.
 *
 * @param square  Changed where it lies.
 */
export function spoil(square: GraySquare, random: Random): void {
  if (random.chance(0.5))
    for (let left = 1 + random.integer(2); left > 0; left--) if (random.chance(0.65)) hide(square, random)
  relight(square, random)
  if (random.chance(0.5)) blur(square, random.chance(0.75) ? random.uniform(0.3, 1) : random.uniform(1, 2.3))
  if (random.chance(0.5)) {
    const [gain, shift] = [random.uniform(0.3, 1.3), random.uniform(-0.15, 0.25)]
    eachPixel(square, (_, __, value) => Math.max(0, Math.min(1, value * gain + shift)))
  }
  if (random.chance(0.5)) {
    const deviation = random.uniform(0.003, 0.07) ** 1.3
    eachPixel(square, (_, __, value) => value + 1.7 * deviation * random.uniform(-1, 1))
  }
  if (random.chance(0.3)) compress(square, random.uniform(0.01, 0.07))
  if (random.chance(0.1)) cutOff(square, random)
}

/** Something flat in front of it: a hand, a microphone, a sign. */
function hide(square: GraySquare, random: Random): void {
  const { sidePx } = square
  const [cx, cy] = [random.integer(sidePx), random.integer(sidePx)]
  const [width, height] = [3 + random.integer(29), 3 + random.integer(29)]
  const angle = random.uniform(0, Math.PI)
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const isRound = random.chance(0.6)
  const shade = random.uniform()
  const rough = random.uniform(0, 0.15)
  eachPixel(square, (x, y, value) => {
    const u = (2 * (cos * (x - cx) + sin * (y - cy))) / width
    const v = (2 * (cos * (y - cy) - sin * (x - cx))) / height
    const isInside = isRound ? u * u + v * v < 1 : Math.abs(u) < 1 && Math.abs(v) < 1
    return isInside ? shade + rough * random.uniform(-1, 1) : value
  })
}

/** Another gamma, and light that falls off to one side. */
function relight(square: GraySquare, random: Random): void {
  const gamma = Math.exp(random.normal() * 0.3)
  const [gx, gy] = [random.normal() * 0.0056, random.normal() * 0.0056]
  const middle = square.sidePx / 2
  const curve = Float32Array.from({ length: 257 }, (_, i) => (i / 256) ** gamma)
  eachPixel(square, (x, y, value) => {
    const light = Math.max(0.1, 1 + gx * (x - middle) + gy * (y - middle))
    return curve[Math.floor(Math.max(0, Math.min(1, value)) * 256)] * light
  })
}

function blur(square: GraySquare, sigma: number): void {
  const reach = Math.max(1, Math.ceil(2.5 * sigma))
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / 2 / sigma ** 2))
  const total = kernel.reduce((a, b) => a + b)
  const { sidePx } = square
  const inside = (v: number) => Math.max(0, Math.min(sidePx - 1, v))
  const across = graySquare(sidePx)
  eachPixel(across, (x, y) => {
    let sum = 0
    for (let i = -reach; i <= reach; i++) sum += kernel[i + reach] * square.data[y * sidePx + inside(x + i)]
    return sum / total
  })
  eachPixel(square, (x, y) => {
    let sum = 0
    for (let i = -reach; i <= reach; i++) sum += kernel[i + reach] * across.data[inside(y + i) * sidePx + x]
    return sum / total
  })
}

const BLOCK = 8

/** The waves of the discrete cosine transform: [frequency][place]. */
const WAVES = Array.from({ length: BLOCK }, (_, k) =>
  Float32Array.from(
    { length: BLOCK },
    (_, i) => (k ? 0.5 : Math.SQRT1_2 / 2) * Math.cos(((2 * i + 1) * k * Math.PI) / 16),
  ),
)

/** What JPEG keeps: blocks of 8 by 8 pixels as waves, rounded the more the finer they are. Source: ITU-T T.81. */
function compress({ data, sidePx }: GraySquare, step: number): void {
  const rows = new Float32Array(BLOCK * BLOCK)
  const waves = new Float32Array(BLOCK * BLOCK)
  for (let top = 0; top < sidePx; top += BLOCK)
    for (let left = 0; left < sidePx; left += BLOCK) {
      const at = (x: number, y: number) => (top + y) * sidePx + left + x
      each((k, y) => {
        rows[y * BLOCK + k] = sum((x) => data[at(x, y)] * WAVES[k][x])
      })
      each((k, m) => {
        const wave = sum((y) => rows[y * BLOCK + k] * WAVES[m][y])
        const coarse = step * (1 + 0.35 * (k + m))
        waves[m * BLOCK + k] = Math.round(wave / coarse) * coarse
      })
      each((x, m) => {
        rows[m * BLOCK + x] = sum((k) => waves[m * BLOCK + k] * WAVES[k][x])
      })
      each((x, y) => {
        data[at(x, y)] = sum((m) => rows[m * BLOCK + x] * WAVES[m][y])
      })
    }
}

function each(of: (a: number, b: number) => void): void {
  for (let b = 0; b < BLOCK; b++) for (let a = 0; a < BLOCK; a++) of(a, b)
}

function sum(of: (i: number) => number): number {
  let total = 0
  for (let i = 0; i < BLOCK; i++) total += of(i)
  return total
}

/** The frame ends at one side; beyond it is black. */
function cutOff(square: GraySquare, random: Random): void {
  const { sidePx } = square
  const side = random.integer(4)
  const depth = random.integer(24)
  eachPixel(square, (x, y, value) => {
    const isBeyond = [x < depth, x >= sidePx - depth, y < depth, y >= sidePx - depth][side]
    return isBeyond ? 0 : value
  })
}
