import type { Figure } from './html.js'

/** What a number is to be taken for. Lower is better unless `good` lies above `fair`. */
export function grade(value: number, good: number, fair: number): Figure['verdict'] {
  const sign = good > fair ? 1 : -1
  return sign * value >= sign * good ? 'good' : sign * value >= sign * fair ? 'fair' : 'poor'
}
