import { Random } from '@dfl/core'

const SIDE = 32
const MASK = SIDE - 1

/** Smooth noise 0..1 in space; repeats every 32 units. */
export type Noise = (x: number, y: number, z: number) => number

/** Value noise: random numbers at whole places, smoothly blended between. Source: Perlin's fade of 1985. */
export function valueNoise(seed: number): Noise {
  const random = new Random(seed)
  const lattice = Float32Array.from({ length: SIDE ** 3 }, () => random.uniform())
  return (x, y, z) => {
    const X = Math.floor(x)
    const Y = Math.floor(y)
    const Z = Math.floor(z)
    const fx = x - X
    const fy = y - Y
    const fz = z - Z
    const u = fx * fx * (3 - 2 * fx)
    const v = fy * fy * (3 - 2 * fy)
    const w = fz * fz * (3 - 2 * fz)
    const x0 = X & MASK
    const x1 = (X + 1) & MASK
    const y0 = (Y & MASK) * SIDE
    const y1 = ((Y + 1) & MASK) * SIDE
    const z0 = (Z & MASK) * SIDE * SIDE
    const z1 = ((Z + 1) & MASK) * SIDE * SIDE
    const a = lattice[z0 + y0 + x0] + u * (lattice[z0 + y0 + x1] - lattice[z0 + y0 + x0])
    const b = lattice[z0 + y1 + x0] + u * (lattice[z0 + y1 + x1] - lattice[z0 + y1 + x0])
    const c = lattice[z1 + y0 + x0] + u * (lattice[z1 + y0 + x1] - lattice[z1 + y0 + x0])
    const d = lattice[z1 + y1 + x0] + u * (lattice[z1 + y1 + x1] - lattice[z1 + y1 + x0])
    const near = a + v * (b - a)
    const far = c + v * (d - c)
    return near + w * (far - near)
  }
}
