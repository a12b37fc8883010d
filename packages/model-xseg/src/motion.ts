import type { Pixels, Random } from '@dfl/core'
import { createPixels } from '@dfl/image'

/** How an image is moved: for every pixel of the result, where in the image it comes from. */
export interface Motion {
  /** [R, R] float32, in pixels of the image. */
  x: Float32Array
  y: Float32Array
}

/** Ranges of a motion that is drawn by lot. */
export interface MotionOptions {
  rotationDegrees: number
  /** As a share: 0.05 is from 1/1.05 to 1.05. */
  zoom: number
  /** As a share of the side. */
  shift: number
  flipChance: number
  /** Whether a grid of a half, a quarter or an eighth of the side is bent besides. */
  warp: boolean
}

/** A motion of images of side R. */
export function drawMotion(random: Random, R: number, options: MotionOptions): Motion {
  const { rotationDegrees, zoom, shift, flipChance, warp } = options
  const angle = (random.uniform(-rotationDegrees, rotationDegrees) * Math.PI) / 180
  const scale = (1 + zoom) ** random.uniform(-1, 1)
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale]
  const [tx, ty] = [random.uniform(-shift, shift) * R, random.uniform(-shift, shift) * R]
  const flip = random.chance(flipChance) ? -1 : 1
  const cells = warp ? [2, 4, 8][random.integer(3)]! : 0
  const [bendX, bendY] = [bentGrid(random, cells, R), bentGrid(random, cells, R)]
  const middle = (R - 1) / 2
  const motion = { x: new Float32Array(R * R), y: new Float32Array(R * R) }
  for (let row = 0, i = 0; row < R; row++)
    for (let column = 0; column < R; column++, i++) {
      const [dx, dy] = [flip * (column - middle - tx), row - middle - ty]
      const [u, v] = [cos * dx + sin * dy + middle, cos * dy - sin * dx + middle]
      motion.x[i] = u + bendX(u / R, v / R)
      motion.y[i] = v + bendY(u / R, v / R)
    }
  return motion
}

/** Jitter of a grid's inner nodes by up to a quarter of a cell, bilinear in between; places are 0..1. */
function bentGrid(random: Random, cells: number, R: number): (u: number, v: number) => number {
  if (cells === 0) return () => 0
  const side = cells + 1
  const inner = (i: number) => i > 0 && i < cells
  const jitter = () => Math.max(-1, Math.min(1, random.normal() / 2.5)) * 0.24 * (R / cells)
  const nodes = Float32Array.from({ length: side * side }, (_, i) =>
    inner(i % side) && inner(Math.floor(i / side)) ? jitter() : 0,
  )
  return (u, v) => {
    const [gx, gy] = [u, v].map((place) => Math.max(0, Math.min(cells, place * cells))) as [number, number]
    const [x, y] = [Math.min(cells - 1, Math.floor(gx)), Math.min(cells - 1, Math.floor(gy))]
    const node = (dx: number, dy: number) => nodes[(y + dy) * side + x + dx]!
    const [fx, fy] = [gx - x, gy - y]
    return (node(0, 0) * (1 - fx) + node(1, 0) * fx) * (1 - fy) + (node(0, 1) * (1 - fx) + node(1, 1) * fx) * fy
  }
}

/** The image moved, bilinear; beyond its border lies black. */
export function move(image: Pixels, { x, y }: Motion): Pixels {
  const { data, width, height, channels: C } = image
  const out = createPixels(width, height, C)
  for (let i = 0; i < x.length; i++) {
    const [left, top] = [Math.floor(x[i]!), Math.floor(y[i]!)]
    const [fx, fy] = [x[i]! - left, y[i]! - top]
    for (let corner = 0; corner < 4; corner++) {
      const [column, row] = [left + (corner & 1), top + (corner >> 1)]
      if (column < 0 || row < 0 || column >= width || row >= height) continue
      const weight = (corner & 1 ? fx : 1 - fx) * (corner >> 1 ? fy : 1 - fy)
      const from = (row * width + column) * C
      for (let c = 0; c < C; c++) out.data[i * C + c]! += weight * data[from + c]!
    }
  }
  return out
}
