import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { lockWorkspace, openWorkspace, type RunJob, runStages } from '@dfl/cli'
import { createFrames, openFrames } from '@dfl/media'

const examples = join(import.meta.dirname, '..')
const out = join(examples, 'out/cli')
await rm(out, { recursive: true, force: true })

// [1]
const short = async (side: string) => {
  const path = join(out, `${side}.mp4`)
  await using clip = await openFrames(join(examples, `footage/pair1-${side}.mp4`), { end: 24 })
  await using sink = await createFrames(path, { like: clip })
  for await (const frame of clip.frames()) await sink.write(frame)
  await sink.finish()
  return path
}
const job: RunJob = {
  src: await short('src'),
  dst: await short('dst'),
  train: { iterations: 10, model: { resolution: 64, aeDims: 32, eDims: 16, dDims: 16, dMaskDims: 8 } },
}

// [2]
await using _ = await lockWorkspace(join(out, 'workspace'), 'example')
const workspace = await openWorkspace(join(out, 'workspace'))
for (let call = 1; call <= 2; call++) {
  const stages = runStages(workspace, job)
  for (;;) {
    const next = await stages.next()
    if (next.done) {
      const { result, frames, framesWithFace, iterations, upToDate } = next.value
      console.log({ result: result.slice(examples.length + 1), frames, framesWithFace, iterations, upToDate })
      break
    }
    if (next.value.event === 'stage') console.log(`${next.value.stage} ${next.value.state}: ${next.value.text}`)
  }
}

// [1] One second of each clip, so that this takes seconds. Ten iterations make no likeness.
// [2] `dfl run` from code: what the program prints comes as reports. The second call finds everything done.
