import type { Pixels } from '@dfl/core'
import { gaussianBlur, rgbToGray, rgbToLab } from '@dfl/image'

/** T of the paper for 0..255, squared and brought to 0..1. */
const STABLE = 170 / 255 ** 2

/**
 * Gradient magnitude similarity deviation: 0 for equal pictures, about 0.1 for visible damage, 0.3 for ruin. Sees blur,
 * noise and wrong shapes, hardly a shift of colour.
 *
 * @param a [H, W, 3] @param b [H, W, 3] @param mask [H, W, 1]: each place counts by its value.
 * Source: Xue, Zhang, Mou, Bovik 2014, https://doi.org/10.1109/TIP.2013.2293423; without its down-sampling
 */
export function gmsd(a: Pixels, b: Pixels, mask: Pixels): number {
  const [ga, gb] = [gradients(rgbToGray(a)), gradients(rgbToGray(b))]
  let [w, sum, squares] = [0, 0, 0]
  for (let i = 0; i < ga.length; i++) {
    const weight = mask.data[i]
    if (weight === 0) continue
    const similar = (2 * ga[i] * gb[i] + STABLE) / (ga[i] ** 2 + gb[i] ** 2 + STABLE)
    w += weight
    sum += weight * similar
    squares += weight * similar ** 2
  }
  return w === 0 ? 0 : Math.sqrt(Math.max(0, squares / w - (sum / w) ** 2))
}

/** Prewitt gradient magnitude at every pixel; edges repeat. */
function gradients({ data, width, height }: Pixels): Float64Array {
  const out = new Float64Array(width * height)
  for (let y = 0; y < height; y++) {
    const [above, here, below] = [Math.max(0, y - 1), y, Math.min(height - 1, y + 1)].map((row) => row * width)
    for (let x = 0; x < width; x++) {
      const [l, r] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)]
      const dx = data[above + r] + data[here + r] + data[below + r] - data[above + l] - data[here + l] - data[below + l]
      const dy =
        data[below + l] + data[below + x] + data[below + r] - data[above + l] - data[above + x] - data[above + r]
      out[here + x] = Math.hypot(dx, dy) / 3
    }
  }
  return out
}

/**
 * Mean colour difference ΔE*ab after a blur by 2 px: about 2 is just visible, 10 plain. Sees a shift of colour or
 * brightness, hardly a loss of detail.
 *
 * @param a [H, W, 3] @param b [H, W, 3] @param mask [H, W, 1]: each place counts by its value.
 * Source: CIE 1976; the blur stands for the eye's, as in Zhang and Wandell 1997, https://doi.org/10.1889/1.1985127
 */
export function colorDifference(a: Pixels, b: Pixels, mask: Pixels): number {
  const [x, y] = [rgbToLab(gaussianBlur(a, 2)), rgbToLab(gaussianBlur(b, 2))]
  let [w, sum] = [0, 0]
  for (let i = 0; i < mask.data.length; i++) {
    const weight = mask.data[i]
    if (weight === 0) continue
    const k = 3 * i
    w += weight
    sum += weight * Math.hypot(x.data[k] - y.data[k], x.data[k + 1] - y.data[k + 1], x.data[k + 2] - y.data[k + 2])
  }
  return w === 0 ? 0 : sum / w
}

/**
 * Share of the face, 0..1, where the result still is DST: what the pasted mask left uncovered. Skin of the same colour
 * counts as uncovered, so it is an upper bound.
 *
 * @param result [H, W, 3] @param dst [H, W, 3] @param face [H, W, 1] where DST's face is.
 */
export function uncoveredArea(result: Pixels, dst: Pixels, face: Pixels): number {
  const [a, b] = [gaussianBlur(result, 1), gaussianBlur(dst, 1)]
  let [w, same] = [0, 0]
  for (let i = 0; i < face.data.length; i++) {
    const weight = face.data[i]
    if (weight === 0) continue
    w += weight
    const k = 3 * i
    const change = Math.max(
      Math.abs(a.data[k] - b.data[k]),
      Math.abs(a.data[k + 1] - b.data[k + 1]),
      Math.abs(a.data[k + 2] - b.data[k + 2]),
    )
    if (change < UNCHANGED) same += weight
  }
  return w === 0 ? 0 : same / w
}

/** What encoding a video anew changes at most, about. */
const UNCHANGED = 2.5 / 255
