import type { Pixels } from '@dfl/core'
import { gaussianBlur, meanAndStd, rgbToGray, rgbToLab } from '@dfl/image'

/** How well a swap fits at the border of the face. */
export interface BorderAgreement {
  /** ΔE*ab of the step in colour that the swap made, beyond what DST has there itself. */
  color: number
  /** Grain just inside over grain just outside, over the same of DST: 1 fits, below is smoother. */
  grain: number
}

/** The bands of a face's outline, [H, W, 1] each. */
export interface Bands {
  inside: Pixels
  outside: Pixels
}

/**
 * How well a swap fits what surrounds it: the colours and the grain of a band inside the face's outline against those of
 * a band outside, and against how DST itself is there.
 *
 * A step is a fault of the swap only where the change of the picture ends: where it goes on behind the outline, as that of a
 * true swap of the whole head does, what is different there is how the other head looks. A square that was pasted is told by
 * its straight sides, wherever they are.
 *
 * @param result [H, W, 3] @param dst [H, W, 3] the same face, upright.
 * Source: grain by Immerkær 1996, https://doi.org/10.1006/cviu.1996.0060
 */
export function borderAgreement(result: Pixels, dst: Pixels, bands: Bands): BorderAgreement {
  const { inside, outside } = bands
  const step = (picture: Pixels) => {
    const lab = rgbToLab(picture)
    const [a, b] = [meanAndStd(lab, inside).mean, meanAndStd(lab, outside).mean]
    return [0, 1, 2].map((k) => a[k] - b[k])
  }
  const [now, before] = [step(result), step(dst)]
  const change = changeOf(result, dst)
  const added = Math.hypot(...now.map((v, k) => v - before[k]))
  const ratio = (picture: Pixels) => {
    const gray = rgbToGray(picture)
    return (grain(gray, inside) + 1e-4) / (grain(gray, outside) + 1e-4)
  }
  return {
    color: Math.max(added * endsAt(change, bands), stepOfSquare(change)),
    grain: ratio(result) / ratio(dst),
  }
}

/** ΔE*ab of every pixel after a blur by 2 px, [H, W, 1]. */
function changeOf(a: Pixels, b: Pixels): Pixels {
  const [x, y] = [rgbToLab(gaussianBlur(a, 2)).data, rgbToLab(gaussianBlur(b, 2)).data]
  const { width, height } = a
  const data = new Float32Array(width * height)
  for (let i = 0; i < data.length; i++)
    data[i] = Math.hypot(x[3 * i] - y[3 * i], x[3 * i + 1] - y[3 * i + 1], x[3 * i + 2] - y[3 * i + 2])
  return { data, width, height, channels: 1 }
}

/**
 * The change on one side of the outline as a share of that on the other: up to a quarter is what a soft edge lets through;
 * rendered true swaps of the whole head have 0.63 to 0.87.
 */
const ENDS = 0.25
const GOES_ON = 0.75

/** 1 where the change ends at the outline, 0 where it goes on behind it. */
function endsAt(change: Pixels, { inside, outside }: Bands): number {
  const [a, b] = [meanAndStd(change, inside).mean[0], meanAndStd(change, outside).mean[0]]
  const share = Math.min(a, b) / Math.max(a, b, 1e-6)
  return Math.min(1, Math.max(0, (GOES_ON - share) / (GOES_ON - ENDS)))
}

/** Pixels between the two sides of a line that are compared, and how much of it must be an end of change. */
const ACROSS = 8
const STRAIGHT = 0.95

/**
 * Mean step in change along the sides of a square around the picture's middle, if at least three of its sides are ends of
 * change over nearly all of their length, which no outline of a head is: of rendered true swaps the third longest such line
 * has a share of 0.51.
 */
function stepOfSquare({ data, width, height }: Pixels): number {
  const side = (from: number, to: number, of: { length: number; at: (p: number, q: number) => number }) => {
    let best = { share: 0, step: 0 }
    for (let p = from + ACROSS / 2; p < to - ACROSS / 2; p++) {
      let [count, ends, step] = [0, 0, 0]
      for (let q = Math.floor(of.length / 4); q < (of.length * 3) / 4; q++) {
        const [a, b] = [of.at(p - ACROSS / 2, q), of.at(p + ACROSS / 2, q)]
        const [low, high] = [Math.min(a, b), Math.max(a, b)]
        count++
        step += high - low
        if (high > VISIBLE && low < ENDS * high) ends++
      }
      if (ends / count > best.share) best = { share: ends / count, step: step / count }
    }
    return best
  }
  const across = { length: height, at: (x: number, y: number) => data[y * width + x] }
  const down = { length: width, at: (y: number, x: number) => data[y * width + x] }
  const [halfX, halfY] = [width >> 1, height >> 1]
  const sides = [side(0, halfX, across), side(halfX, width, across), side(0, halfY, down), side(halfY, height, down)]
  const straight = sides.filter(({ share }) => share >= STRAIGHT)
  return straight.length < 3 ? 0 : straight.reduce((sum, { step }) => sum + step, 0) / straight.length
}

/** ΔE*ab that is just visible. */
const VISIBLE = 2

/** Standard deviation of noise inside a mask, from what is left of smooth surfaces and edges. */
function grain({ data, width, height }: Pixels, mask: Pixels): number {
  let [w, sum] = [0, 0]
  for (let y = 1; y + 1 < height; y++)
    for (let x = 1; x + 1 < width; x++) {
      const i = y * width + x
      const weight = mask.data[i]
      if (weight === 0) continue
      const corners = data[i - width - 1] + data[i - width + 1] + data[i + width - 1] + data[i + width + 1]
      const sides = data[i - width] + data[i + width] + data[i - 1] + data[i + 1]
      w += weight
      sum += weight * Math.abs(corners - 2 * sides + 4 * data[i])
    }
  return w === 0 ? 0 : (Math.sqrt(Math.PI / 2) * sum) / (6 * w)
}
