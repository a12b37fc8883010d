import type { Bitmap, FaceMeta, FaceType, Point } from '@dfl/core'
import { Random } from '@dfl/core'

/** A face of 68 plausible landmarks: an oval jaw, brows, nose, eyes and mouth, in a square of `size` pixels. */
export function plausibleLandmarks(size: number): Point[] {
  const points: [number, number][] = []
  const arc = (n: number, cx: number, cy: number, rx: number, ry: number, from: number, to: number) => {
    for (let i = 0; i < n; i++) {
      const angle = ((from + ((to - from) * i) / Math.max(1, n - 1)) * Math.PI) / 180
      points.push([cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)])
    }
  }
  arc(17, 0.5, 0.5, 0.3, 0.36, 180, 0) // Jaw, from the left of the image over the chin: y points down.
  arc(5, 0.36, 0.44, 0.1, 0.05, 190, 350)
  arc(5, 0.64, 0.44, 0.1, 0.05, 190, 350)
  for (let i = 0; i < 4; i++) points.push([0.5, 0.46 + i * 0.04])
  arc(5, 0.5, 0.6, 0.06, 0.02, 180, 0)
  for (const cx of [0.38, 0.62]) arc(6, cx, 0.48, 0.05, 0.02, 180, 180 + 300)
  arc(12, 0.5, 0.7, 0.1, 0.05, 180, 180 + 330)
  arc(8, 0.5, 0.7, 0.08, 0.02, 180, 180 + 315)
  return points.map(([x, y]) => [x * size - 0.5, y * size - 0.5])
}

/** Metadata of a face, different for each `index`. */
export function syntheticFace(index: number, size = 64, faceType: FaceType = 'whole_face'): FaceMeta {
  const landmarks = plausibleLandmarks(size)
  return {
    filename: `${String(index).padStart(6, '0')}_0.png`,
    faceType,
    size,
    landmarks,
    sourceFilename: `clip.mp4#${index}`,
    frameIndex: index,
    timestampSeconds: index / 24,
    faceIndex: 0,
    sourceLandmarks: landmarks.map(([x, y]) => [x + 100, y + 50]),
    sourceRect: { x: 100, y: 50, width: size, height: size },
    imageToFaceMat: [1, 0, -100, 0, 1, -50],
    score: 0.9,
    pose: { yawDegrees: (index % 7) * 10 - 30, pitchDegrees: 0, rollDegrees: 0 },
  }
}

/** Smooth colours, different for each `index`, with some structure everywhere. */
export function syntheticImage(index: number, size = 64): Bitmap {
  const data = new Uint8Array(size * size * 3)
  const random = new Random(index)
  const phase = [random.uniform(0, 6), random.uniform(0, 6), random.uniform(0, 6)]
  for (let y = 0, i = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      for (let c = 0; c < 3; c++)
        data[i++] = 128 + 100 * Math.sin((x * (c + 1) * 6) / size + phase[c]) * Math.cos((y * 7) / size + phase[c])
  return { data, width: size, height: size, channels: 3 }
}
