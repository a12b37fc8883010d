import { execFile } from 'node:child_process'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hullMask, imageToFaceMat } from '@dfl/align'
import type { Pixels } from '@dfl/core'
import { openFaceset } from '@dfl/faceset'
import { applyAffineAll, gaussianBlur } from '@dfl/image'
import type { Swap, Swapper } from '@dfl/merge'
import { ROOT } from './footage.js'

/** Swaps that are kept: enough for all shapes of masks that a shot has, few enough to stay in memory. */
const KEPT = 48

/** A swapper that remembers what went through it. */
export interface RecordedSwapper {
  swapper: Swapper
  /** The same faces again and again, at no cost: what is left of a merge is pixels and codecs. */
  replay: Swapper
  /** Crops and what came of them. */
  kept: readonly { crop: Pixels; swap: Swap }[]
}

/** Remembers some of a network's swaps while it works. */
export function recorded(real: Swapper): RecordedSwapper {
  const kept: { crop: Pixels; swap: Swap }[] = []
  const { faceType, resolution } = real
  let next = 0
  return {
    kept,
    swapper: {
      ...{ faceType, resolution },
      async swap(crops) {
        const swaps = await real.swap(crops)
        for (const [i, swap] of swaps.entries()) if (kept.length < KEPT) kept.push({ crop: crops[i]!, swap })
        return swaps
      },
    },
    replay: {
      ...{ faceType, resolution },
      swap: async (crops) => crops.map(() => kept[next++ % kept.length]!.swap),
    },
  }
}

/**
 * A network with random weights whose masks are faces, as those of trained ones are: both are the outline of the faceset's first
 * face, with a soft edge.
 */
export async function withFaceMasks({ faceType, resolution, swap }: Swapper, faces: string): Promise<Swapper> {
  let mask: Pixels | undefined
  for await (const { sourceLandmarks } of (await openFaceset(faces)).faces()) {
    const points = applyAffineAll(imageToFaceMat(sourceLandmarks, faceType, resolution), sourceLandmarks)
    mask = gaussianBlur(hullMask(points, resolution), resolution / 128)
    break
  }
  const masks = mask ? { mask, dstMask: mask } : {}
  return {
    ...{ faceType, resolution },
    swap: async (crops) => (await swap(crops)).map((painted) => ({ ...painted, ...masks })),
  }
}

/** How fast the network is with nothing beside it, in batches as a merge has them. */
export async function networkAlone(real: Swapper, { kept }: RecordedSwapper, batch: number) {
  const before = process.cpuUsage()
  const began = performance.now()
  let frames = 0
  for (; frames + batch <= kept.length; frames += batch)
    await real.swap(kept.slice(frames, frames + batch).map(({ crop }) => crop))
  const { user, system } = process.cpuUsage(before)
  return { fps: (1000 * frames) / (performance.now() - began), cpuMs: (user + system) / 1000 / frames }
}

/** The same stages in NumPy and OpenCV, on the same frames with the same swaps, around the face and on whole frames: see python/merge_stages.py. */
export async function inOpenCv(
  python: string,
  { clip, faces, frames, folder }: { clip: string; faces: string; frames: number; folder: string },
  { kept, replay }: RecordedSwapper,
) {
  const { faceType, resolution } = replay
  const mats: unknown[] = Array.from({ length: frames }, () => null)
  for await (const { faceIndex, frameIndex, sourceLandmarks } of (await openFaceset(faces)).faces())
    if (faceIndex === 0 && frameIndex < frames) mats[frameIndex] = imageToFaceMat(sourceLandmarks, faceType, resolution)
  const swaps = join(folder, 'swaps.bin')
  await using file = await open(swaps, 'w')
  for (const { swap } of kept)
    for (const { data } of [swap.face, swap.mask, swap.dstMask])
      await file.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  const job = join(folder, 'job.json')
  const script = join(ROOT, 'bench', 'python', 'merge_stages.py')
  const run = async (whole: boolean) => {
    await writeFile(job, JSON.stringify({ clip, frames, resolution, swaps, mats, whole }))
    const { stdout } = await promisify(execFile)(python, [script, job, join(folder, 'opencv.mp4')])
    const { seconds, cpu } = JSON.parse(stdout) as { seconds: number; cpu: number }
    return { fps: frames / seconds, cpuMs: (1000 * cpu) / frames }
  }
  return { around: await run(false), whole: await run(true) }
}
