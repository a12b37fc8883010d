/** An exact fraction, as containers store times and rates. */
export interface Rational {
  num: number
  den: number
}

/** The fraction as a number; 0 where it stands for "unknown" (0/0). */
export const toNumber = (q: Rational) => (q.den === 0 ? 0 : q.num / q.den)

/** The exact fraction meant by a frame rate: 29.97 is 30000/1001, 12.5 is 12500/1000. */
export function toFrameRate(fps: number): Rational {
  if (Number.isInteger(fps)) return { num: fps, den: 1 }
  const ntsc = Math.round(fps * 1.001)
  if (Math.abs((ntsc * 1000) / 1001 - fps) < 0.006) return { num: ntsc * 1000, den: 1001 }
  return { num: Math.round(fps * 1000), den: 1000 }
}

/** `ticks` of the clock `from` in ticks of the clock `to`, rounded to the nearest. */
export function rescale(ticks: number, from: Rational, to: Rational): number {
  const num = BigInt(from.num) * BigInt(to.den)
  const den = BigInt(from.den) * BigInt(to.num)
  if (num === den) return ticks
  const scaled = 2n * BigInt(ticks) * num + den
  const doubled = 2n * den
  const floor = scaled / doubled - (scaled < 0n && scaled % doubled !== 0n ? 1n : 0n)
  return Number(floor)
}
