import type { Bitmap, Landmarks } from '@dfl/core'
import { type HeadModel, MATERIAL } from './head-model.js'
import type { Look } from './look.js'
import { valueNoise } from './noise.js'
import { painterOf, type Surface } from './paint.js'
import { type Projected, project } from './project.js'
import { rasterise, type Visible } from './rasterise.js'
import type { Scene } from './scene.js'

/** A picture of a head and what is exactly true of it. */
export interface RenderedHead {
  /** [H, W, 3] bytes, RGB. */
  image: Bitmap
  /** [H, W, 1] bytes: 255 where the head is, less at its edge. */
  mask: Bitmap
  /** 68 points in pixels of the image. */
  landmarks: Landmarks
  pose: Scene['pose']
}

/** Samples per pixel along each axis. */
const PER_PIXEL = 2

const backgroundNoise = valueNoise(11)

/**
 * A picture of a head, with the exact place of its landmarks.
 *
 * One lamp whose light wraps a little around skin, light from everywhere, a weak fill from the other side; no shadows
 * are thrown. Each pixel is the mean of four samples.
 *
 * @param shape [3·V] vertices of the head in cm, from `shapeOf`.
 * Source: wrapped diffuse light as in GPU Gems, 2004, chapter 16; Blinn 1977, https://doi.org/10.1145/563858.563893
 */
export function renderHead(model: HeadModel, shape: Float32Array, { look, scene }: { look: Look; scene: Scene }) {
  const projected = project(model, shape, scene, PER_PIXEL)
  const size = { width: scene.width * PER_PIXEL, height: scene.height * PER_PIXEL }
  const visible = rasterise(model, projected, size)
  const { image, mask } = shade(model, visible, { projected, look, scene })
  const landmarks: Landmarks = model.landmarks.map((v) => [
    projected.x[v] / PER_PIXEL - 0.5,
    projected.y[v] / PER_PIXEL - 0.5,
  ])
  const rendered: RenderedHead = { image, mask, landmarks, pose: scene.pose }
  return rendered
}

/** The landmarks of a head alone, in pixels of the picture that `renderHead` would make: a thousand times faster. */
export function landmarksOf(model: HeadModel, shape: Float32Array, scene: Scene): Landmarks {
  const points = new Float32Array(3 * 68)
  model.landmarks.forEach((v, i) => {
    points.set(shape.subarray(3 * v, 3 * v + 3), 3 * i)
  })
  const { x, y } = project({ triangles: new Uint16Array(0) }, points, scene, 1)
  return Array.from(x, (v, i) => [v - 0.5, y[i] - 0.5] as const)
}

/** Colours of all samples, added up to pixels. */
function shade(
  { triangles, materials, rest, ...model }: HeadModel,
  visible: Visible,
  { projected, look, scene }: { projected: Projected; look: Look; scene: Scene },
) {
  const { width, height, light } = scene
  const { depth, normals } = projected
  const paint = painterOf({ triangles, materials, rest, ...model }, look)
  const surface: Surface = { r: 0, g: 0, b: 0, shine: 0, gloss: 0, open: 1 }
  const image = new Uint8Array(width * height * 3)
  const mask = new Uint8Array(width * height)
  const [lx, ly, lz] = unit(light.direction)
  // Halfway between the lamp and the camera.
  const [hx, hy, hz] = unit([lx, ly, lz + 1])
  const [tr, tg, tb] = light.tint
  const { color, seed } = scene.background
  const share = 1 / PER_PIXEL ** 2
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      let [r, g, b, covered] = [0, 0, 0, 0]
      for (let sample = 0; sample < PER_PIXEL ** 2; sample++) {
        const at = (row * PER_PIXEL + (sample >> 1)) * visible.width + column * PER_PIXEL + (sample & 1)
        const t = visible.triangle[at]
        if (t < 0) continue
        covered++
        if (visible.back[t]) {
          r += 34
          g += 14
          b += 12
          continue
        }
        const va = triangles[3 * t]
        const vb = triangles[3 * t + 1]
        const vc = triangles[3 * t + 2]
        // Weights as seen in the picture become weights on the triangle.
        let wa = visible.first[at] / depth[va]
        let wb = visible.second[at] / depth[vb]
        let wc = (1 - visible.first[at] - visible.second[at]) / depth[vc]
        const total = 1 / (wa + wb + wc)
        wa *= total
        wb *= total
        wc *= total
        const a = 3 * va
        const e = 3 * vb
        const c = 3 * vc
        const material = materials[t]
        paint(
          surface,
          material,
          wa * rest[a] + wb * rest[e] + wc * rest[c],
          wa * rest[a + 1] + wb * rest[e + 1] + wc * rest[c + 1],
          wa * rest[a + 2] + wb * rest[e + 2] + wc * rest[c + 2],
        )
        let nx = wa * normals[a] + wb * normals[e] + wc * normals[c]
        let ny = wa * normals[a + 1] + wb * normals[e + 1] + wc * normals[c + 1]
        let nz = wa * normals[a + 2] + wb * normals[e + 2] + wc * normals[c + 2]
        const length = Math.sqrt(nx * nx + ny * ny + nz * nz) || 1
        nx /= length
        ny /= length
        nz /= length
        const facing = nx * lx + ny * ly + nz * lz
        const diffuse = Math.max(0, material <= MATERIAL.backOfHead ? (facing + 0.3) / 1.3 : facing)
        const fill = 0.22 * Math.max(0, -0.9 * nx * lx + 0.1 * ny + 0.35 * nz)
        const lit = surface.open * (light.ambient * (0.85 + 0.15 * ny) + 0.78 * diffuse + fill)
        const glint = Math.max(0, nx * hx + ny * hy + nz * hz) ** surface.gloss * surface.shine * surface.open
        r += Math.min(255, Math.max(0, (surface.r * lit + 255 * glint) * tr))
        g += Math.min(255, Math.max(0, (surface.g * lit + 250 * glint) * tg))
        b += Math.min(255, Math.max(0, (surface.b * lit + 244 * glint) * tb))
      }
      const bare = PER_PIXEL ** 2 - covered
      if (bare > 0) {
        const cloud = 0.75 + 0.35 * backgroundNoise((column / width) * 5, (row / height) * 5, seed)
        r += bare * Math.min(255, color[0] * cloud)
        g += bare * Math.min(255, color[1] * cloud)
        b += bare * Math.min(255, color[2] * cloud)
      }
      const i = row * width + column
      image[3 * i] = r * share + 0.5
      image[3 * i + 1] = g * share + 0.5
      image[3 * i + 2] = b * share + 0.5
      mask[i] = 255 * covered * share + 0.5
    }
  return {
    image: { data: image, width, height, channels: 3 } as Bitmap,
    mask: { data: mask, width, height, channels: 1 } as Bitmap,
  }
}

function unit([x, y, z]: readonly [number, number, number]): [number, number, number] {
  const length = Math.hypot(x, y, z) || 1
  return [x / length, y / length, z / length]
}
