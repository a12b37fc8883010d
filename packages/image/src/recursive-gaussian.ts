import type { LineFilter } from './blur.js'

/*
 * Deriche's fourth-order fit: for x >= 0 in units of sigma,
 * exp(-x² / 2) ≈ (A cos(p x) + B sin(p x)) exp(-a x) + (C cos(q x) + D sin(q x)) exp(-b x).
 */
const [A, B, a, p] = [1.68, 3.735, 1.783, 0.6318]
const [C, D, b, q] = [-0.6803, -0.2598, 1.723, 1.997]

/**
 * A Gaussian blur of one line in constant time per sample: a causal filter of fourth order plus its mirror image.
 *
 * Beyond the ends lies 0, or the end sample for ever (the filters start in the state that a constant leads to).
 *
 * Source: Deriche 1993, INRIA RR-1893
 */
export function recursiveGaussian(sigmaPx: number, replicate: boolean): LineFilter {
  // Each damped oscillation is a section of second order: (n0 + n1 z) / (1 + d1 z + d2 z²), z being a delay of one.
  const section = (cos: number, sin: number, decay: number, turn: number) => {
    const e = Math.exp(-decay / sigmaPx)
    const c = Math.cos(turn / sigmaPx)
    const s = Math.sin(turn / sigmaPx)
    return { n0: cos, n1: e * (sin * s - cos * c), d1: -2 * e * c, d2: e * e }
  }
  const first = section(A, B, a, p)
  const second = section(C, D, b, q)
  const gainOf = ({ n0, n1, d1, d2 }: typeof first) => (n0 + n1) / (1 + d1 + d2)
  // The centre sample belongs to both halves: the mirrored one leaves it out.
  const norm = 1 / (2 * (gainOf(first) + gainOf(second)) - (A + C))
  const { n0: f0, n1: f1, d1: fd1, d2: fd2 } = first
  const { n0: s0, n1: s1, d1: sd1, d2: sd2 } = second
  const fit: Fit = { f0, f1, fd1, fd2, s0, s1, sd1, sd2, norm, firstGain: gainOf(first), secondGain: gainOf(second) }
  let causal = new Float64Array(0)
  return (line, length) => {
    if (causal.length < length) causal = new Float64Array(length)
    blurLine(line, length, causal, { fit, replicate })
  }
}

/** The two sections of the causal filter, what their sum is scaled by, and what they lead a constant 1 to. */
interface Fit {
  f0: number
  f1: number
  fd1: number
  fd2: number
  s0: number
  s1: number
  sd1: number
  sd2: number
  norm: number
  firstGain: number
  secondGain: number
}

/** A function of its own, as those that are made for each picture are never compiled well. `causal` is overwritten. */
function blurLine(
  line: Float64Array,
  length: number,
  causal: Float64Array,
  { fit, replicate }: { fit: Fit; replicate: boolean },
): void {
  const { f0, f1, fd1, fd2, s0, s1, sd1, sd2, norm, firstGain, secondGain } = fit
  let x1 = replicate ? line[0] : 0
  let u1 = x1 * firstGain
  let u2 = u1
  let v1 = x1 * secondGain
  let v2 = v1
  for (let i = 0; i < length; i++) {
    const x = line[i]
    const u = f0 * x + f1 * x1 - fd1 * u1 - fd2 * u2
    const v = s0 * x + s1 * x1 - sd1 * v1 - sd2 * v2
    causal[i] = u + v
    x1 = x
    u2 = u1
    u1 = u
    v2 = v1
    v1 = v
  }
  x1 = replicate ? line[length - 1] : 0
  u1 = u2 = x1 * firstGain
  v1 = v2 = x1 * secondGain
  for (let i = length - 1; i >= 0; i--) {
    const x = line[i]
    const u = f0 * x + f1 * x1 - fd1 * u1 - fd2 * u2
    const v = s0 * x + s1 * x1 - sd1 * v1 - sd2 * v2
    line[i] = (causal[i] + u + v - (f0 + s0) * x) * norm
    x1 = x
    u2 = u1
    u1 = u
    v2 = v1
    v1 = v
  }
}
