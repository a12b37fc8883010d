import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { presetNamed } from '@dfl/cli'
import { type OptionsOf, resolveOptions } from '@dfl/core'
import { State } from '@dfl/engine'
import { type MergeProgress, mergeVideo, type Swapper } from '@dfl/merge'
import { df } from '@dfl/model-df'
import { countParams, initialise } from '@dfl/nn'
import { createPainter } from '@dfl/trainer'
import { clipAtHeight, demoClip, facesetOf } from './footage.js'
import { type BenchContext, interleaved, medians, type Outcome, round, table } from './report.js'

/** Merging end to end: network compiled, video decoded, faces painted and pasted, video encoded, anew in every round. */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      heights: { type: 'string' },
      presets: { type: 'string', default: 'standard' },
    },
  })
  const path = positionals[0] ?? demoClip('dst')
  const heights = (values.heights ?? (positionals[0] ? '' : '720')).split(',').filter(Boolean).map(Number)
  const clips = heights.length === 0 ? [path] : []
  for (const height of heights) clips.push(await clipAtHeight(path, height, context))
  const jobs: Job[] = []
  for (const clip of clips)
    for (const preset of values.presets.split(','))
      jobs.push({ clip, preset, faces: await facesetOf(clip, { label: 'dst', side: 'dst', embedEvery: 0 }, context) })
  const rounds = Number(values.rounds)
  const runs = await interleaved(
    rounds,
    jobs.map((job, i) => () => mergeOnce(job, (line) => context.say(`merge ${i + 1} of ${jobs.length}: ${line}`))),
  )
  const found = jobs.map(({ clip, preset }, i) => ({
    clip: basename(clip),
    preset,
    resolution: networkOf(preset).resolution,
    ...medians(runs[i]!),
    fpsOfRounds: runs[i]!.map((one) => round(one.fps, 2)),
  }))
  const parts = ['load', 'decode', 'swap', 'merge', 'encode', 'join'] as const
  return {
    text: [
      table(
        ['clip, network', 'frames/s', 'frames', 'with a face', 'seconds', ...parts.map((part) => `${part} s`)],
        found.map((one) => [
          `${one.clip}, ${one.preset} (${one.resolution} px)`,
          one.fps.toFixed(1),
          one.frames,
          one.framesWithFaces,
          one.total.toFixed(1),
          ...parts.map((part) => one[part].toFixed(1)),
        ]),
      ),
      '',
      `Medians of ${rounds} interleaved rounds. The network has random weights: its masks cover the whole square, the most work there can be.`,
      'Parts overlap, so they add up to more than the seconds that passed.',
    ].join('\n'),
    data: { footage: basename(path), rounds, merges: found },
  }
}

interface Job {
  clip: string
  preset: string
  faces: string
}

const networkOf = (preset: string) =>
  df.build(resolveOptions(df.options, presetNamed(preset).architecture) as OptionsOf<typeof df.options>)

/** One merge into a folder that is removed again: seconds in all and of each part. */
async function mergeOnce({ clip, preset, faces }: Job, say: (line: string) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'dfl-bench-'))
  const model = networkOf(preset)
  const state = new State(initialise(model.params, 1))
  try {
    const began = performance.now()
    await using painter = await createPainter(model, state)
    const load = (performance.now() - began) / 1000
    const swapper: Swapper = {
      faceType: presetNamed(preset).faceType,
      resolution: model.resolution,
      async swap(crops) {
        const painted = await painter.paint(crops)
        return painted.map(({ face, mask }) => ({ face: face.src, mask: mask.src, dstMask: mask.dst }))
      },
    }
    let last: MergeProgress | undefined
    let reported = began
    for await (const report of mergeVideo({ frames: clip, faces, swapper, out: join(folder, 'out.mp4') })) {
      last = report
      reported = performance.now()
      say(`frame ${report.done} of ${report.frames}, ${report.fps.toFixed(1)} frames/s`)
    }
    const ended = performance.now()
    const { done: frames, framesWithFaces, seconds } = last!
    const total = (ended - began) / 1000
    const join_ = (ended - reported) / 1000
    const millions = round(countParams(model.params) / 1e6, 1)
    return { fps: frames / total, frames, framesWithFaces, millions, total, load, ...seconds, join: join_ }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
