import { median } from '@dfl/core'

/** Faces whose yaw differs by no more than this are compared. */
const YAW_STEP_DEGREES = 15
/** Fewer faces of a pose say nothing about what is usual. */
const FEWEST = 12
/** Landmarks are only unusual where they lie this many times as far off as is common. */
const TIMES_USUAL = 3

/** A face's landmarks, [68 * 2] in sides of the aligned image. */
export interface Shape {
  filename: string
  landmarks: Float32Array
  yawDegrees: number
}

/**
 * The faces whose landmarks cannot be right: not in the order of a face (brows, eyes, nose, mouth, chin), or far from
 * where the other faces of that pose have theirs.
 *
 * @param most Mean distance from the median of the others, in sides of the aligned image.
 */
export function unusualShapes(shapes: readonly Shape[], most: number): string[] {
  const bad = new Set<string>()
  const bins = new Map<number, Shape[]>()
  for (const shape of shapes) {
    if (!isInOrder(shape.landmarks)) bad.add(shape.filename)
    const bin = Math.round(shape.yawDegrees / YAW_STEP_DEGREES)
    const others = bins.get(bin)
    if (others) others.push(shape)
    else bins.set(bin, [shape])
  }
  for (const [bin, own] of bins) {
    const near = [...own, ...(bins.get(bin - 1) ?? []), ...(bins.get(bin + 1) ?? [])]
    if (near.length < FEWEST) continue
    const usual = Float32Array.from({ length: 136 }, (_, i) => median(near.map(({ landmarks }) => landmarks[i]!)))
    const common = median(near.map(({ landmarks }) => deviation(landmarks, usual)))
    for (const { filename, landmarks } of own)
      if (deviation(landmarks, usual) > Math.max(most, TIMES_USUAL * common)) bad.add(filename)
  }
  return [...bad]
}

/** Whether brows, eyes, nose, mouth and chin come in this order from above. */
function isInOrder(landmarks: Float32Array): boolean {
  const height = (first: number, last: number) => {
    let sum = 0
    for (let i = first; i <= last; i++) sum += landmarks[2 * i + 1]!
    return sum / (last - first + 1)
  }
  const eyes = height(36, 47)
  const mouth = height(48, 67)
  return (
    height(17, 26) < eyes &&
    eyes < height(31, 35) &&
    height(31, 35) < mouth &&
    mouth < height(7, 9) &&
    mouth - eyes > 0.05
  )
}

function deviation(landmarks: Float32Array, usual: Float32Array): number {
  let sum = 0
  for (let i = 0; i < 136; i += 2) sum += Math.hypot(landmarks[i]! - usual[i]!, landmarks[i + 1]! - usual[i + 1]!)
  return sum / 68
}
