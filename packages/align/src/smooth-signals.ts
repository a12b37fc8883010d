/** How far above what noise alone would leave the misfit of a window may lie, in standard deviations. */
const TOLERANCE = 2.5

/**
 * Signals freed of noise that is independent from sample to sample; all of them move together.
 *
 * At each time parabolas are laid through windows of growing size, up to the first that they explain worse than the noise
 * allows. The noise is the median misfit of the smallest windows: what moves only now and then does not count as noise.
 *
 * @param times  Rising, in seconds.
 * @param signals  Per time as many values of one unit.
 * @param wanted  Which of the times, from the first to before the last; all of them have a say.
 */
export function smoothSignals(
  times: readonly number[],
  signals: readonly (readonly number[])[],
  windowSeconds: number,
  wanted: readonly [from: number, to: number] = [0, times.length],
): number[][] {
  const count = times.length
  const windows = (i: number, half: number) => windowAt(times, i, half, windowSeconds)
  const smallest = times.map((_, i) => fit(times, signals, i, windows(i, 2)))
  const noise = median(smallest.filter((f) => f.freedom > 0).map((f) => f.misfit / f.freedom))
  return times.slice(...wanted).map((_, k) => {
    const i = wanted[0] + k
    let best = signals[i].slice()
    let before = -1
    for (let half = 2; half < count; half++) {
      const window = windows(i, half)
      if (window.last - window.first === before) break
      before = window.last - window.first
      const tried = half === 2 ? smallest[i] : fit(times, signals, i, window)
      if (tried.freedom <= 0) continue
      const allowed = noise * tried.freedom * (1 + TOLERANCE * Math.sqrt(2 / tried.freedom))
      if (tried.misfit > allowed) break
      best = tried.values
    }
    return best
  })
}

/** The samples from `first` to `last`, at most `half` on either side of `i` and all within half a window of its time. */
function windowAt(times: readonly number[], i: number, half: number, windowSeconds: number) {
  let first = i
  let last = i
  while (first > 0 && i - first < half && times[i] - times[first - 1] <= windowSeconds / 2) first--
  while (last + 1 < times.length && last - i < half && times[last + 1] - times[i] <= windowSeconds / 2) last++
  return { first, last }
}

/** Parabolas through one window: their values at sample `i`, the squares they leave, and how many of these are free. */
function fit(
  times: readonly number[],
  signals: readonly (readonly number[])[],
  i: number,
  { first, last }: { first: number; last: number },
) {
  const n = last - first + 1
  if (n < 4) return { values: signals[i].slice(), misfit: 0, freedom: 0 }
  const span = times[last] - times[first]
  const t = Array.from({ length: n }, (_, k) => (times[first + k] - times[i]) / span)
  const [a0, a1, a2, b1, b2, c2] = inverseNormal(t)
  const dimensions = signals[i].length
  const values: number[] = []
  let misfit = 0
  for (let d = 0; d < dimensions; d++) {
    // About the sample itself, so that squares of far-off coordinates do not cancel.
    const origin = signals[i][d]
    let squares = 0
    let sum = 0
    let slope = 0
    let bend = 0
    for (let k = 0; k < n; k++) {
      const y = signals[first + k][d] - origin
      squares += y * y
      sum += y
      slope += y * t[k]
      bend += y * t[k] * t[k]
    }
    const value = a0 * sum + a1 * slope + a2 * bend
    values.push(origin + value)
    const explained =
      value * sum + (a1 * sum + b1 * slope + b2 * bend) * slope + (a2 * sum + b2 * slope + c2 * bend) * bend
    misfit += Math.max(0, squares - explained)
  }
  return { values, misfit, freedom: dimensions * (n - 3) }
}

/**
 * The inverse of the symmetric matrix of sums of t⁰ to t⁴ that a parabola is fitted with: its upper half, row by row. It
 * exists for any three times that differ.
 */
function inverseNormal(t: readonly number[]): [number, number, number, number, number, number] {
  let [s1, s2, s3, s4] = [0, 0, 0, 0]
  for (const v of t) {
    s1 += v
    s2 += v * v
    s3 += v * v * v
    s4 += v * v * v * v
  }
  const s0 = t.length
  const [a, b, c] = [s2 * s4 - s3 * s3, s2 * s3 - s1 * s4, s1 * s3 - s2 * s2]
  const scale = 1 / (s0 * a + s1 * b + s2 * c)
  return [
    a * scale,
    b * scale,
    c * scale,
    (s0 * s4 - s2 * s2) * scale,
    (s1 * s2 - s0 * s3) * scale,
    (s0 * s2 - s1 * s1) * scale,
  ]
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
