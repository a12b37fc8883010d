import type { Pixels } from '@dfl/core'
import { kernels } from './kernels.js'

/*
 * Deriche's fourth-order fit: for x >= 0 in units of sigma,
 * exp(-x² / 2) ≈ (A cos(p x) + B sin(p x)) exp(-a x) + (C cos(q x) + D sin(q x)) exp(-b x).
 */
const [A, B, a, p] = [1.68, 3.735, 1.783, 0.6318]
const [C, D, b, q] = [-0.6803, -0.2598, 1.723, 1.997]

/**
 * Blurs all rows and columns by a Gaussian in constant time per sample, in place: a causal filter of fourth order plus its
 * mirror image.
 *
 * Beyond the ends lies 0, or the end sample for ever (the filters start in the state that a constant leads to).
 *
 * Source: Deriche 1993, INRIA RR-1893
 */
export function recursiveGaussian({ data, width, height, channels: c }: Pixels, sigmaPx: number, replicate: boolean) {
  const memory = kernels()
  const stride = width * c
  const longest = Math.max(width, height)
  const [dataAt, fitAt, scratch] = memory.room(data.byteLength, 88, longest * 64) as [number, number, number]
  memory.doubles(fitAt, 11).set(fitOf(sigmaPx))
  const samples = memory.floats(dataAt, data.length)
  samples.set(data)
  memory.call.blurLines(dataAt, height * c, c, stride * 4, c * 4, width, fitAt, replicate, scratch)
  memory.call.blurLines(dataAt, stride, stride, 0, stride * 4, height, fitAt, replicate, scratch)
  data.set(samples)
}

/** The two sections of the causal filter, what their sum is scaled by, and what they lead a constant 1 to. */
function fitOf(sigmaPx: number): number[] {
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
  const factors = [first, second].flatMap(({ n0, n1, d1, d2 }) => [n0, n1, d1, d2])
  return [...factors, norm, gainOf(first), gainOf(second)]
}
