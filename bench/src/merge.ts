import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { openSwapper, presetNamed, START_WEIGHTS, startWeights } from '@dfl/cli'
import { type FaceType, type OptionsOf, resolveOptions } from '@dfl/core'
import { State } from '@dfl/engine'
import { type MergeProgress, mergeVideo, type Swapper } from '@dfl/merge'
import { df } from '@dfl/model-df'
import { saehd } from '@dfl/model-saehd'
import { countParams, type FaceModel, initialise } from '@dfl/nn'
import { benchArguments } from './bench-arguments.js'
import { demoClip, facesetOf } from './footage.js'
import { inOpenCv, networkAlone, recorded, withFaceMasks } from './merge-pixels.js'
import { findPython, OPENCV } from './python.js'
import { type BenchContext, type Outcome, round, table } from './report.js'
import { clipsAt, goingOn, runsOf } from './stage-runs.js'

/** Merging end to end: network compiled, video decoded, faces painted and pasted, video encoded, anew in every round. */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values, positionals } = benchArguments(
    args,
    {
      rounds: { type: 'string', default: '3', about: 'rounds, of which medians are told' },
      heights: { type: 'string', about: 'heights the clip is scaled to, with commas between them' },
      networks: {
        type: 'string',
        default: 'standard,saehd,saehd-256',
        about:
          "networks that are merged with, with commas between them: presets, and saehd with DeepFaceLab's defaults or, as saehd-256, with another resolution",
      },
      'from-scratch': { type: 'boolean', about: 'random weights in place of those that new models start from' },
      'no-install': { type: 'boolean', about: 'do not install OpenCV; do without where it is not there' },
    },
    "a clip; the demo's if none is given",
  )
  const python = await findPython(OPENCV, !values['no-install'])
  const path = positionals[0] ?? demoClip('dst')
  const clips = await clipsAt(path, values.heights ?? (positionals[0] ? '' : '720'), context)
  const jobs: Job[] = []
  for (const clip of clips)
    for (const name of values.networks.split(','))
      jobs.push({
        clip,
        network: networkNamed(name),
        fromScratch: values['from-scratch'],
        python: 'path' in python ? python.path : undefined,
        faces: await facesetOf(clip, { label: 'dst', side: 'dst', embedEvery: 0 }, context),
      })
  const rounds = Number(values.rounds)
  const { text, found } = await runsOf(
    jobs.map((job, i) => () => mergeOnce(job, (line) => context.say(`merge ${i + 1} of ${jobs.length}: ${line}`))),
    {
      path,
      rounds,
      names: jobs.map(({ clip, network }) => `${basename(clip)}, ${network.name} (${network.model.resolution} px)`),
      head: 'clip, network',
      parts: ['cpu', 'load', 'decode', 'swap', 'merge', 'encode', 'join'],
    },
  )
  const weights = values['from-scratch']
    ? 'Networks have random weights: their masks cover the whole square, the most work there can be.'
    : 'Networks have the weights that new models start from; where there are none, random ones and the outline of a face as mask.'
  const merges = found.map((one, i) => {
    const { clip, network } = jobs[i]!
    return { clip: basename(clip), network: network.name, resolution: network.model.resolution, ...one }
  })
  const missing = 'missing' in python ? `\nOpenCV was skipped: ${python.missing}.` : ''
  return {
    text: `${text}\n${weights}\n\n${sharesText(merges)}${missing}`,
    data: { footage: basename(path), rounds, fromScratch: values['from-scratch'], merges },
  }
}

/** What each share of the work would reach by itself, as a table. */
function sharesText(merges: readonly ({ clip: string; network: string } & Shares)[]): string {
  const or = (value: number, digits: number) => (Number.isNaN(value) ? '–' : value.toFixed(digits))
  return [
    table(
      [
        'clip, network',
        ...['pixels alone', 'cpu ms', 'network alone', 'cpu ms', 'of the network', 'of the cores'],
        ...['OpenCV', 'cpu ms', 'to OpenCV', 'on whole frames', 'cpu ms', 'to that'],
      ],
      merges.map((one) => [
        `${one.clip}, ${one.network}`,
        ...[or(one.pixelsFps, 1), or(one.pixelsCpuMs, 0), or(one.networkFps, 1), or(one.networkCpuMs, 0)],
        ...[or(one.ofNetwork, 2), or(one.ofCores, 2)],
        ...[or(one.openCvFps, 1), or(one.openCvCpuMs, 0), or(one.toOpenCv, 2)],
        ...[or(one.wholeFramesFps, 1), or(one.wholeFramesCpuMs, 0), or(one.toWholeFrames, 2)],
      ]),
    ),
    '',
    'Frames a second, and milliseconds of processor time a frame: of pixel stages and codecs without the network, once going; of the',
    'network by itself; and of the same stages in NumPy and OpenCV, around the face and on whole frames. "of the network" is the whole',
    'merge as a share of what the network alone reaches, "of the cores" of what the cores could do if they shared all the work of both',
    'and never waited; "to OpenCV" is pixels alone as a multiple of it.',
  ].join('\n')
}

/** What each share of the work would reach by itself; not numbers where there is no OpenCV. */
interface Shares {
  pixelsFps: number
  pixelsCpuMs: number
  networkFps: number
  networkCpuMs: number
  /** The whole merge, once going, as a share of the network alone. */
  ofNetwork: number
  /** The same as a share of the frames for which the cores' time is enough, network and pixels together. */
  ofCores: number
  openCvFps: number
  openCvCpuMs: number
  /** Pixels alone as a multiple of OpenCV. */
  toOpenCv: number
  /** The same where OpenCV lays faces into whole frames. */
  wholeFramesFps: number
  wholeFramesCpuMs: number
  toWholeFrames: number
}

/** Frames whose faces go to the network at once, as `mergeVideo` has it. */
const BATCH_FRAMES = 4

interface Job {
  clip: string
  network: Network
  faces: string
  /** Random weights, and masks as they come of them. */
  fromScratch: boolean
  /** A Python with OpenCV. */
  python: string | undefined
}

/** A network to merge with. */
interface Network {
  name: string
  model: FaceModel
  faceType: FaceType
  /** The weights that a new model of it starts from; nothing where those are random. */
  weights: () => ReturnType<typeof startWeights>
}

/** A preset's network, or DeepFaceLab's SAEHD at its defaults, or at another resolution. */
function networkNamed(name: string): Network {
  const asked = /^saehd(?:-(\d+))?$/.exec(name)
  if (asked) {
    const model = saehd.build(resolveOptions(saehd.options, asked[1] ? { resolution: Number(asked[1]) } : {}))
    return { name, model, faceType: 'full_face', weights: async () => undefined }
  }
  const { architecture, faceType } = presetNamed(name)
  const model = df.build(resolveOptions(df.options, architecture) as OptionsOf<typeof df.options>)
  return { name, model, faceType, weights: () => startWeights(START_WEIGHTS, architecture) }
}

/**
 * One merge into a folder that is removed again: seconds in all and of each part; then the same without the network, the
 * network without the rest, and the rest in OpenCV.
 */
async function mergeOnce({ clip, network, faces, fromScratch, python }: Job, say: (line: string) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'dfl-bench-'))
  const { model, faceType } = network
  const state = new State(initialise(model.params, 1))
  const weights = fromScratch ? undefined : await network.weights()
  for (const [name, tensor] of Object.entries(weights ?? {})) state.set(name, tensor)
  const merged = async (name: string, swapper: Swapper, began: number) => {
    let last: MergeProgress | undefined
    let first: { at: number; frames: number; cpu: NodeJS.CpuUsage } | undefined
    let reported = began
    const out = join(folder, `${name}.mp4`)
    for await (const report of mergeVideo({ frames: clip, faces, swapper, out, batchFrames: BATCH_FRAMES })) {
      last = report
      reported = performance.now()
      first ??= { at: reported, frames: report.done, cpu: process.cpuUsage() }
      say(`${name}: frame ${report.done} of ${report.frames}, ${report.fps.toFixed(1)} frames/s`)
    }
    const ended = performance.now()
    const { user, system } = process.cpuUsage(first!.cpu)
    const { done: frames, framesWithFaces, seconds } = last!
    const total = (ended - began) / 1000
    const join_ = (ended - reported) / 1000
    const going = goingOn({ began, ended: reported, frames }, first!)
    const cpuMs = (user + system) / 1000 / Math.max(1, frames - first!.frames)
    return { fps: frames / total, ...going, frames, framesWithFaces, total, ...seconds, join: join_, cpuMs }
  }
  try {
    const began = performance.now()
    const before = process.cpuUsage()
    await using painter = await openSwapper({ description: { faceType }, model, state })
    const real = fromScratch || weights ? painter : await withFaceMasks(painter, faces)
    const load = (performance.now() - began) / 1000
    const record = recorded(real)
    const { cpuMs: _, ...whole } = await merged('merge', record.swapper, began)
    const { user, system } = process.cpuUsage(before)
    const cpu = (user + system) / 1e6
    const millions = round(countParams(model.params) / 1e6, 1)
    const alone = await networkAlone(real, record, BATCH_FRAMES)
    const pixels = await merged('pixels', record.replay, performance.now())
    const cv = python ? await inOpenCv(python, { clip, faces, frames: whole.frames, folder }, record) : undefined
    const shares: Shares = {
      ...{ pixelsFps: pixels.goingFps, pixelsCpuMs: pixels.cpuMs },
      ...{ networkFps: alone.fps, networkCpuMs: alone.cpuMs, ofNetwork: whole.goingFps / alone.fps },
      ofCores: (whole.goingFps * (alone.cpuMs + pixels.cpuMs)) / (1000 * availableParallelism()),
      ...{ openCvFps: cv?.around.fps ?? Number.NaN, openCvCpuMs: cv?.around.cpuMs ?? Number.NaN },
      toOpenCv: cv ? pixels.goingFps / cv.around.fps : Number.NaN,
      ...{ wholeFramesFps: cv?.whole.fps ?? Number.NaN, wholeFramesCpuMs: cv?.whole.cpuMs ?? Number.NaN },
      toWholeFrames: cv ? pixels.goingFps / cv.whole.fps : Number.NaN,
    }
    return { ...whole, millions, cpu, load, ...shares }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
