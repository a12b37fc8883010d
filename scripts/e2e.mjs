/**
 * Uses the built `dfl` as a user does: on short cuts of the demo's footage, with a few dozen iterations of a tiny model.
 *
 * Checks the result against DST's clip, that a second run does nothing, that bad input ends with its exit code, and that
 * a run which is killed (-9) at random moments of every stage finishes as one that is not.
 *
 *   node scripts/e2e.mjs [--seed <n>]
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuilt, ensureInstalled, root } from './prepare.mjs'

await ensureInstalled()
await ensureBuilt()
const builtUrl = (file) => pathToFileURL(join(root, file)).href
const { createVideo, openFrames, probeVideo } = await import(builtUrl('packages/media/dist/index.js'))
const { openFaceset } = await import(builtUrl('packages/faceset/dist/index.js'))
const { mergeVideo } = await import(builtUrl('packages/merge/dist/index.js'))

const seedAt = process.argv.indexOf('--seed')
const seed = seedAt > 0 ? Number(process.argv[seedAt + 1]) : Date.now() % 100_000
const scratch = mkdtempSync(join(tmpdir(), 'dfl-e2e-'))
const at = (...names) => join(scratch, ...names)

/** A model that trains in milliseconds; likeness is not what is tested here. */
const tiny =
  '--iterations 40 --resolution 32 --no-subpixel --ae-dims 16 --e-dims 8 --d-dims 8 --d-mask-dims 4 --batch-size 2 --save-every 1s'.split(
    ' ',
  )

let passed = 0
let failed = 0
/** Counts an expectation, and says what came instead where it fails. */
function expect(name, ok, got = '') {
  if (ok) passed++
  else failed++
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}${ok || got === '' ? '' : `: got ${JSON.stringify(got)}`}`)
}

try {
  const src = at('src.mp4')
  const dst = at('dst clip.mp4')
  await cut('src', 60, src)
  await cut('dst', 40, dst)

  const out = at('out.mp4')
  const line = ['run', '--src', src, '--dst', dst, '--out', out, '--workspace', at('w'), ...tiny, '--json']
  const first = await dfl(line)
  await checkRun(first, { out, dst, workspace: at('w') })
  await checkNothingToDo(line, out)
  await checkStages(dst)
  await checkThreads(dst)
  await checkInterrupt(src)
  await checkBadInput(src)
  await checkKills({ src, dst, reference: at('w') })
} catch (error) {
  expect('end-to-end test runs to its end', false, error.stack)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** A new run makes everything it promises. */
async function checkRun({ code, last, stderr }, { out, dst, workspace }) {
  expect('run ends with 0', code === 0, stderr)
  expect('the last line is the result', last?.event === 'result' && last.result === out, last)
  expect('it counts 40 frames, all with a face', last?.frames === 40 && last.framesWithFace === 40, last)
  expect('it counts 40 iterations', last?.iterations === 40, last?.iterations)
  const { extractSrc, extractDst, train, merge } = last?.secondsPerStage ?? {}
  expect(
    'every stage took time',
    [extractSrc, extractDst, train, merge].every((seconds) => seconds > 0),
    last,
  )
  await checkResult('the result', out, dst)
  expect('the preview is there', existsSync(join(workspace, 'preview/latest.png')))
  expect('the result says that it is synthetic', readFileSync(out).includes('compositeWithTrainedAlgorithmicMedia'))
  expect('the lock is gone', !existsSync(join(workspace, 'workspace.lock')))
}

/** A result has DST's frames, size, times and sound. */
async function checkResult(name, out, dst) {
  const [made, given] = [await probeVideo(out), await probeVideo(dst)]
  const size = ({ width, height }) => `${width}x${height}`
  expect(`${name} has DST's size`, size(made) === size(given), size(made))
  const [times, wanted] = [await timesOf(out), await timesOf(dst)]
  expect(`${name} has DST's frames at their times`, times.join() === wanted.join(), times)
  const sameLength = Math.abs(made.durationSeconds - given.durationSeconds) < 1e-3
  expect(`${name} has DST's duration`, sameLength, [made.durationSeconds, given.durationSeconds])
  const [sound, original] = [await soundOf(out), await soundOf(dst)]
  expect(`${name} has DST's sound, packet by packet`, original.length > 0 && sound.join() === original.join())
}

async function checkNothingToDo(line, out) {
  const before = readFileSync(out)
  const { code, last, stderr } = await dfl(line)
  expect('a second run does nothing and says so', code === 0 && last?.upToDate === true && /Nothing to do/.test(stderr))
  expect('a second run leaves the result alone', readFileSync(out).equals(before))
  rmSync(out)
  const again = await dfl(line)
  expect(
    'without its result, it is merged again',
    again.last?.secondsPerStage?.train === 0 && existsSync(out),
    again.last,
  )
}

/** Stages alone: training goes on, merging into a folder of images. */
async function checkStages(dst) {
  const more = await dfl(['train', '--workspace', at('w'), '--iterations', '50', '--json'])
  expect('train goes on from its checkpoint', more.code === 0 && more.last?.iterations === 50, more.last)
  const merge = await dfl(['merge', '--workspace', at('w'), '--input', dst, '--out', at('images'), '--json'])
  const images = existsSync(at('images')) ? readdirSync(at('images')).filter((name) => name.endsWith('.png')) : []
  expect('merge into a folder writes an image a frame', merge.code === 0 && images.length === 40, images.length)
}

/** However many threads lay faces over the frames, with all that is averaged over time: the result is the same. */
async function checkThreads(dst) {
  const round = { data: new Float32Array(64 * 64), width: 64, height: 64, channels: 1 }
  for (let i = 0; i < 64 * 64; i++) round.data[i] = Math.hypot((i % 64) - 32, (i >> 6) - 36) < 22 ? 1 : 0
  const darker = (pixels) => ({ ...pixels, data: pixels.data.map((v) => 0.8 * v) })
  const swap = async (crops) => crops.map((crop) => ({ face: darker(crop), mask: round, dstMask: round }))
  const job = { frames: dst, faces: at('w', 'dst', 'aligned'), options: { fit: 'reshape', grain: 50 } }
  const results = []
  for (const threads of [1, 3]) {
    const out = at(`threads-${threads}.mp4`)
    const swapper = { faceType: 'whole_face', resolution: 64, swap }
    for await (const { framesWithFaces } of mergeVideo({ ...job, swapper, out, threads }))
      results[threads] = framesWithFaces
  }
  expect('faces are merged by threads', results[1] === 40 && results[3] === 40, results)
  const [one, three] = [1, 3].map((threads) => readFileSync(at(`threads-${threads}.mp4`)))
  expect('one thread and three paste the same', one.equals(three), [one.length, three.length])
}

/** Ctrl-C: the iteration is finished, everything saved, the exit code says so. */
async function checkInterrupt(src) {
  const { code, stderr } = await dfl(['train', '--workspace', at('w'), '--json'], {
    watch: (event, child) => event.event === 'progress' && !child.killed && child.kill('SIGINT'),
  })
  expect('Ctrl-C ends with 130 and says how to go on', code === 130 && /goes on from here/.test(stderr), {
    code,
    stderr,
  })
  const extract = await dfl(['extract', '--side', 'src', '--input', src, '--workspace', at('w2'), '--json'], {
    watch: (event, child) => event.event === 'progress' && event.done > 2 && !child.killed && child.kill('SIGINT'),
  })
  expect('an extraction stops at Ctrl-C too', extract.code === 130, extract)
}

/** Every kind of bad input ends with its code and one sentence, not with a stack. */
async function checkBadInput(src) {
  writeFileSync(at('empty.mp4'), '')
  writeFileSync(at('broken.mp4'), readFileSync(src).subarray(0, 30_000))
  const extract = (input) => ['extract', '--side', 'src', '--input', input, '--workspace', at('bad')]
  const cases = [
    ['no such file', extract(at('nothing.mp4')), 3, /nothing at/],
    ['an empty video', extract(at('empty.mp4')), 3, /empty file/],
    ['a broken video', extract(at('broken.mp4')), 3, /broken\.mp4/],
    ['a wrong option', ['merge', '--crf', '99'], 2, /between 0 and 51/],
    ['no command of that name', ['mrege'], 2, /Did you mean merge/],
    ['no faces yet', ['train', '--workspace', at('none'), '--time', '1s'], 3, /Extract them first/],
    [
      'another clip',
      ['extract', '--side', 'src', '--input', at('dst clip.mp4'), '--workspace', at('w')],
      3,
      /another --workspace/,
    ],
  ]
  for (const [name, line, code, sentence] of cases) {
    const got = await dfl(line)
    const ok = got.code === code && sentence.test(got.stderr) && !/\n +at /.test(got.stderr)
    expect(`${name}: exit code ${code} and one sentence`, ok, { code: got.code, stderr: got.stderr })
  }
}

/** Kills a run at random moments of every stage, then lets it finish: the end is that of a run that nobody killed. */
async function checkKills({ src, dst, reference }) {
  console.log(`       kills with seed ${seed}: node scripts/e2e.mjs --seed ${seed}`)
  const random = randomNumbers(seed)
  const workspace = at('killed')
  const out = at('killed.mp4')
  const line = ['run', '--src', src, '--dst', dst, '--out', out, '--workspace', workspace, ...tiny, '--json']
  for (const stage of ['extract-src', 'extract-dst', 'train', 'train', 'merge', 'merge']) {
    const delayMs = Math.round(random() * 1500)
    let hit = 'before it began'
    const { code, stderr } = await dfl(line, {
      watch(event, child) {
        if (event.event !== 'stage' || event.stage !== stage || event.state !== 'started') return
        hit = `after ${delayMs} ms`
        setTimeout(() => child.kill('SIGKILL'), delayMs)
      },
    })
    expect(
      `killed in ${stage} ${code === 0 ? 'after its end' : hit}, no other error`,
      code === 0 || code === 'SIGKILL',
      stderr,
    )
  }
  const { code, last, stderr } = await dfl(line)
  expect('after the kills the run finishes', code === 0 && last?.result === out && last.iterations === 40, stderr)
  await checkResult('the result after kills', out, dst)
  for (const side of ['src', 'dst']) {
    const of = (folder) => openFaceset(join(folder, side, 'aligned'))
    const [wanted, got] = [await of(reference), await of(workspace)]
    const same = got.info.count === wanted.info.count && got.info.missingImages === 0
    expect(`the faces of ${side} after kills are all there`, same, got.info)
    for await (const face of got.faces()) await got.readImage(face)
  }
}

/** Runs the built program; `watch` sees every line of JSON as it comes. */
function dfl(args, { watch } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'packages/cli/dist/main.js'), ...args], { cwd: scratch })
    let stderr = ''
    let rest = ''
    let last
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      for (const line of lines.filter((one) => one.startsWith('{'))) {
        last = JSON.parse(line)
        watch?.(last, child)
      }
    })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? signal, last, stderr }))
  })
}

/** The first frames of one of the demo's clips, with their sound. */
async function cut(name, frames, path) {
  const from = join(root, `examples/footage/pair1-${name}.mp4`)
  const clip = await openFrames(from, { end: frames })
  const audioFrom = clip.info.audio.length > 0 ? { audioFrom: from } : {}
  const sink = await createVideo(path, { like: clip.info, preset: 'ultrafast', ...audioFrom })
  for await (const frame of clip.frames()) {
    await sink.write(frame)
    frame.close()
  }
  await sink.finish()
}

async function timesOf(path) {
  const times = []
  const clip = await openFrames(path)
  for await (const frame of clip.frames()) {
    times.push(frame.timestampSeconds.toFixed(5))
    frame.close()
  }
  return times
}

/** Time and checksum of every packet of sound. */
async function soundOf(path) {
  const resolve = createRequire(join(root, 'packages/media/package.json')).resolve
  const { FormatContext, Packet } = await import(pathToFileURL(resolve('node-av/lib')).href)
  const container = new FormatContext()
  await container.openInput(path)
  await container.findStreamInfo()
  const audio = container.streams.filter((stream) => stream.codecpar.sampleRate > 0).map((stream) => stream.index)
  const packet = new Packet()
  packet.alloc()
  const out = []
  while ((await container.readFrame(packet)) >= 0) {
    if (audio.includes(packet.streamIndex))
      out.push(`${packet.pts} ${createHash('sha256').update(packet.data).digest('hex')}`)
    packet.unref()
  }
  await container.closeInput()
  return out
}

/** Numbers of 0..1, the same for the same seed. Source: mulberry32, T. Ettinger (public domain). */
function randomNumbers(start) {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
