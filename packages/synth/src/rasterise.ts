import { type HeadGeometry, MATERIAL } from './head-model.js'
import type { Projected } from './project.js'

/** Which triangle each sample shows, and where on it. */
export interface Visible {
  width: number
  height: number
  /** [H·W] triangle, or −1 for none. */
  triangle: Int32Array
  /** [H·W] weights of the first two corners as seen in the picture; the third's is what is left. */
  first: Float32Array
  second: Float32Array
  /** [T] whether a triangle is seen from behind. */
  back: Uint8Array
}

/** The nearest triangle at every sample. What faces away is shown only where the skin is open, as in a mouth. */
export function rasterise(
  { triangles, materials }: Pick<HeadGeometry, 'triangles' | 'materials'>,
  { x, y, depth }: Projected,
  { width, height }: { width: number; height: number },
): Visible {
  const count = width * height
  const triangle = new Int32Array(count).fill(-1)
  const first = new Float32Array(count)
  const second = new Float32Array(count)
  const nearest = new Float32Array(count)
  const back = new Uint8Array(materials.length)
  for (let t = 0; t < materials.length; t++) {
    const material = materials[t]
    if (material === MATERIAL.lashes) continue
    const a = triangles[3 * t]
    const b = triangles[3 * t + 1]
    const c = triangles[3 * t + 2]
    if (depth[a] < 1 || depth[b] < 1 || depth[c] < 1) continue
    const ax = x[a]
    const ay = y[a]
    const bx = x[b]
    const by = y[b]
    const cx = x[c]
    const cy = y[c]
    const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    if (Math.abs(area) < 1e-6) continue
    if (area > 0 && material !== MATERIAL.gums) {
      if (material > MATERIAL.gums && material < MATERIAL.mouthSocket) continue
      back[t] = 1
    }
    const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5))
    const right = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx) - 0.5))
    const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5))
    const bottom = Math.min(height - 1, Math.floor(Math.max(ay, by, cy) - 0.5))
    if (left > right || top > bottom) continue
    const ia = 1 / depth[a]
    const ib = 1 / depth[b]
    const ic = 1 / depth[c]
    // Weights of the corners change evenly along a row.
    const u0 = ((bx - left - 0.5) * (cy - top - 0.5) - (cx - left - 0.5) * (by - top - 0.5)) / area
    const v0 = ((cx - left - 0.5) * (ay - top - 0.5) - (ax - left - 0.5) * (cy - top - 0.5)) / area
    const ux = (by - cy) / area
    const uy = (cx - bx) / area
    const vx = (cy - ay) / area
    const vy = (ax - cx) / area
    for (let row = top; row <= bottom; row++) {
      let u = u0 + uy * (row - top)
      let v = v0 + vy * (row - top)
      for (let at = row * width + left; at <= row * width + right; at++, u += ux, v += vx) {
        const w = 1 - u - v
        if (u < 0 || v < 0 || w < 0) continue
        const near = u * ia + v * ib + w * ic
        if (near <= nearest[at]) continue
        nearest[at] = near
        triangle[at] = t
        first[at] = u
        second[at] = v
      }
    }
  }
  return { width, height, triangle, first, second, back }
}
