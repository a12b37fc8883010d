import type { Pixels } from '@dfl/core'
import { rgbToGray } from '@dfl/image'

/** The bands of a face's outline, [H, W, 1] each. */
export interface Bands {
  inside: Pixels
  outside: Pixels
}

/**
 * Grain just inside the face's outline over grain just outside, over the same of DST: 1 fits, below is smoother.
 *
 * @param result [H, W, 3] @param dst [H, W, 3] the same face, upright.
 * Source: Immerkær 1996, https://doi.org/10.1006/cviu.1996.0060
 */
export function borderGrain(result: Pixels, dst: Pixels, { inside, outside }: Bands): number {
  const ratio = (picture: Pixels) => {
    const gray = rgbToGray(picture)
    return (grain(gray, inside) + 1e-4) / (grain(gray, outside) + 1e-4)
  }
  return ratio(result) / ratio(dst)
}

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
