import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { type ExtractProgress, extractFaceset } from '@dfl/extract'
import { openFrames } from '@dfl/media'
import { clipAtHeight, demoClip } from './footage.js'
import { type BenchContext, interleaved, medians, type Outcome, round, table } from './report.js'

/** Extraction end to end: networks loaded, video decoded, faces found, aligned and written, anew in every round. */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '3' }, heights: { type: 'string' } },
  })
  const path = positionals[0] ?? demoClip('dst')
  const heights = (values.heights ?? (positionals[0] ? '' : '720,360')).split(',').filter(Boolean).map(Number)
  const clips = heights.length === 0 ? [path] : []
  for (const height of heights) clips.push(await clipAtHeight(path, height, context))
  const rounds = Number(values.rounds)
  const runs = await interleaved(
    rounds,
    clips.map((clip, i) => () => extractOnce(clip, (line) => context.say(`clip ${i + 1} of ${clips.length}: ${line}`))),
  )
  const sizes = await Promise.all(clips.map(sizeOf))
  const found = clips.map((_, i) => {
    const { framesWithFaces, faces, frames, ...times } = medians(runs[i]!)
    const fps = runs[i]!.map((one) => round(one.fps, 2))
    return { size: sizes[i]!, frames, framesWithFaces, faces, ...times, fpsOfRounds: fps }
  })
  const parts = ['load', 'decode', 'detect', 'landmarks', 'embed', 'warp', 'write'] as const
  return {
    text: [
      table(
        ['clip', 'frames/s', 'frames', 'with a face', 'seconds', ...parts.map((part) => `${part} s`)],
        found.map((one) => [
          one.size,
          one.fps.toFixed(1),
          one.frames,
          one.framesWithFaces,
          one.total.toFixed(1),
          ...parts.map((part) => one[part].toFixed(1)),
        ]),
      ),
      '',
      `Medians of ${rounds} interleaved rounds of ${basename(path)}. Parts overlap, so they add up to more than the seconds that passed.`,
    ].join('\n'),
    data: { footage: basename(path), rounds, clips: found },
  }
}

/** One extraction into a folder that is removed again: seconds in all and of each part. */
async function extractOnce(clip: string, say: (line: string) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'dfl-bench-'))
  try {
    const began = performance.now()
    let last: ExtractProgress | undefined
    for await (const report of extractFaceset(clip, join(folder, 'faces'), { side: 'dst' })) {
      last = report
      say(`frame ${report.framesDone} of ${report.frameCount}, ${report.fps.toFixed(1)} frames/s`)
    }
    const total = (performance.now() - began) / 1000
    const { framesDone: frames, framesWithFaces, faces, seconds, fps } = last!
    const running = frames / fps
    return { fps: frames / total, frames, framesWithFaces, faces, total, load: total - running, ...seconds }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function sizeOf(clip: string): Promise<string> {
  await using source = await openFrames(clip)
  return `${source.info.width}x${source.info.height}`
}
