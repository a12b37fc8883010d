import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Bitmap, isDflError, resolveOptions } from '@dfl/core'
import { chooseDevice } from '@dfl/engine'
import { findShots, writeImage } from '@dfl/media'
import { mergeOptions, openPreview, settingsOf } from '@dfl/merge'
import { openModel } from '@dfl/trainer'
import { faceArchitectures } from '../architectures.js'
import type { Stage, StageContext } from '../events.js'
import { parseFrames } from '../frame-spans.js'
import { dstClipOf, type MergeJob, settingsFile, settingsFor } from '../merge-job.js'
import { sameFootage } from '../same-footage.js'
import { openSwapper } from '../swapper.js'
import type { Workspace } from '../workspace.js'
import { maskerOf, xsegFor } from '../xseg-masker.js'

/** How often the file of settings is looked at, in milliseconds. */
const LOOK_EVERY = 150

/**
 * Shows single frames of a merge, DST on the left: `preview/merge-000120.png` in the workspace, of several clips
 * `preview/merge-shot2-000120.png`. With `watch` it stays, and writes them again within a moment whenever the file of
 * settings changes, until it is stopped.
 *
 * @returns The pictures' paths.
 */
export async function* previewMergeStage(
  workspace: Workspace,
  job: MergeJob & { preview: string; watch?: boolean },
  { signal, config }: StageContext = {},
): Stage<string[]> {
  const dst = await dstClipOf(workspace, job)
  const { path: clip } = dst
  const indices = parseFrames(job.preview, '--preview')
  const options = resolveOptions(mergeOptions, job.options)
  yield* sameFootage(workspace, dst, job)
  const run = await openModel(workspace.model, faceArchitectures(config))
  const device = await chooseDevice(job.device ?? 'cpu')
  await using swapper = await openSwapper(run, { freeze: true, batchSize: 1, device, controls: job.controls })
  const xseg = await xsegFor(workspace, job.xseg, [options.mask, await settingsFor(workspace, dst, job.settings)])
  await using masker = await maskerOf(xseg)
  const faces = workspace.faceset.dst
  const source = dst.known?.name
  await using preview = await openPreview({
    ...{ frames: clip, faces, swapper },
    ...(source === undefined ? {} : { source }),
    ...(masker ? { masker } : {}),
  })
  const file = settingsFile(workspace, dst, job.settings)
  const written = async () => (await stat(file).catch(() => undefined))?.mtimeMs
  const { iteration } = run.progress
  let shots: Awaited<ReturnType<typeof findShots>> | undefined
  for (;;) {
    const state = await written()
    const paths: string[] = []
    try {
      const entries = await settingsFor(workspace, dst, job.settings)
      if (entries.length > 0) shots ??= await findShots(clip, { signal })
      const optionsOf = shots ? settingsOf(entries, { shots, options }) : () => options
      for (const index of indices) {
        const began = performance.now()
        const { before, after } = await preview.show(index, optionsOf(index))
        const seconds = (performance.now() - began) / 1000
        const path = join(workspace.preview, `merge${dst.suffix}-${String(index).padStart(6, '0')}.png`)
        await writeImage(path, beside(before, after))
        paths.push(path)
        yield { event: 'preview', path, iteration }
        yield { event: 'stage', stage: 'merge', state: 'finished', seconds, text: `frame ${index} → ${path}` }
      }
    } catch (error) {
      // A file that is being edited is wrong now and then.
      if (!job.watch || !isDflError(error, 'BAD_OPTION')) throw error
      yield { event: 'warning', text: error.message }
    }
    while (job.watch && !signal?.aborted && (await written()) === state) await pause(LOOK_EVERY)
    if (!job.watch || signal?.aborted) return paths
  }
}

/** Two pictures of one size in one. */
function beside(left: Bitmap, right: Bitmap): Bitmap {
  const { width, height, channels } = left
  const row = width * channels
  const data = new Uint8Array(2 * row * height)
  for (let y = 0; y < height; y++) {
    data.set(left.data.subarray(y * row, (y + 1) * row), 2 * y * row)
    data.set(right.data.subarray(y * row, (y + 1) * row), (2 * y + 1) * row)
  }
  return { data, width: 2 * width, height, channels }
}
