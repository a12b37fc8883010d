import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { openSwapper, presetNamed, START_WEIGHTS, startWeights } from '@dfl/cli'
import { type OptionsOf, resolveOptions } from '@dfl/core'
import { State } from '@dfl/engine'
import { type MergeProgress, mergeVideo } from '@dfl/merge'
import { df } from '@dfl/model-df'
import { countParams, initialise } from '@dfl/nn'
import { benchArguments } from './bench-arguments.js'
import { demoClip, facesetOf } from './footage.js'
import { type BenchContext, type Outcome, round } from './report.js'
import { clipsAt, goingOn, runsOf } from './stage-runs.js'

/** Merging end to end: network compiled, video decoded, faces painted and pasted, video encoded, anew in every round. */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values, positionals } = benchArguments(
    args,
    {
      rounds: { type: 'string', default: '3', about: 'rounds, of which medians are told' },
      heights: { type: 'string', about: 'heights the clip is scaled to, with commas between them' },
      presets: { type: 'string', default: 'standard', about: 'presets that are merged with, with commas between them' },
      'from-scratch': { type: 'boolean', about: 'random weights in place of those that new models start from' },
    },
    "a clip; the demo's if none is given",
  )
  const path = positionals[0] ?? demoClip('dst')
  const clips = await clipsAt(path, values.heights ?? (positionals[0] ? '' : '720'), context)
  const jobs: Job[] = []
  for (const clip of clips)
    for (const preset of values.presets.split(','))
      jobs.push({
        clip,
        preset,
        fromScratch: values['from-scratch'],
        faces: await facesetOf(clip, { label: 'dst', side: 'dst', embedEvery: 0 }, context),
      })
  const rounds = Number(values.rounds)
  const { text, found } = await runsOf(
    jobs.map((job, i) => () => mergeOnce(job, (line) => context.say(`merge ${i + 1} of ${jobs.length}: ${line}`))),
    {
      path,
      rounds,
      names: jobs.map(({ clip, preset }) => `${basename(clip)}, ${preset} (${networkOf(preset).resolution} px)`),
      head: 'clip, network',
      parts: ['cpu', 'load', 'decode', 'swap', 'merge', 'encode', 'join'],
    },
  )
  const weights = values['from-scratch']
    ? 'random weights: its masks cover the whole square, the most work there can be'
    : 'the weights that new models start from: its masks are faces'
  const merges = found.map((one, i) => {
    const { clip, preset } = jobs[i]!
    return { clip: basename(clip), preset, resolution: networkOf(preset).resolution, ...one }
  })
  return {
    text: `${text}\nThe network has ${weights}.`,
    data: { footage: basename(path), rounds, fromScratch: values['from-scratch'], merges },
  }
}

interface Job {
  clip: string
  preset: string
  faces: string
  /** Random weights instead of those that new models start from. */
  fromScratch: boolean
}

const networkOf = (preset: string) =>
  df.build(resolveOptions(df.options, presetNamed(preset).architecture) as OptionsOf<typeof df.options>)

/** One merge into a folder that is removed again: seconds in all and of each part. */
async function mergeOnce({ clip, preset, faces, fromScratch }: Job, say: (line: string) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'dfl-bench-'))
  const model = networkOf(preset)
  const state = new State(initialise(model.params, 1))
  const weights = fromScratch ? undefined : await startWeights(START_WEIGHTS, presetNamed(preset).architecture)
  for (const [name, tensor] of Object.entries(weights ?? {})) state.set(name, tensor)
  try {
    const began = performance.now()
    const before = process.cpuUsage()
    await using swapper = await openSwapper({ description: presetNamed(preset), model, state })
    const load = (performance.now() - began) / 1000
    let last: MergeProgress | undefined
    let reported = began
    let first: { at: number; frames: number } | undefined
    for await (const report of mergeVideo({ frames: clip, faces, swapper, out: join(folder, 'out.mp4') })) {
      last = report
      reported = performance.now()
      first ??= { at: reported, frames: report.done }
      say(`frame ${report.done} of ${report.frames}, ${report.fps.toFixed(1)} frames/s`)
    }
    const ended = performance.now()
    const { user, system } = process.cpuUsage(before)
    const { done: frames, framesWithFaces, seconds } = last!
    const total = (ended - began) / 1000
    const join_ = (ended - reported) / 1000
    const millions = round(countParams(model.params) / 1e6, 1)
    return {
      fps: frames / total,
      ...goingOn({ began, ended: reported, frames }, first!),
      frames,
      framesWithFaces,
      millions,
      total,
      cpu: (user + system) / 1e6,
      load,
      ...seconds,
      join: join_,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
