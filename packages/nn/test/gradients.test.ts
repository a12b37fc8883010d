import { Random } from '@dfl/core'
import { tf } from '@dfl/engine'
import { describe, expect, it } from 'vitest'
import {
  backgroundStyle,
  type Decoded,
  eyesMouth,
  faceLosses,
  faceStyle,
  gan,
  initialise,
  type Loss,
  masks,
  type Params,
  pixels,
  type SideView,
  smoothness,
  softOutline,
  structure,
  surroundings,
  trueFace,
} from '../src/index.js'
import { evaluate } from './evaluate.js'

const R = 32
const settings = {
  ...{
    resolution: R,
    codeShape: [8, 8, 3] as const,
    maskedTraining: true,
    eyesMouthPrio: 300,
    faceStylePower: 10,
    bgStylePower: 10,
  },
  ...{ trueFacePower: 0.5, ganPower: 0.1, ganPatchSize: 0, ganDims: 4 },
}

/** A view in which `painted` is what the model painted, whoever asks for it. */
function viewOf(painted: Decoded, given: Record<string, tf.Tensor>): SideView {
  const input = (name: string) => given[name] as tf.Tensor4D
  const outline = softOutline(input('mask'))
  return {
    side: 'dst',
    resolution: R,
    target: input('target'),
    mask: input('mask'),
    outline,
    painted,
    inside: (x) => tf.mul(x, outline),
    input,
    paint: (as, learning) =>
      as === 'src' && learning !== 'nothing' ? painted : { face: input('other'), mask: input('otherMask') },
    code: () => tf.slice(painted.face, [0, 0, 0, 0], [1, 8, 8, 3]),
  }
}

const random = new Random(5)
const smooth = (channels: number, shift: number) => ({
  shape: [1, R, R, channels],
  data: Array.from({ length: R * R * channels }, (_, i) => {
    const [y, x] = [Math.floor(i / channels / R), Math.floor(i / channels) % R]
    return 0.5 + 0.3 * Math.sin(y / 4 + shift) * Math.cos(x / 5 + shift) + 0.1 * random.uniform()
  }),
})
const tensors = {
  face: smooth(3, 0),
  paintedMask: smooth(1, 1),
  /** Face and mask side by side. */
  painted: smooth(4, 0.3),
  target: smooth(3, 0.7),
  mask: smooth(1, 2),
  eyesMouth: smooth(1, 3),
  other: smooth(3, 4),
  otherMask: smooth(1, 5),
}

const rms = (values: ArrayLike<number>) =>
  Math.sqrt(Array.from(values).reduce((total, v) => total + v * v, 0) / values.length)

/** The slope of a function of one tensor, given by name: by its gradient, and by its values on both sides. */
async function slopes(
  name: string,
  loss: Loss,
  f: (at: tf.Tensor, given: Record<string, tf.Tensor>) => tf.Tensor,
): Promise<[gradient: number, difference: number]> {
  const critics = Object.entries(initialise(loss.critic?.params ?? {}, 1)).map(([path, value]) => [
    `critic/${path}`,
    value,
  ])
  const all: Record<string, { shape: readonly number[]; data: ArrayLike<number> }> = {
    ...tensors,
    ...Object.fromEntries(critics),
  }
  const { shape, data } = all[name]!
  const sum = (at: tf.Tensor, given: Record<string, tf.Tensor>) => tf.sum(f(at, given)) as tf.Scalar
  const found = await evaluate(all, (given) => ({ gradient: tf.grad((at) => sum(at, given))(given[name]!) }))
  const g = found.gradient.data
  const size = rms(g)
  // Partly along the gradient, so that the slope is no small difference of large numbers.
  const direction = { shape, data: Array.from(g, (v) => v / size + random.uniform(-1, 1)) }
  // Small beside the values themselves; smaller where leaky rectifiers bend the way at many places.
  const step = (loss.critic && name !== 'painted' ? 2e-4 : 2e-3) * rms(data)
  const { up, down } = await evaluate({ ...all, direction }, (given) => {
    const moved = (by: number) => sum(tf.add(given[name]!, tf.mul(given.direction!, by)), given)
    return { up: moved(step), down: moved(-step) }
  })
  const slope = direction.data.reduce((total, v, i) => total + v * g[i]!, 0)
  return [slope, (up.data[0]! - down.data[0]!) / (2 * step)]
}

/** The parameters of a loss's critic, one of them replaced. */
const criticOf = ({ critic }: Loss, given: Record<string, tf.Tensor>, changed: Params = {}): Params =>
  Object.fromEntries(Object.keys(critic?.params ?? {}).map((path) => [path, changed[path] ?? given[`critic/${path}`]!]))

const losses: Loss[] = [
  ...structure(R, 'two'),
  pixels(10),
  masks(10),
  surroundings(1),
  eyesMouth(300),
  faceStyle(10),
  backgroundStyle(10),
  smoothness(1e-6),
  trueFace(settings),
  gan(settings),
]

describe.each(losses.map((loss) => [loss.name, loss] as const))('the loss %s', (_, loss) => {
  it('has a gradient that says how it changes', async () => {
    const [gradient, difference] = await slopes('painted', loss, (painted, given) => {
      const [face, mask] = tf.split(painted, [3, 1], 3) as [tf.Tensor4D, tf.Tensor4D]
      return loss.of(viewOf({ face, mask }, given), criticOf(loss, given))
    })
    expect(Math.abs(gradient)).toBeGreaterThan(1e-7)
    expect(Math.abs(gradient - difference)).toBeLessThan(0.02 * Math.abs(difference) + 5e-5)
  })
})

describe.each(losses.filter(({ critic }) => critic).map((loss) => [loss.name, loss] as const))(
  'the critic of %s',
  (_, loss) => {
    const weights = Object.keys(loss.critic!.params).filter((path) => path.endsWith('/weight'))
    it.each([weights[0]!, weights.at(-1)!])('has a gradient of %s that says how it changes', async (path) => {
      const [gradient, difference] = await slopes(`critic/${path}`, loss, (weight, given) => {
        const src = viewOf({ face: given.face as tf.Tensor4D, mask: given.paintedMask as tf.Tensor4D }, given)
        const dst = viewOf({ face: given.other as tf.Tensor4D, mask: given.otherMask as tf.Tensor4D }, given)
        return loss.critic!.loss(criticOf(loss, given, { [path]: weight }), { src, dst })
      })
      expect(Math.abs(gradient)).toBeGreaterThan(1e-5)
      expect(Math.abs(gradient - difference)).toBeLessThan(0.02 * Math.abs(difference) + 5e-5)
    })
  },
)

describe('faceLosses', () => {
  const names = (change: object) =>
    faceLosses({ ...settings, ...change }).map(({ name, weight }) => `${name} ${weight}`)

  it('are those of DeepFaceLab with the powers as weights', () => {
    expect(names({})).toEqual([
      'dssim 10',
      'mse 10',
      'mask 10',
      'surroundings 1',
      'eyes_mouth 300',
      `face_style ${0.1 * (10_000 / 3)}`,
      'bg_style 1',
      'true_face 0.5',
      'gan 0.1',
      'smoothness 0.000001',
    ])
    const none = { eyesMouthPrio: 0, faceStylePower: 0, bgStylePower: 0, trueFacePower: 0, ganPower: 0 }
    expect(names({ ...none, maskedTraining: false, resolution: 256 })).toEqual([
      'dssim 5',
      'dssim_fine 5',
      'mse 10',
      'mask 10',
    ])
  })

  it('refuse true face where an architecture shows no code', () => {
    expect(() => faceLosses({ ...settings, codeShape: undefined })).toThrow(
      'Expected 0 for `trueFacePower`, but got 0.5. This architecture shows no code that SRC and DST share: DF does.',
    )
  })
})
