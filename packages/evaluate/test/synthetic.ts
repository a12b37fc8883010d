import { Random } from '@dfl/core'
import type { FaceAnalysis } from '../src/index.js'

/**
 * An analysis of a face whose embedding lies `toDst` of the way from SRC's to DST's, with some noise.
 *
 * Landmarks are those of a flat face 100 px wide; `mouth` and `eyes` open it by that share of their width.
 */
export function analysis(face: {
  toDst: number
  yawDegrees: number
  mouth: number
  eyes: number
  seed: number
  shift?: readonly [number, number]
}): FaceAnalysis {
  const random = new Random(face.seed)
  const embedding = Array.from({ length: 128 }, (_, i) => {
    const src = Math.sin(i * 12.9) * 0.1
    const dst = Math.cos(i * 7.3) * 0.1
    return src + face.toDst * (dst - src) + 0.01 * random.normal()
  })
  const [dx, dy] = face.shift ?? [0, 0]
  const landmarks = Array.from({ length: 68 }, (_, i): readonly [number, number] => {
    const [x, y] = place(i, face)
    return [x + dx, y + dy]
  })
  return { embedding, landmarks, pose: { yawDegrees: face.yawDegrees, pitchDegrees: 0, rollDegrees: 0 } }
}

function place(i: number, { mouth, eyes }: { mouth: number; eyes: number }): [number, number] {
  if (i < 17) return [-50 + i * 6.25, 60 * Math.sin((Math.PI * i) / 16)]
  if (i < 27) return [-45 + (i - 17) * 10, -30]
  if (i < 31) return [0, -20 + (i - 27) * 8]
  if (i < 36) return [-10 + (i - 31) * 5, 8]
  if (i < 48) return ring(i < 42 ? -25 : 25, -18, 8, 8 * eyes, (i - 36) % 6, 6)
  if (i < 60) return ring(0, 30, 22, 4 + 22 * mouth, i - 48, 12)
  return ring(0, 30, 18, 18 * mouth, i - 60, 8)
}

/** Points clockwise on an ellipse from its left end, as landmarks go round eyes and mouth. */
function ring(x: number, y: number, rx: number, ry: number, k: number, count: number): [number, number] {
  const angle = Math.PI + (2 * Math.PI * k) / count
  return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)]
}
