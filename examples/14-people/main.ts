import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createFrames, openFrames } from '@dfl/media'
import { testArchitecture } from '@dfl/nn/testing'

const examples = join(import.meta.dirname, '..')
const out = join(examples, 'out/people')
await rm(out, { recursive: true, force: true })

// [1]
const { people } = await import(new URL('dfl.config.mjs', import.meta.url).href)
for (const { run } of testArchitecture(people, { resolution: 32, aeDims: 16, eDims: 8, dDims: 8, people: 'carol' }))
  await run()
console.log('people keeps the contract')

// [2]
const short = async (name: string) => {
  const path = join(out, `${name}.mp4`)
  await using clip = await openFrames(join(examples, `footage/pair1-${name}.mp4`), { end: 12 })
  await using sink = await createFrames(path, { like: clip })
  for await (const frame of clip.frames()) await sink.write(frame)
  await sink.finish()
  return path
}
const dfl = (...args: string[]) => {
  console.log(`dfl ${args.map((arg) => arg.replace(`${examples}/`, '')).join(' ')}`)
  const program = join(examples, 'node_modules/@dfl/cli/dist/main.js')
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stderr + stdout
}
const [src, dst, carol] = [await short('src'), await short('dst'), await short('truth')]
dfl('extract', '--side', 'src', '--input', src, '--workspace', join(out, 'workspace'))
dfl('extract', '--side', 'dst', '--input', dst, '--workspace', join(out, 'workspace'))
dfl('extract', '--side', 'src', '--input', carol, '--workspace', join(out, 'carol'))

// [3]
const own = ['--config', join(import.meta.dirname, 'dfl.config.mjs'), '--workspace', join(out, 'workspace')]
const small = '--resolution 64 --ae-dims 32 --e-dims 16 --d-dims 16 --batch-size 2'.split(' ')
const said = dfl('train', '--architecture', 'people', '--recipe', 'two-steps', ...small, ...own)
console.log(said.split('\n').find((line) => line.startsWith('+')))
dfl('merge', ...own)
console.log(dfl('model', 'info', ...own))

// [1] What every architecture must pass; in a test file, `for (const { name, run } of testArchitecture(…)) it(name, run)`.
// [2] Half a second of each clip. A third clip stands for a third person, who helps the encoder with what faces do.
// [3] As anybody would: a config, the names in it, and the usual commands.
