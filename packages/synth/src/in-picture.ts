import { project } from './project.js'
import type { Scene } from './scene.js'

/** Points beside a head as they are seen in its picture. */
export interface PointsInPicture {
  /** Pixels of the picture; (0, 0) is the centre of its first. */
  x: Float32Array
  y: Float32Array
  /** From the camera's plane. */
  depthCm: Float32Array
  /** Calls `paint` with the number of each pixel of the line between two points that lies in the picture. */
  line(from: number, to: number, widthCm: number, paint: (pixel: number) => void): void
}

/** @param points  In cm of the head: x to its own left, y up, z out of the face. */
export function projectPoints(points: readonly { x: number; y: number; z: number }[], scene: Scene): PointsInPicture {
  const flat = new Float32Array(3 * points.length)
  points.forEach(({ x, y, z }, i) => {
    flat.set([x, y, z], 3 * i)
  })
  const { x, y, depth } = project({ triangles: new Uint16Array(0) }, flat, scene, 1)
  for (let i = 0; i < x.length; i++) {
    x[i] -= 0.5
    y[i] -= 0.5
  }
  const { width, height } = scene
  const pixelsPerCm = height / 2 / Math.tan((scene.fovDegrees * Math.PI) / 360) / scene.distanceCm
  return {
    x,
    y,
    depthCm: depth,
    line(from, to, widthCm, paint) {
      const brush = Math.max(1, Math.round(widthCm * pixelsPerCm))
      const [dx, dy] = [x[to] - x[from], y[to] - y[from]]
      const steps = Math.ceil(Math.max(Math.abs(dx), Math.abs(dy), 1))
      for (let step = 0; step < steps; step++) {
        const left = Math.round(x[from] + (dx * step) / steps)
        const top = Math.round(y[from] + (dy * step) / steps)
        for (let row = Math.max(0, top); row < Math.min(height, top + brush); row++)
          for (let column = Math.max(0, left); column < Math.min(width, left + brush); column++)
            paint(row * width + column)
      }
    },
  }
}
