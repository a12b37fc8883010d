import { describe, expect, it } from 'vitest'
import { roomFor, sharedRooms } from '../src/shared-room.js'

describe('sharedRooms', () => {
  it('holds copies of pictures side by side, each in its own kind, where other threads see them', () => {
    const roomOf = sharedRooms()
    const bytes = Uint8Array.from([1, 2, 3])
    const words = Uint16Array.from([4, 5])
    const floats = Float32Array.from([0.5, 0.25])
    const room = roomOf([bytes, words, floats].reduce((sum, data) => sum + roomFor(data), 0))
    const copies = [room.copy(bytes), room.copy(words), room.copy(floats)]
    expect(copies).toEqual([bytes, words, floats])
    for (const { buffer } of copies) expect(buffer).toBeInstanceOf(SharedArrayBuffer)
  })

  it('uses the memory of a room again that was given up, and of no other', () => {
    const roomOf = sharedRooms()
    const data = new Uint8Array(1000)
    const [first, second] = [roomOf(1000), roomOf(1000)]
    const [a, b] = [first.like(data).buffer, second.like(data).buffer]
    expect(a).not.toBe(b)
    first.free()
    expect(roomOf(1000).like(data).buffer).toBe(a)
  })
})
