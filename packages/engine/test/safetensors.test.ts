import { describe, expect, it } from 'vitest'
import { halvesToNumbers } from '../src/half.js'
import { decodeSafetensors, encodeSafetensors, halfToNumber, numberToHalf } from '../src/index.js'

const tensors = {
  weight: { data: Float32Array.of(1, -0.1, 3.25, 1e-7, 65504, 0), shape: [2, 3] },
  bias: { data: Float32Array.of(0.5), shape: [1] },
}

describe('a safetensors file', () => {
  it('gives back float32 as it was, with its words', () => {
    const bytes = encodeSafetensors(tensors, { about: 'a test' })
    expect(decodeSafetensors(bytes)).toEqual({ tensors, metadata: { about: 'a test' } })
  })

  it('holds float16 in half the space, right to 11 bits', () => {
    const bytes = encodeSafetensors(tensors, {}, 'float16')
    expect(bytes.length).toBeLessThan(encodeSafetensors(tensors).length)
    const { weight } = decodeSafetensors(bytes).tensors
    expect(weight!.shape).toEqual([2, 3])
    weight!.data.forEach((value, i) => {
      const exact = tensors.weight.data[i]!
      expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.max(2 ** -25, Math.abs(exact) * 2 ** -11))
    })
  })

  it('is refused where its entries do not fill their shapes', () => {
    const text = JSON.stringify({ weight: { dtype: 'F16', shape: [3], data_offsets: [0, 4] } })
    const bytes = new Uint8Array(8 + text.length + 4)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
    bytes.set(new TextEncoder().encode(text), 8)
    expect(() => decodeSafetensors(bytes, 'x.safetensors')).toThrow(
      'Expected a safetensors file for `x.safetensors`, but the entry `weight` does not describe float32 or float16 values inside it.',
    )
  })
})

it('every 16-bit float is the nearest to itself', () => {
  const all = Array.from({ length: 0x7c00 }, (_, bits) => bits)
  expect(all.filter((bits) => numberToHalf(halfToNumber(bits)) !== bits)).toEqual([])
  expect(numberToHalf(-2)).toBe(0xc000)
  expect(numberToHalf(1e9)).toBe(0x7bff)
  expect(numberToHalf(1 + 2 ** -11)).toBe(0x3c00)
  expect(numberToHalf(1 + 3 * 2 ** -11)).toBe(0x3c02)
})

it('many 16-bit floats are read as each of them is', () => {
  const bits = Uint16Array.from({ length: 0x10000 }, (_, i) => i)
  const { buffer } = halvesToNumbers(bits)
  const one = Float32Array.from(bits, halfToNumber)
  expect(Buffer.compare(Buffer.from(buffer), Buffer.from(one.buffer))).toBe(0)
})
