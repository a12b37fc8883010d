import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type ExtractProgress, extractFaceset } from '@dfl/extract'
import { openFrames } from '@dfl/media'
import { benchArguments } from './bench-arguments.js'
import { demoClip } from './footage.js'
import type { BenchContext, Outcome } from './report.js'
import { clipsAt, goingOn, runsOf } from './stage-runs.js'

/** Extraction end to end: networks loaded, video decoded, faces found, aligned and written, anew in every round. */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values, positionals } = benchArguments(
    args,
    {
      rounds: { type: 'string', default: '3', about: 'rounds, of which medians are told' },
      heights: { type: 'string', about: 'heights the clip is scaled to, with commas between them' },
    },
    "a clip; the demo's if none is given",
  )
  const path = positionals[0] ?? demoClip('dst')
  const clips = await clipsAt(path, values.heights ?? (positionals[0] ? '' : '720,360'), context)
  const rounds = Number(values.rounds)
  const sizes = await Promise.all(clips.map(sizeOf))
  const cases = clips.flatMap((clip, i) => [false, true].map((fast) => ({ clip, size: sizes[i]!, fast })))
  const names = cases.map(({ size, fast }) => (fast ? `${size} --fast` : size))
  const { text, found } = await runsOf(
    cases.map((one, i) => () => extractOnce(one, (line) => context.say(`${names[i]}: ${line}`))),
    { path, rounds, names, head: 'clip', parts: ['cpu', 'decode', 'detect', 'landmarks', 'embed', 'warp', 'write'] },
  )
  const data = {
    footage: basename(path),
    rounds,
    clips: found.map((one, i) => ({ size: cases[i]!.size, fast: cases[i]!.fast, ...one })),
  }
  return { text, data }
}

/** One extraction into a folder that is removed again: seconds in all, of the processors, and of each part. */
async function extractOnce({ clip, fast }: { clip: string; fast: boolean }, say: (line: string) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'dfl-bench-'))
  try {
    const began = performance.now()
    const before = process.cpuUsage()
    let last: ExtractProgress | undefined
    let first: { at: number; frames: number } | undefined
    for await (const report of extractFaceset(clip, join(folder, 'faces'), { side: 'dst', fast })) {
      last = report
      if (report.framesDone > 0) first ??= { at: performance.now(), frames: report.framesDone }
      say(`frame ${report.framesDone} of ${report.frameCount}, ${report.fps.toFixed(1)} frames/s`)
    }
    const ended = performance.now()
    const total = (ended - began) / 1000
    const { user, system } = process.cpuUsage(before)
    const { framesDone: frames, framesWithFaces, faces, seconds } = last!
    const going = goingOn({ began, ended, frames }, first!)
    return {
      fps: frames / total,
      ...going,
      frames,
      framesWithFaces,
      faces,
      total,
      cpu: (user + system) / 1e6,
      ...seconds,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function sizeOf(clip: string): Promise<string> {
  await using source = await openFrames(clip)
  return `${source.info.width}x${source.info.height}`
}
