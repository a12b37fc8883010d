import { defineConfig } from '@dfl/cli'
import { defineOptions } from '@dfl/core'
import { tf } from '@dfl/engine'
import {
  activation,
  chain,
  checkImages,
  conv,
  convParams,
  depthToSpace,
  faceEncoder,
  faceInter,
  faceModelOptions,
  resBlock,
  upBlock,
} from '@dfl/nn'

// [1]
const { resolution, aeDims, eDims, dDims } = faceModelOptions
const options = defineOptions({
  resolution: { ...resolution, multipleOf: 32 },
  ...{ aeDims, eDims, dDims },
  people: {
    type: 'string',
    default: 'carol',
    fixed: true,
    description: 'Names of further people, with commas between.',
  },
})

/** @type {import('@dfl/nn').ModelArchitecture<typeof options>} */
export const people = {
  name: 'people',
  source: 'One encoder, a decoder for each of many people: Naruniec et al. 2020, https://doi.org/10.1111/cgf.14062',
  options,
  build({ resolution: R, aeDims: A, eDims: E, dDims: D, people: further }) {
    // [2]
    const names = further.split(',').filter((name) => name !== '')
    const variant = { deep: false, cosine: false }
    const encoder = faceEncoder('encoder', { ...variant, resolution: R, dims: E, pixelNorm: true })
    const inter = faceInter('inter', { ...variant, inputs: encoder.outputs, codeDims: A, side: R / 32, outputs: A })
    const trunk = chain([upBlock('trunk/up', A, 8 * D, activation()), resBlock('trunk/res', 8 * D, activation())])
    const heads = ['src', 'dst', ...names].map((who) => {
      const path = `decoder_${who}`
      return [
        who,
        path,
        chain([upBlock(`${path}/up1`, 8 * D, 4 * D, activation()), upBlock(`${path}/up2`, 4 * D, 2 * D, activation())]),
      ]
    })
    return {
      resolution: R,
      params: Object.assign(
        {},
        ...[encoder, inter, trunk].map(({ params }) => params),
        ...heads.map(([, path, head]) => ({ ...head.params, ...convParams(`${path}/out`, 3, 2 * D, 4 * 4) })),
      ),
      encode(params, x) {
        checkImages(x, R)
        return [trunk.apply(params, inter.apply(params, encoder.apply(params, x)))] // [N, R/8, R/8, 8·D]
      },
      decode(params, [common], as) {
        const [, path, head] = heads.find(([who]) => who === as)
        const y = conv(params, `${path}/out`, head.apply(params, common)) // [N, R/2, R/2, 16]
        const [face, mask] = tf.split(tf.sigmoid(depthToSpace(y)), [3, 1], 3) // [N, R, R, 3] and [N, R, R, 1]
        return { face, mask }
      },
      people: names,
    }
  },
}

// [3]
export default defineConfig({
  architectures: [people],
  people: { carol: '../out/people/carol/src/aligned' },
  losses: [
    {
      name: 'brightness',
      weight: 0.1,
      of: ({ target, painted }) => tf.square(tf.sub(tf.mean(target, [1, 2, 3]), tf.mean(painted.face, [1, 2, 3]))),
    },
  ],
  augmentations: [
    {
      name: 'exposure',
      apply({ warped }, { random }) {
        const factor = random.uniform(0.9, 1.1)
        for (let i = 0; i < warped.length; i++) warped[i] = Math.min(1, warped[i] * factor)
      },
    },
  ],
  recipes: [
    {
      name: 'two-steps',
      assumes: 'Nothing: twenty iterations make no likeness.',
      phases: [
        { name: 'learn', until: { iterations: 10 }, learningRate: [5e-4, 5e-4], randomWarp: true, eyesMouthPrio: 0 },
        {
          name: 'settle',
          until: { iterations: 10 },
          learningRate: [2e-4, 5e-5],
          randomWarp: false,
          eyesMouthPrio: 300,
        },
      ],
    },
  ],
})

// [1] Options as others have them, and one of its own. Users set them with flags where the names are known there.
// [2] What all people have in common goes through encoder, inter and trunk; each has a small decoder of their own.
// [3] What `dfl` then knows by name. Paths of facesets are relative to this file.
