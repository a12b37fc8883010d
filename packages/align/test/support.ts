import { readFileSync } from 'node:fs'
import type { Landmarks, Point } from '@dfl/core'

export interface Footage {
  size: [width: number, height: number]
  fps: number
  frames: { lm68: Landmarks; yaw: number; pitch: number; roll: number }[]
}

/** Exact landmarks and pose of a rendered clip. */
export function footage(name: 'pair1-src' | 'pair1-dst' | 'pair1-truth'): Footage {
  return JSON.parse(readFileSync(new URL(`../../../examples/footage/${name}.json`, import.meta.url), 'utf8'))
}

export const distance = (a: Point, b: Point) => Math.hypot(a[0] - b[0], a[1] - b[1])

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

export function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (v: readonly number[]) => v.reduce((s, x) => s + x, 0) / v.length
  const [ma, mb] = [mean(a), mean(b)]
  const dot = (x: readonly number[], mx: number, y: readonly number[], my: number) =>
    x.reduce((s, v, i) => s + (v - mx) * (y[i] - my), 0)
  return dot(a, ma, b, mb) / Math.sqrt(dot(a, ma, a, ma) * dot(b, mb, b, mb))
}

export function largestDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - b[i])), 0)
}
