import { expect, it } from 'vitest'
import { lazyKernels } from '../src/wasm.js'

/*
 * Of this in AssemblyScript:
 *   export function firstFree(): usize { return 20 }
 *   export function increment(at: usize): void { store<f32>(at, load<f32>(at) + 1) }
 */
const MODULE = Uint8Array.from(
  Buffer.from(
    'AGFzbQEAAAABCQJgAX8AYAABfwMDAgABBQMBAAAHIgMJZmlyc3RGcmVlAAEJaW5jcmVtZW50AAAGbWVtb3J5AgAKGQISACAAIAAqAgBDAACAP5I4AgALBABBFAs=',
    'base64',
  ),
)

it('compiles the module once, and gives room that grows as it is needed', () => {
  const kernels = lazyKernels<{ increment(at: number): void }>(MODULE)
  const memory = kernels()
  expect(kernels()).toBe(memory)
  const [first, second] = memory.room(20, 200_000) as [number, number]
  expect([first, second]).toEqual([32, 80])
  memory.floats(second, 50_000)[49_999] = 2
  memory.call.increment(second + 4 * 49_999)
  expect(memory.floats(second, 50_000)[49_999]).toBe(3)
  expect(memory.bytes(second, 4).byteOffset).toBe(80)
  expect(memory.words(second, 2).length + memory.integers(second, 3).length).toBe(5)
  expect(memory.doubles(second, 25_000).byteLength).toBe(200_000)
  const view = memory.viewLike(Buffer.from([1]), second, 4)
  expect([view.constructor, view.length, view.byteOffset]).toEqual([Uint8Array, 4, 80])
  expect(memory.viewLike(new Uint16Array(1), second, 4)).toBeInstanceOf(Uint16Array)
  expect(memory.viewLike(new Float32Array(1), second, 2).byteLength).toBe(8)
})
