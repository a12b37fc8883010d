import type { HeadModel } from './head-model.js'
import { projectPoints } from './in-picture.js'
import type { Color } from './look.js'
import type { RenderedHead } from './render-head.js'
import type { Scene } from './scene.js'

/** Glasses: a rim around each eye and a temple to each ear. */
export interface Glasses {
  color: Color
  thicknessCm: number
}

/** Clothes, which hide everything below the neck. */
export interface Cloth {
  color: Color
  /** Where on the mean head's neck they begin. */
  fromCm: number
  /** How steeply shoulders fall, 0..1, and how close to each other stripes are, 0..1. */
  slope: number
  stripes: number
}

/** Draws clothes; the mask then covers them, too. */
export function drawCloth({ image, mask }: RenderedHead, { color, fromCm, slope, stripes }: Cloth, scene: Scene): void {
  const around = [
    [-7, 3],
    [7, 3],
    [0, -5],
    [0, 7],
  ].map(([x, z]) => ({ x, y: fromCm, z }))
  const { x, y } = projectPoints(around, scene)
  const [left, right] = [Math.min(...x), Math.max(...x)]
  const top = (y[0] + y[1] + y[2] + y[3]) / 4
  for (let row = 0; row < image.height; row++)
    for (let column = 0; column < image.width; column++) {
      const beside = Math.max(0, left - column, column - right)
      if (row < top + slope * beside - 0.6 * Math.max(0, 6 - beside)) continue
      const shade = 0.85 + 0.15 * Math.sin((column + 0.6 * row) * stripes)
      const at = row * image.width + column
      mask.data[at] = 255
      for (let c = 0; c < 3; c++) image.data[3 * at + c] = color[c] * shade
    }
}

/** Draws glasses, but for what the head hides of them. */
export function drawGlasses(
  { image, mask }: RenderedHead,
  { color, thicknessCm }: Glasses,
  { scene, marks }: { scene: Scene; marks: HeadModel['marks'] },
): void {
  const head = Uint8Array.from(mask.data)
  for (const side of [-1, 1]) {
    const [, eyeY, eyeZ] = marks[side < 0 ? 36 : 45]
    const rim = Array.from({ length: 33 }, (_, k) => {
      const angle = (k / 16) * Math.PI
      const x = 3.2 + 2.3 * Math.cos(angle)
      return { x: side * x, y: eyeY - 0.2 + 1.9 * Math.sin(angle), z: eyeZ + 2.6 - 0.09 * x * x }
    })
    const temple = [
      { x: side * 5.6, y: eyeY + 0.6, z: eyeZ + 0.2 },
      { x: side * 7.8, y: eyeY + 0.7, z: eyeZ - 4 },
      { x: side * 8.3, y: eyeY + 0.4, z: -1.5 },
    ]
    const { depthCm } = projectPoints(
      [side * 8, 0].map((x) => ({ x, y: eyeY, z: 0 })),
      scene,
    )
    const isFar = depthCm[0] > depthCm[1]
    for (const line of isFar ? [rim] : [rim, temple]) {
      const picture = projectPoints(line, scene)
      for (let k = 0; k + 1 < line.length; k++)
        picture.line(k, k + 1, thicknessCm, (pixel) => {
          if (isFar && head[pixel] > 128) return
          mask.data[pixel] = 255
          image.data.set(color, 3 * pixel)
        })
    }
  }
}
