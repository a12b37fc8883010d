import { describe, expect, it } from 'vitest'
import { State } from '../src/index.js'

const two = () =>
  new State({ 'encoder/weight': { data: [1, 2, 3, 4, 5, 6], shape: [2, 3] }, step: { data: [7], shape: [] } })

describe('a state', () => {
  it('holds copies of the tensors it was given, by name', () => {
    const data = Float32Array.of(1, 2)
    const state = new State({ w: { data, shape: [2] } })
    data[0] = 9
    expect(state.names).toEqual(['w'])
    expect([state.has('w'), state.has('v')]).toEqual([true, false])
    expect(state.get('w')).toEqual({ data: Float32Array.of(1, 2), shape: [2] })
  })

  it('replaces tensors, by ones of other shapes too, and touches no others', () => {
    const state = two()
    state.set('step', { data: [8], shape: [] })
    state.set('encoder/weight', { data: Array.from({ length: 40_000 }, (_, i) => i), shape: [200, 200] })
    state.set('new', { data: [1, 2, 3], shape: [3] })
    expect(state.names).toEqual(['encoder/weight', 'step', 'new'])
    expect(state.get('step').data).toEqual(Float32Array.of(8))
    expect(state.get('encoder/weight').shape).toEqual([200, 200])
    expect(state.get('encoder/weight').data[39_999]).toBe(39_999)
    expect(state.get('new').data).toEqual(Float32Array.of(1, 2, 3))
  })

  it('gives snapshots that later changes do not reach', () => {
    const state = two()
    const all = state.snapshot()
    const some = state.snapshot((name) => name.startsWith('encoder/'))
    state.set('step', { data: [0], shape: [] })
    state.get('encoder/weight').data.fill(0)
    expect(all.step).toEqual({ data: Float32Array.of(7), shape: [] })
    expect(all['encoder/weight']!.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6))
    expect(Object.keys(some)).toEqual(['encoder/weight'])
    expect(new State(all).snapshot()).toEqual(all)
  })

  it('lays tensors where kernels of 16 bytes can read and write them whole', () => {
    const state = new State({
      a: { data: [1, 2, 3], shape: [3] },
      b: { data: [4], shape: [] },
      c: { data: [5, 6, 7, 8, 9], shape: [5] },
    })
    const places = ['a', 'b', 'c'].map((name) => state.address(name))
    expect(places.map((address) => address % 16)).toEqual([0, 0, 0])
    expect(places[1]! - places[0]!).toBeGreaterThanOrEqual(16)
    expect(places[2]! - places[1]!).toBeGreaterThanOrEqual(16)
  })

  it('says which name it does not know, and which it does', () => {
    expect(() => two().get('decoder/weight')).toThrow(
      'Expected a tensor of the state for `decoder/weight`, but there is none. It holds 2 tensors: encoder/weight, step …',
    )
  })

  it('refuses values that do not fill the shape', () => {
    expect(() => two().set('step', { data: [1, 2], shape: [3] })).toThrow(
      'Expected 3 values for `step` of shape [3], but got 2.',
    )
  })
})
