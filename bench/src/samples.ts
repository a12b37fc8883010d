import { median } from '@dfl/core'
import { createSampler, openFaceset } from '@dfl/faceset'
import { benchArguments } from './bench-arguments.js'
import { demoClip, facesetOf } from './footage.js'
import { type BenchContext, interleaved, type Outcome, round, table } from './report.js'

const BATCH = 4
const FACE_TYPE = 'full_face'

/** Samples that training could draw: faces kept in memory, random warp, batches of both sides. */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values } = benchArguments(args, {
    rounds: { type: 'string', default: '5', about: 'rounds, of which medians are told' },
    seconds: { type: 'string', default: '2', about: 'seconds of a round' },
    resolutions: { type: 'string', default: '64,128,256', about: 'resolutions of the model, with commas between them' },
    workers: { type: 'string', default: '0,1', about: 'numbers of worker threads, with commas between them' },
  })
  const numbers = (list: string) => list.split(',').map(Number)
  const options = { label: 'samples', embedEvery: 0, faceType: FACE_TYPE, everyNth: 4 } as const
  const src = await openFaceset(await facesetOf(demoClip('src'), options, context))
  const dst = await openFaceset(await facesetOf(demoClip('dst'), options, context))
  const cases = numbers(values.resolutions).flatMap((resolution) =>
    numbers(values.workers).map((workers) => ({ resolution, workers })),
  )
  const faces = src.info.count + dst.info.count
  const sampling = { src, dst, faceType: FACE_TYPE, batchSize: BATCH, seed: 1 } as const
  const samplers = await Promise.all(cases.map((one) => createSampler({ ...sampling, ...one })))
  try {
    const steps = cases.map(() => 0)
    const draw = async (i: number, seconds: number): Promise<number> => {
      const began = performance.now()
      const first = steps[i]!
      while (performance.now() - began < 1000 * seconds) await samplers[i]!.batch(steps[i]!++)
      return ((steps[i]! - first) * 2 * BATCH) / ((performance.now() - began) / 1000)
    }
    for (const [i, { resolution, workers }] of cases.entries()) {
      context.say(`warming up: ${resolution} px, ${workers} workers`)
      // Once every face was drawn, all of them are decoded and cut.
      while (steps[i]! * BATCH < Math.max(src.info.count, dst.info.count)) await samplers[i]!.batch(steps[i]!++)
    }
    const rates = await interleaved(
      Number(values.rounds),
      cases.map(({ resolution, workers }, i) => () => {
        context.say(`${resolution} px, ${workers} workers`)
        return draw(i, Number(values.seconds))
      }),
    )
    const found = cases.map((one, i) => ({ ...one, samplesPerSecond: round(median(rates[i]!), 1) }))
    return {
      text: [
        table(
          ['resolution', 'workers', 'samples/s', 'ms per batch'],
          found.map(({ resolution, workers, samplesPerSecond }) => [
            `${resolution} px`,
            workers,
            samplesPerSecond.toFixed(0),
            ((2000 * BATCH) / samplesPerSecond).toFixed(1),
          ]),
        ),
        '',
        `Medians of ${values.rounds} interleaved rounds; batches of ${BATCH} samples of each side from ${faces} faces in memory.`,
        'Training on a CPU needs one batch an iteration and its cores for itself: ms per batch is what sampling takes from it.',
      ].join('\n'),
      data: { rounds: Number(values.rounds), batchSize: BATCH, faces, samplers: found },
    }
  } finally {
    for (const sampler of samplers) await sampler[Symbol.asyncDispose]()
  }
}
