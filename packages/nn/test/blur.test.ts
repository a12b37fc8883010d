import { Random } from '@dfl/core'
import type { tf } from '@dfl/engine'
import { describe, expect, it } from 'vitest'
import { blurOutMask } from '../src/index.js'
import { evaluate, expectClose } from './evaluate.js'

const R = 16

/** A face of 6 px in the middle: 1 inside, half on its outline, 0 elsewhere. */
const mask = Float32Array.from({ length: R * R }, (_, i) => {
  const from = Math.max(Math.abs((i % R) - 7.5), Math.abs(Math.floor(i / R) - 7.5))
  return from < 3 ? 1 : from < 4 ? 0.5 : 0
})

const blurredOut = async (data: ArrayLike<number>, where: ArrayLike<number> = mask) => {
  const given = { x: { shape: [1, R, R, 3], data }, m: { shape: [1, R, R, 1], data: where } }
  const { value } = await evaluate(given, ({ x, m }) => ({ value: blurOutMask(x as tf.Tensor4D, m as tf.Tensor4D) }))
  return value.data
}

const noise = (random = new Random(1)) => Float32Array.from({ length: 3 * R * R }, () => random.uniform())

describe('a background that is blurred', () => {
  it('stays as it is where it is even, up to the border of the image', async () => {
    const even = Float32Array.from({ length: 3 * R * R }, (_, i) => [0.2, 0.5, 0.9][i % 3]!)
    expectClose(await blurredOut(even), even, 1e-5)
  })

  it('leaves the face as it is and takes nothing of it in', async () => {
    const image = noise()
    const inside = (i: number) => mask[Math.floor(i / 3)] === 1
    const got = await blurredOut(image)
    expectClose(
      got.filter((_, i) => inside(i)),
      image.filter((_, i) => inside(i)),
      1e-5,
    )
    const other = await blurredOut(image.map((value, i) => (inside(i) ? 1 - value : value)))
    expectClose(
      other.filter((_, i) => !inside(i)),
      got.filter((_, i) => !inside(i)),
      1e-5,
    )
  })

  it('varies less from pixel to pixel than it did', async () => {
    const roughness = (image: ArrayLike<number>) => {
      let sum = 0
      for (let i = 3; i < 3 * R * R; i++)
        if (mask[Math.floor(i / 3)] === 0 && Math.floor(i / 3) % R > 0) sum += Math.abs(image[i]! - image[i - 3]!)
      return sum
    }
    const image = noise()
    expect(roughness(await blurredOut(image))).toBeLessThan(0.5 * roughness(image))
  })

  it('is nowhere in an image that is all face', async () => {
    const image = noise()
    expectClose(await blurredOut(image, new Float32Array(R * R).fill(1)), image, 1e-5)
  })
})
