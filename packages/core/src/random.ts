/** A 32-bit hash of numbers and strings, for deriving seeds. Source: MurmurHash3 finaliser (public domain, A. Appleby). */
export function hashSeed(...parts: readonly (number | string)[]): number {
  let h = 0x9e3779b9
  for (const part of parts) {
    const text =
      typeof part === 'number' ? [part | 0, Math.floor(part / 2 ** 32) | 0] : [...part].map((c) => c.codePointAt(0)!)
    for (const word of text) {
      h = Math.imul(h ^ word, 0x85ebca6b)
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
      h ^= h >>> 16
    }
  }
  return h >>> 0
}

/**
 * Seeded random numbers, the same on every machine.
 *
 * A stream for a purpose comes from `new Random(hashSeed(seed, 'warp', step))`, so that nothing depends on how many
 * numbers something else drew, and a resumed run draws what the uninterrupted one would have drawn.
 *
 * Source: sfc32 by Chris Doty-Humphrey, PractRand (public domain).
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = hashSeed(seed, 1)
    this.#b = hashSeed(seed, 2)
    this.#c = hashSeed(seed, 3)
    for (let i = 0; i < 12; i++) this.uint32()
  }

  /** An integer from 0 to 2³² − 1. */
  uint32(): number {
    const t = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t
    return t >>> 0
  }

  /** A number from `low` (included) to `high` (excluded). */
  uniform(low = 0, high = 1): number {
    return low + ((high - low) * (this.uint32() + 0.5)) / 2 ** 32
  }

  /** An integer from 0 to `count` − 1. */
  integer(count: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * count)
  }

  /** Whether an event of the given probability happens. */
  chance(probability: number): boolean {
    return this.uniform() < probability
  }

  /** A standard normal number. Source: Box and Muller 1958, https://doi.org/10.1214/aoms/1177706645 */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** `items` in a new random order. Source: Fisher and Yates. */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.integer(i + 1)
      ;[out[i], out[j]] = [out[j]!, out[i]!]
    }
    return out
  }
}
