import type { Pixels } from '@dfl/core'

const WINDOW = 9

/**
 * How blurred a picture is, 0 sharp .. 1: what is left of the change between neighbouring pixels when the picture is
 * blurred once more, the larger of across and down. A blurred picture loses little.
 *
 * @param gray [H, W, 1]
 * Source: Crété-Roffet, Dolmière, Ladret, Nicolas 2007, https://doi.org/10.1117/12.702790 (window of 9 pixels)
 */
export function blurEffect({ data, width, height }: Pixels): number {
  return Math.max(
    along(data, { lines: height, length: width, step: 1, next: width }),
    along(data, { lines: width, length: height, step: width, next: 1 }),
  )
}

/** The same along rows or along columns. */
function along(
  data: Float32Array,
  { lines, length, step, next }: { lines: number; length: number; step: number; next: number },
): number {
  const half = (WINDOW - 1) / 2
  let [sharp, lost] = [0, 0]
  const blurred = new Float64Array(length)
  for (let line = 0; line < lines; line++) {
    const at = (i: number) => data[line * next + Math.max(0, Math.min(length - 1, i)) * step]
    let sum = 0
    for (let i = -half; i <= half; i++) sum += at(i)
    for (let i = 0; i < length; i++) {
      blurred[i] = sum / WINDOW
      sum += at(i + half + 1) - at(i - half)
    }
    for (let i = 1; i < length; i++) {
      const before = Math.abs(at(i) - at(i - 1))
      sharp += before
      lost += Math.max(0, before - Math.abs(blurred[i] - blurred[i - 1]))
    }
  }
  return sharp === 0 ? 1 : (sharp - lost) / sharp
}
