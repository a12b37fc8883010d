import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Bitmap, FaceMeta, Landmarks, Pixels } from '@dfl/core'
import type { Swap, Swapper } from '../src/index.js'

const footage = (name: string) => new URL(`../../../examples/footage/${name}`, import.meta.url)

/** Path of a clip of the demo's footage. */
export const clip = (name: string) => fileURLToPath(footage(`${name}.mp4`))

/** The exact landmarks of a clip, per frame. */
export function truth(name: string): Landmarks[] {
  const { frames } = JSON.parse(readFileSync(footage(`${name}.json`), 'utf8')) as { frames: { lm68: Landmarks }[] }
  return frames.map(({ lm68 }) => lm68)
}

/** Landmarks of a real shape: those of the demo's first frame, scaled about their centre and moved. */
export function landmarks(place: { x: number; y: number; scale?: number; turnDegrees?: number }): Landmarks {
  const shape = truth('pair1-dst')[0]!
  const { x, y, scale = 1, turnDegrees = 0 } = place
  const cx = shape.reduce((sum, [px]) => sum + px / 68, 0)
  const cy = shape.reduce((sum, [, py]) => sum + py / 68, 0)
  const cos = scale * Math.cos((turnDegrees * Math.PI) / 180)
  const sin = scale * Math.sin((turnDegrees * Math.PI) / 180)
  return shape.map(([px, py]) => [x + cos * (px - cx) - sin * (py - cy), y + sin * (px - cx) + cos * (py - cy)])
}

/** What merging needs to know of a face. */
export function meta(sourceLandmarks: Landmarks, frameIndex = 0, fps = 24): FaceMeta {
  return {
    filename: `${frameIndex}.png`,
    faceType: 'full_face',
    size: 256,
    landmarks: sourceLandmarks,
    sourceFilename: `clip.mp4#${frameIndex}`,
    frameIndex,
    timestampSeconds: frameIndex / fps,
    faceIndex: 0,
    sourceLandmarks,
    sourceRect: { x: 0, y: 0, width: 1, height: 1 },
    imageToFaceMat: [1, 0, 0, 0, 1, 0],
    score: 1,
  }
}

/** A frame of bytes from a function of position, 0..1 per channel. */
export function frameOf(width: number, height: number, value: (x: number, y: number, c: number) => number): Bitmap {
  const data = new Uint8Array(width * height * 3)
  for (let i = 0; i < data.length; i++) {
    const p = Math.floor(i / 3)
    data[i] = Math.round(255 * Math.min(1, Math.max(0, value(p % width, Math.floor(p / width), i % 3))))
  }
  return { data, width, height, channels: 3 }
}

/** A smooth colourful frame, as far as faces are smooth. */
export const smoothFrame = (width = 480, height = 360): Bitmap =>
  frameOf(width, height, (x, y, c) => 0.5 + 0.25 * Math.sin(x / 8 + c) + 0.2 * Math.cos(y / 11 - 2 * c))

/** [size, size, 1] from a function of position, −1..1 across the square. */
export function square(size: number, value: (x: number, y: number) => number): Pixels {
  const data = Float32Array.from({ length: size * size }, (_, i) =>
    value((((i % size) + 0.5) / size) * 2 - 1, ((Math.floor(i / size) + 0.5) / size) * 2 - 1),
  )
  return { data, width: size, height: size, channels: 1 }
}

/** A mask as networks give it: 1 in an ellipse, falling to 0 over a few pixels. */
export const ellipse = (size: number, rx = 0.7, ry = 0.85): Pixels =>
  square(size, (x, y) => Math.min(1, Math.max(0, 0.5 + (1 - Math.hypot(x / rx, y / ry)) * 12)))

/** A model that paints with a function. */
export function swapper(
  resolution: number,
  paint: (dst: Pixels, index: number) => Pixels,
  mask: Pixels = ellipse(resolution),
): Swapper {
  let index = 0
  const one = (dst: Pixels): Swap => ({ face: paint(dst, index++), mask, dstMask: mask })
  return { faceType: 'full_face', resolution, swap: async (faces) => faces.map(one) }
}

/** Paints what it is given. */
export const identity = (resolution: number, mask?: Pixels): Swapper => swapper(resolution, (dst) => dst, mask)

/** Paints one colour. */
export const painted = (resolution: number, rgb: readonly [number, number, number], mask?: Pixels): Swapper =>
  swapper(resolution, (dst) => ({ ...dst, data: dst.data.map((_, i) => rgb[i % 3]!) }), mask)

/** Whether two pictures have the same samples; many times quicker than `toEqual`. */
export const same = (a: Pick<Bitmap, 'data'>, b: Pick<Bitmap, 'data'>): boolean =>
  a.data.length === b.data.length && a.data.every((value, i) => value === b.data[i])
