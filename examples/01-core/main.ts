import { DflError, defineOptions, hashSeed, isDflError, mapConcurrent, Random, resolveOptions, take } from '@dfl/core'

// [1]
const options = defineOptions({
  size: {
    type: 'number',
    default: 256,
    min: 16,
    max: 1024,
    multipleOf: 16,
    unit: 'px',
    description: 'Side of a face.',
  },
  mode: { type: 'choice', default: 'fast', choices: ['fast', 'good'], description: 'How hard to try.' },
})
console.log('options ', resolveOptions(options, { mode: 'good' }))

// [2]
try {
  resolveOptions(options, JSON.parse('{ "size": 100, "mode": "slow" }'))
} catch (error) {
  if (isDflError(error, 'BAD_OPTION')) console.log(error.message)
}

// [3]
const noise = (step: number) => new Random(hashSeed(7, 'warp', step)).uniform().toFixed(3)
console.log('steps 0 to 3, then 2 again:', [0, 1, 2, 3, 2].map(noise).join(' '))

// [4]
async function* frames() {
  try {
    for (let index = 0; ; index++) yield index
  } finally {
    console.log('the source was closed')
  }
}
const detect = async (frame: number) => {
  await new Promise((done) => setTimeout(done, 40 - 10 * (frame % 4)))
  if (frame > 100) throw new DflError('BAD_STATE', 'Expected nobody to come this far.')
  return `face of frame ${frame}`
}
for await (const face of take(mapConcurrent(frames(), detect, 4), 5)) console.log(face)

// [1] An option exists once: types, checks, command line flags and help texts all come from its table.
// [2] All mistakes of a call are told at once, each with what was expected and what came.
// [3] Random numbers hang on a seed, a purpose and a step, never on how many were drawn before: a run that is resumed at
//     step 2 draws what the uninterrupted one would have drawn.
// [4] Pipelines are functions over async iterables. Four frames are under way at once, results keep their order, and
//     leaving the loop early closes everything up to the endless source.
