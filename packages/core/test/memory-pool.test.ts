import { describe, expect, it } from 'vitest'
import { memoryPool } from '../src/index.js'

describe('memoryPool', () => {
  it('gives memory that was given back before it makes more', () => {
    let made = 0
    const pool = memoryPool((bytes) => {
      made++
      return new ArrayBuffer(bytes)
    })
    const [a, b] = [pool.take(100), pool.take(100)]
    expect(a).not.toBe(b)
    pool.give(a)
    expect(pool.take(2 ** 20)).toBe(a)
    expect(made).toBe(2)
  })

  it('lets a piece that is too small make way for a larger one', () => {
    const pool = memoryPool((bytes) => new ArrayBuffer(bytes))
    const small = pool.take(10)
    pool.give(small)
    const large = pool.take(3 * 2 ** 20)
    expect(large.byteLength).toBe(3 * 2 ** 20)
    pool.give(large)
    expect([pool.take(10), pool.take(10)]).not.toContain(small)
  })
})
