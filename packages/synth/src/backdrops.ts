import type { Random } from '@dfl/core'
import { eachPixel, type GrayPicture, type GraySquare, graySquare, valueAt } from './gray-square.js'

/** Squares for what is behind a head, or where none is. */
export type Backdrops = (random: Random) => GraySquare

/**
 * Backdrops of `sidePx`: parts of pictures, gradients, blocks and clouds. A stock of them is made once; each that is asked
 * for is one of these, mirrored and in another light.
 *
 * @param pictures  Pictures without profiles; where there are none, none are in the backdrops.
 */
export function backdropsOf(
  pictures: readonly GrayPicture[],
  { sidePx, count, random }: { sidePx: number; count: number; random: Random },
): Backdrops {
  const stock = Array.from({ length: count }, () => freshBackdrop(pictures, sidePx, random))
  return (random) => {
    const { data } = stock[random.integer(stock.length)]
    const [flipX, flipY] = [random.chance(0.5), random.chance(0.5)]
    const gain = random.uniform(0.6, 1.2)
    const shift = random.uniform(-0.1, 0.2)
    const out = graySquare(sidePx)
    eachPixel(out, (x, y) => {
      const at = (flipY ? sidePx - 1 - y : y) * sidePx + (flipX ? sidePx - 1 - x : x)
      return gain * data[at] + shift
    })
    return out
  }
}

function freshBackdrop(pictures: readonly GrayPicture[], sidePx: number, random: Random): GraySquare {
  const kind = random.uniform()
  if (kind < 0.6 && pictures.length > 0) return partOf(pictures[random.integer(pictures.length)], sidePx, random)
  const out = graySquare(sidePx, random.uniform())
  if (kind < 0.7) gradient(out, random)
  else if (kind < 0.85) blocks(out, random)
  else clouds(out, random)
  return out
}

/** A part of a picture at any size, a little turned or much; where the picture ends it goes on mirrored. */
function partOf({ data, width, height }: GrayPicture, sidePx: number, random: Random): GraySquare {
  const scale = random.uniform(0.55, 3.1)
  const roll = random.uniform(-0.5, 0.5) + (random.chance(0.2) ? random.uniform(-3, 3) : 0)
  const [cos, sin] = [Math.cos(roll) * scale, Math.sin(roll) * scale]
  const [cx, cy] = [random.uniform(0, width), random.uniform(0, height)]
  const folded = (v: number, size: number) => size - 1 - Math.abs(size - 1 - (Math.abs(v) % (2 * size - 2)))
  const out = graySquare(sidePx)
  eachPixel(out, (x, y) => {
    const [u, v] = [x - sidePx / 2, y - sidePx / 2]
    return (
      valueAt(data, width, height, folded(cx + cos * u - sin * v, width), folded(cy + sin * u + cos * v, height)) / 255
    )
  })
  return out
}

function gradient(out: GraySquare, random: Random): void {
  const [gx, gy] = [random.normal() * 0.004, random.normal() * 0.004]
  eachPixel(out, (x, y, value) => value + gx * (x - out.sidePx / 2) + gy * (y - out.sidePx / 2))
}

/** Rectangles and ellipses over one another. */
function blocks(out: GraySquare, random: Random): void {
  const { sidePx } = out
  for (let count = 3 + random.integer(14); count > 0; count--) {
    const shade = random.uniform()
    const [left, top] = [random.integer(sidePx), random.integer(sidePx)]
    const [width, height] = [3 + random.integer(50), 3 + random.integer(50)]
    const isRound = random.chance(0.4)
    eachPixel(out, (x, y, value) => {
      const [u, v] = [(2 * (x - left)) / width - 1, (2 * (y - top)) / height - 1]
      const isInside = isRound ? u * u + v * v < 1 : Math.abs(u) < 1 && Math.abs(v) < 1
      return isInside ? shade : value
    })
  }
}

/** Smooth noise of three sizes. */
function clouds(out: GraySquare, random: Random): void {
  for (const cell of [40, 16, 6]) {
    const count = Math.ceil(out.sidePx / cell) + 2
    const lattice = Float32Array.from({ length: count * count }, () => random.normal() * 0.25 * Math.sqrt(cell / 40))
    eachPixel(out, (x, y, value) => value + valueAt(lattice, count, count, x / cell, y / cell))
  }
}
