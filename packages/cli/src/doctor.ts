import { mkdtemp, readFile, realpath, rm, statfs } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, freemem, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { isDflError } from '@dfl/core'
import { quickestOf } from '@dfl/engine'
import { attentionMesh, blazeFace, dlibEmbedder, profileLandmarker, selfieSegmenter } from '@dfl/extract'
import { bitmapFrame, createVideo, encodeImage, readImage, type VideoInfo } from '@dfl/media'
import { devicesHere } from './devices-here.js'
import { sayDuration } from './events.js'
import { networkCost, presetCosts } from './preset-costs.js'
import { sayBytes, sayMs } from './training-cost.js'

/** One thing that was looked at. */
export interface Check {
  name: string
  state: 'ok' | 'warning' | 'problem'
  found: string
  /** What to do about it. */
  advice?: string
}

const GB = 1e9

/** Looks at everything the program needs on this machine, one answer after the other. Takes about twenty seconds. */
export async function* examine(folder: string): AsyncGenerator<Check> {
  yield nodeVersion()
  yield processor()
  yield memory()
  yield await disk(folder)
  yield await attempt('ONNX Runtime', 'onnxruntime-node', '@dfl/engine', trainOneStep)
  yield await devices()
  yield await attempt('pictures', 'sharp', '@dfl/media', encodeOnePicture)
  yield await attempt('video', 'node-av', '@dfl/media', encodeOneVideo)
  yield await attempt('detector', '@vladmandic/face-api', '@dfl/extract', async () => {
    for (const load of [blazeFace, attentionMesh, profileLandmarker, dlibEmbedder])
      await (await load())[Symbol.asyncDispose]()
    return 'finds faces, reads landmarks, tells people apart'
  })
  yield await attempt('head masks', '@mediapipe/selfie_segmentation', '@dfl/extract', async () => {
    await (await selfieSegmenter())[Symbol.asyncDispose]()
    return 'parts heads from what is behind them'
  })
  yield await presets()
}

function nodeVersion(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const found = `Node ${process.versions.node} on ${process.platform} ${process.arch}`
  if (major > 20 || (major === 20 && minor >= 19)) return { name: 'Node', state: 'ok', found }
  return { name: 'Node', state: 'problem', found, advice: 'Install Node 20.19 or newer.' }
}

function processor(): Check {
  const cores = availableParallelism()
  const found = `${cores} ${cores === 1 ? 'core' : 'cores'}${cpus()[0]?.model ? ` of ${cpus()[0]!.model.trim()}` : ''}`
  if (cores >= 2) return { name: 'processor', state: 'ok', found }
  return { name: 'processor', state: 'warning', found, advice: 'It works, but slowly: two cores or more are meant.' }
}

function memory(): Check {
  const found = `${(freemem() / GB).toFixed(1)} of ${(totalmem() / GB).toFixed(1)} GB free`
  if (freemem() > 2 * GB) return { name: 'memory', state: 'ok', found }
  return {
    name: 'memory',
    state: 'warning',
    found,
    advice: 'Close other programs, or train with --cache-megabytes 512 and the preset quick.',
  }
}

async function disk(folder: string): Promise<Check> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const found = `${(free / GB).toFixed(1)} GB free here`
  if (free > 5 * GB) return { name: 'disk', state: 'ok', found }
  const advice = 'A minute of footage takes about 200 MB of faces and 100 MB of result: make room for yours.'
  return { name: 'disk', state: free > GB ? 'warning' : 'problem', found, advice }
}

/** Whether something works, with the version of the package behind it. */
async function attempt(name: string, dependency: string, usedBy: string, work: () => Promise<string>): Promise<Check> {
  const version = await installedVersion(dependency, usedBy)
  const label = `${dependency} ${version ?? '(version unknown)'}`
  try {
    return { name, state: 'ok', found: `${label}: ${await work()}` }
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    const advice = isDflError(error)
      ? 'Install again with npm or pnpm, without leaving out optional packages.'
      : 'Install again; if that does not help, report this with the output of dfl doctor --debug.'
    return { name, state: 'problem', found: `${label} does not work: ${reason}`, advice }
  }
}

async function encodeOnePicture(): Promise<string> {
  const picture = { data: new Uint8Array(3 * 64).fill(100), width: 8, height: 8, channels: 3 } as const
  const { width } = await readImage(await encodeImage({ ...picture }, 'png'))
  return width === 8 ? 'reads and writes PNG' : 'reads pictures at a wrong size'
}

/** Which encoders write a video here, by writing one with each codec. */
async function encodeOneVideo(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dfl-doctor-'))
  const timeBase = { num: 1, den: 25 }
  const bitmap = { data: new Uint8Array(3 * 128 * 128).fill(100), width: 128, height: 128, channels: 3 } as const
  const works: string[] = []
  const fails: string[] = []
  try {
    for (const [codec, ending] of [
      ['h264', 'mp4'],
      ['h265', 'mp4'],
      ['ffv1', 'mkv'],
      ['prores', 'mov'],
    ] as const) {
      try {
        await using sink = await createVideo(join(folder, `${codec}.${ending}`), { like: plainClip(timeBase), codec })
        for (let index = 0; index < 3; index++)
          await sink.write(bitmapFrame({ ...bitmap }, { index, pts: index, timeBase, name: String(index) }))
        await sink.finish()
        works.push(`${codec} (${sink.encoder})`)
      } catch (error) {
        if (codec === 'h264') throw error
        fails.push(codec)
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return `writes ${works.join(', ')}${fails.length > 0 ? `; not ${fails.join(', ')}` : ''}`
}

const plainClip = (timeBase: VideoInfo['timeBase']): VideoInfo => ({
  path: 'doctor',
  width: 128,
  height: 128,
  rotationDegrees: 0,
  sampleAspectRatio: { num: 1, den: 1 },
  frameRate: { num: timeBase.den, den: timeBase.num },
  variableFrameRate: false,
  frameCount: 3,
  frameCountIsEstimate: false,
  durationSeconds: 0.12,
  timeBase,
  codec: 'png',
  pixelFormat: 'rgb24',
  bitDepth: 8,
  color: { primaries: 'bt709', transfer: 'bt709', matrix: 'gbr', range: 'full' },
  chromaSite: 'center',
  audio: [],
  metadata: {},
})

async function trainOneStep(): Promise<string> {
  await networkCost({ resolution: 32, aeDims: 16, eDims: 8, dDims: 8, dMaskDims: 4, subpixel: false }, 4)
  return 'trains'
}

/** Where models can run here. One that is quicker than the CPU is worth a hint; one that is missing is no fault. */
async function devices(): Promise<Check> {
  const reports = await devicesHere().catch((error: Error) => error)
  if (reports instanceof Error) return { name: 'devices', state: 'warning', found: reports.message }
  const working = reports.filter(({ works }) => works).sort((a, b) => a.ms! - b.ms!)
  // What no package here is made for, or nobody installed, is not missed.
  const missing = reports.filter(({ works, reason }) => !works && !/^(ONNX Runtime's package|neither) /.test(reason!))
  const ms = (time: number) => `${time < 10 ? time.toFixed(1) : time.toFixed(0)} ms`
  const found = [
    working
      .map(({ device, ms: time, halfMs }) => {
        // A CPU goes by way of 32 bits: its time would tell nothing to choose by.
        const half = halfMs === undefined ? ', has no 16-bit floats' : `, ${ms(halfMs)} in 16-bit floats`
        return `${device} (${ms(time!)} for a little work${device === 'cpu' ? '' : half})`
      })
      .join(', '),
    ...missing.map(({ device, reason }) => `not ${device}: ${reason}`),
  ].join('; ')
  const best = quickestOf(reports)
  if (best === 'cpu') return { name: 'devices', state: 'ok', found }
  return { name: 'devices', state: 'ok', found: `${found}. Quickest: --device ${best}` }
}

/** Iterations of the preset quick, from the weights that come with this package, that a first likeness took. */
const FIRST_LIKENESS = 800

/** What the presets take on this machine, and what that means. */
async function presets(): Promise<Check> {
  const name = 'presets'
  try {
    const costs: Awaited<ReturnType<typeof networkCost>>[] = []
    const said: string[] = []
    for await (const cost of presetCosts()) {
      costs.push(cost)
      const time = cost.ms === undefined ? 'not measured, less memory is free' : `${sayMs(cost.ms)} an iteration`
      said.push(`${cost.presets.join(', ')}: ${time}, ${sayBytes(cost.memory.total)} of memory`)
    }
    const found = said.join('; ')
    const ms = costs[0]?.ms
    if (ms === undefined) return { name, state: 'warning', found, advice: 'Close other programs.' }
    const seconds = (FIRST_LIKENESS * ms) / 1000
    if (seconds <= 600)
      return { name, state: 'ok', found: `${found}. First likeness after about ${sayDuration(seconds)}` }
    const advice = `Give it time: dfl run --preset quick --time ${Math.ceil(seconds / 60)}m`
    return { name, state: 'warning', found, advice }
  } catch (error) {
    const found = (error instanceof Error ? error.message.split('\n')[0] : String(error)) || 'failed'
    return { name, state: 'problem', found, advice: 'Report this with the output of dfl doctor --debug.' }
  }
}

/** The version of a package as another one finds it. */
async function installedVersion(name: string, usedBy: string): Promise<string | undefined> {
  const find = async (wanted: string, from: string): Promise<string | undefined> => {
    for (const folder of createRequire(from).resolve.paths(wanted) ?? []) {
      const manifest = await realpath(join(folder, wanted, 'package.json')).catch(() => undefined)
      if (manifest) return manifest
    }
    return undefined
  }
  const user = await find(usedBy, import.meta.url)
  const manifest = user && (await find(name, user))
  return manifest ? (JSON.parse(await readFile(manifest, 'utf8')) as { version: string }).version : undefined
}
