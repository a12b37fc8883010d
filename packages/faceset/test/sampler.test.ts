import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hullMask, imageToFaceMat } from '@dfl/align'
import { type Bitmap, collect, type FaceMeta, take } from '@dfl/core'
import { applyAffine, invertAffine, toBitmap } from '@dfl/image'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type Batch,
  createFaceset,
  createSampler,
  memoryFaceset,
  openFaceset,
  type SamplerOptions,
} from '../src/index.js'
import { bundle } from './bundle.js'
import { syntheticFace, syntheticImage, temporaryFolder } from './synthetic.js'

const faces = (count: number, from = 0, size = 64): FaceMeta[] =>
  Array.from({ length: count }, (_, i) => syntheticFace(from + i, size))

const faceset = (count: number, from = 0, size = 64) =>
  memoryFaceset(
    faces(count, from, size),
    faces(count, from, size).map((face) => syntheticImage(face.frameIndex, size)),
  )

const R = 32
const base = { faceType: 'whole_face', resolution: R, batchSize: 4, workers: 0 } as const

async function sampler(options: Partial<SamplerOptions> = {}) {
  return createSampler({ src: faceset(6), dst: faceset(5, 50), ...base, ...options })
}

/** Weighted centre of a plane, in its pixels. */
function centroid(plane: Float32Array): [x: number, y: number, sum: number] {
  let sx = 0
  let sy = 0
  let sum = 0
  plane.forEach((value, i) => {
    sx += value * (i % R)
    sy += value * Math.floor(i / R)
    sum += value
  })
  return [sx / sum, sy / sum, sum]
}

/** The same for equal batches or arrays only. Comparing them number by number is slow. */
const digest = (batch: object): string => {
  const hash = createHash('sha1')
  const visit = (value: unknown) => {
    if (value instanceof Float32Array) hash.update(value)
    else if (typeof value === 'object')
      for (const [key, item] of Object.entries(value ?? {})) {
        hash.update(key)
        visit(item)
      }
    else hash.update(String(value))
  }
  visit(batch)
  return hash.digest('hex')
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length

const meanDifference = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length

describe('a sampler', () => {
  it('makes batches of the shapes and ranges that models take', async () => {
    await using it = await sampler({ eyesMouth: true, hsvPower: 0.2, flipSrc: 0.5 })
    const batch = await it.batch(0)
    expect(batch).toMatchObject({ batchSize: 4, resolution: R })
    for (const side of [batch.src, batch.dst]) {
      expect(side.warped.length).toBe(4 * R * R * 3)
      expect(side.target.length).toBe(4 * R * R * 3)
      expect(side.mask.length).toBe(4 * R * R)
      expect(side.eyesMouth?.length).toBe(4 * R * R)
      for (const array of Object.values(side) as Float32Array[]) {
        expect(Math.min(...array)).toBeGreaterThanOrEqual(0)
        expect(Math.max(...array)).toBeLessThanOrEqual(1.000001)
        expect(Math.max(...array) - Math.min(...array)).toBeGreaterThan(0.3)
      }
    }
  })

  it('gives the same batch for the same seed and step, in whatever order steps are asked for', async () => {
    await using one = await sampler({ seed: 5 })
    await using two = await sampler({ seed: 5, prefetch: 0 })
    await using other = await sampler({ seed: 6 })
    const forwards = await collect(take(one.batches(), 4))
    expect(digest(await two.batch(3))).toBe(digest(forwards[3]))
    expect(digest(await two.batch(0))).toBe(digest(forwards[0]))
    expect(digest(await one.batch(1))).toBe(digest(forwards[1]))
    expect(digest((await other.batch(0)).src)).not.toBe(digest(forwards[0].src))
    expect(digest(forwards[1].src)).not.toBe(digest(forwards[0].src))
  })

  it('hands the arrays over: changing them changes no other batch', async () => {
    await using it = await sampler()
    const batch = await it.batch(0)
    const before = batch.src.target.slice()
    batch.src.target.fill(0)
    await it.batch(5)
    expect(digest((await it.batch(0)).src.target)).toBe(digest(before))
  })

  it('gives a model without random warp the target as its input', async () => {
    await using it = await sampler({ randomWarp: false })
    const { src, dst } = await it.batch(2)
    expect(digest(src.warped)).toBe(digest(src.target))
    expect(digest(dst.warped)).toBe(digest(dst.target))
  })

  it('changes the input but never the target with random warp and colour', async () => {
    await using plain = await sampler({ randomWarp: false })
    await using warped = await sampler({ hsvPower: 0.3 })
    const [a, b] = [await plain.batch(2), await warped.batch(2)]
    expect(digest(b.src.target)).toBe(digest(a.src.target))
    expect(digest(b.src.mask)).toBe(digest(a.src.mask))
    expect(digest(b.dst.target)).toBe(digest(a.dst.target))
    expect(meanDifference(b.src.warped, b.src.target)).toBeGreaterThan(0.02)
    expect(meanDifference(b.dst.warped, b.dst.target)).toBeGreaterThan(0.005)
  })

  it.each(['rct', 'lct', 'mkl', 'idt', 'sot'] as const)(
    'gives src the colours of dst by %s, in what the model sees as in the target, and leaves dst alone',
    async (how) => {
      await using plain = await sampler()
      await using matched = await sampler({ matchColors: how })
      const [a, b] = [await plain.batch(1), await matched.batch(1)]
      expect(digest(b.dst)).toBe(digest(a.dst))
      expect(digest(b.src.mask)).toBe(digest(a.src.mask))
      const apart = ({ src, dst }: Batch, of: 'warped' | 'target') => {
        const means = (all: Float32Array) => [0, 1, 2].map((c) => mean(all.filter((_, i) => i % 3 === c)))
        const size = R * R * 3
        return mean(
          [0, 1, 2, 3].flatMap((i) => {
            const [x, y] = [src[of], dst.target].map((all) => means(all.subarray(i * size, (i + 1) * size)))
            return x!.map((v, c) => Math.abs(v - y![c]!))
          }),
        )
      }
      expect(apart(b, 'target')).toBeLessThan(0.4 * apart(a, 'target'))
      expect(apart(b, 'warped')).toBeLessThan(0.6 * apart(a, 'warped'))
      expect(meanDifference(b.src.warped, b.src.target)).toBeGreaterThan(0.01)
      const preview = await matched.previewBatch(2)
      expect(digest(preview)).toBe(digest(await plain.previewBatch(2)))
    },
  )

  it('mirrors samples, and their mask with them, when asked to', async () => {
    await using straight = await sampler({ randomWarp: false })
    await using mirrored = await sampler({ randomWarp: false, flipSrc: 1 })
    const [a, b] = [await straight.batch(0), await mirrored.batch(0)]
    expect(digest(b.dst)).toBe(digest(a.dst))
    // A sample is flipped before it is turned: the centre of the mask lands at the same height, the picture differs.
    expect(meanDifference(a.src.target, b.src.target)).toBeGreaterThan(0.05)
    for (let i = 0; i < 4; i++) {
      const plane = (batch: Batch) => centroid(batch.src.mask.subarray(i * R * R, (i + 1) * R * R))
      expect(Math.abs(plane(a)[2] - plane(b)[2]) / plane(a)[2]).toBeLessThan(0.1)
    }
  })

  it('uses every face once before it uses one twice', async () => {
    // Faces of one colour each, so that a sample tells which it shows.
    const flat = faces(6).map((_, i) => ({ ...syntheticImage(0), data: new Uint8Array(64 * 64 * 3).fill(40 * i) }))
    const set = memoryFaceset(faces(6), flat)
    await using it = await sampler({ src: set, batchSize: 3, randomWarp: false })
    for (let epoch = 0; epoch < 3; epoch++) {
      const shown: number[] = []
      for (const step of [epoch * 2, epoch * 2 + 1]) {
        const { src } = await it.batch(step)
        for (let i = 0; i < 3; i++) shown.push(Math.round((src.target[i * R * R * 3] * 255) / 40))
      }
      expect(shown.sort()).toEqual([0, 1, 2, 3, 4, 5])
    }
  })

  it('shows rare yaws as often as common ones when asked to', async () => {
    // Nine faces look ahead, one to the side and is bright.
    const metas = faces(10).map((face, i) => ({
      ...face,
      pose: { yawDegrees: i === 9 ? 50 : 0, pitchDegrees: 0, rollDegrees: 0 },
    }))
    const flat = metas.map((_, i) => ({
      ...syntheticImage(0),
      data: new Uint8Array(64 * 64 * 3).fill(i === 9 ? 250 : 10),
    }))
    const set = memoryFaceset(metas, flat)
    await using it = await sampler({ src: set, uniformYaw: true, dst: faceset(2) })
    let bright = 0
    for (let step = 0; step < 5; step++) {
      const { src } = await it.batch(step)
      for (let i = 0; i < 4; i++) if (src.target[i * R * R * 3] > 0.5) bright++
    }
    expect(bright).toBe(10)
  })

  it('shows closed eyes more often than they occur when asked to', async () => {
    // Nineteen faces have open eyes, one has closed ones and is bright.
    const metas = faces(20).map((face, i) => ({
      ...face,
      landmarks: face.landmarks.map(([x, y], p) =>
        i === 19 && p >= 36 && p < 48 ? ([x, face.landmarks[p < 42 ? 36 : 42]![1]] as const) : ([x, y] as const),
      ),
    }))
    const flat = metas.map((_, i) => ({
      ...syntheticImage(0),
      data: new Uint8Array(64 * 64 * 3).fill(i === 19 ? 250 : 10),
    }))
    const brightOf = async (rareExpressions: boolean) => {
      await using it = await sampler({ src: memoryFaceset(metas, flat), rareExpressions })
      let bright = 0
      for (let step = 0; step < 50; step++) {
        const { src } = await it.batch(step)
        for (let i = 0; i < 4; i++) if (src.target[i * R * R * 3] > 0.5) bright++
      }
      return bright
    }
    expect(await brightOf(false)).toBe(10)
    // Its share is 1 to 19 of the square roots: 1/(1 + √19), which is 37 of 200.
    const rare = await brightOf(true)
    expect(rare).toBeGreaterThan(29)
    expect(rare).toBeLessThan(45)
  })

  it('shows pairs together, turned, mirrored and warped alike', async () => {
    const src = faceset(6)
    const read = async (paired: boolean, cacheMegabytes = 100) => {
      await using it = await sampler({ src, dst: faceset(6), flipSrc: 0.5, paired, cacheMegabytes, uniformYaw: true })
      return [await it.batch(0), await it.batch(1), await it.batch(2)]
    }
    for (const { src, dst } of await read(true)) expect(digest(dst)).toBe(digest(src))
    for (const { src, dst } of await read(true, 0.01)) expect(digest(dst)).toBe(digest(src))
    for (const { src, dst } of await read(false)) expect(digest(dst)).not.toBe(digest(src))
  })

  it('puts the mask where the face is in the target', async () => {
    // The picture is the mask's own shape: white where the hull of the landmarks is.
    const face = syntheticFace(0, 128)
    const data = toBitmap(hullMask(face.landmarks, 128)).data
    const white = Uint8Array.from({ length: 128 * 128 * 3 }, (_, i) => data[Math.floor(i / 3)])
    const set = memoryFaceset([face], [{ data: white, width: 128, height: 128, channels: 3 }])
    await using it = await sampler({ src: set, dst: set, flipDst: 0.5 })
    for (let step = 0; step < 3; step++) {
      const { src, dst } = await it.batch(step)
      for (const { target, mask } of [src, dst])
        for (let i = 0; i < 4; i++) {
          const red = target.filter((_, at) => at % 3 === 0).subarray(i * R * R, (i + 1) * R * R)
          const [x, y, area] = centroid(red)
          const [maskX, maskY, maskArea] = centroid(mask.subarray(i * R * R, (i + 1) * R * R))
          expect(Math.abs(x - maskX)).toBeLessThan(0.1)
          expect(Math.abs(y - maskY)).toBeLessThan(0.1)
          expect(Math.abs(area / maskArea - 1)).toBeLessThan(0.03)
        }
    }
  })

  it('does not move the picture on the whole by its random warp', async () => {
    const set = memoryFaceset(faces(1), [ramps()])
    await using it = await sampler({ src: set, dst: set, batchSize: 64 })
    let [dx, dy, xx, yy, xy, n] = [0, 0, 0, 0, 0, 0]
    for (let step = 0; step < 6; step++) {
      const { src } = await it.batch(step)
      for (let i = 0; i < 64; i++) {
        const centre = ((i * R + R / 2) * R + R / 2) * 3
        const x = src.warped[centre] - src.target[centre]
        const y = src.warped[centre + 1] - src.target[centre + 1]
        dx += x
        dy += y
        xx += x * x
        yy += y * y
        xy += x * y
        n++
      }
    }
    const deviation = Math.sqrt(xx / n)
    expect(deviation).toBeGreaterThan(0.01)
    expect(Math.abs(dx / n)).toBeLessThan((3.5 * deviation) / Math.sqrt(n))
    expect(Math.abs(dy / n)).toBeLessThan((3.5 * deviation) / Math.sqrt(n))
    expect(Math.abs(xy / Math.sqrt(xx * yy))).toBeLessThan(0.18)
    expect(xx / yy).toBeGreaterThan(0.7)
    expect(xx / yy).toBeLessThan(1.4)
  })

  it('moves all four borders alike by its random warp: hardly', async () => {
    const set = memoryFaceset(faces(1), [ramps()])
    await using it = await sampler({ src: set, dst: set, batchSize: 64 })
    const moved = { left: 0, right: 0, top: 0, bottom: 0, centre: 0 }
    for (let step = 0; step < 3; step++) {
      const { warped, target } = (await it.batch(step)).src
      const difference = (i: number, x: number, y: number) => {
        const at = ((i * R + y) * R + x) * 3
        return Math.abs(warped[at] - target[at]) + Math.abs(warped[at + 1] - target[at + 1])
      }
      for (let i = 0; i < 64; i++)
        for (let k = 8; k < R - 8; k++) {
          moved.left += difference(i, 0, k)
          moved.right += difference(i, R - 1, k)
          moved.top += difference(i, k, 0)
          moved.bottom += difference(i, k, R - 1)
          moved.centre += difference(i, k, k)
        }
    }
    for (const side of [moved.left, moved.right, moved.top, moved.bottom]) {
      expect(side).toBeLessThan(moved.centre / 4)
      expect(side / moved.left).toBeGreaterThan(0.6)
      expect(side / moved.left).toBeLessThan(1.6)
    }
  })

  it.each(['whole_face', 'full_face', 'half_face'] as const)(
    'crops to %s exactly where imageToFaceMat puts it',
    async (faceType) => {
      const set = memoryFaceset(faces(1), [ramps()])
      await using it = await sampler({ src: set, dst: set, faceType })
      const { target } = (await it.previewBatch(1)).src
      const faceToAlignedMat = invertAffine(imageToFaceMat(faces(1)[0].landmarks, faceType, R))
      for (const [x, y] of [
        [8, 8],
        [20, 10],
        [16, 24],
      ] as const) {
        const [alignedX, alignedY] = applyAffine(faceToAlignedMat, [x, y])
        expect((target[(y * R + x) * 3] * 255) / 4).toBeCloseTo(alignedX, 0.6)
        expect((target[(y * R + x) * 3 + 1] * 255) / 4).toBeCloseTo(alignedY, 0.6)
      }
    },
  )

  it('finds more of the picture beyond the edges of the crop when the faceset is wider than the model', async () => {
    // On a ramp every pixel differs from its neighbours, unless an edge was repeated.
    const set = memoryFaceset(faces(1), [ramps()])
    await using it = await sampler({ src: set, dst: set, faceType: 'half_face', randomWarp: false, batchSize: 16 })
    const { target } = (await it.batch(0)).src
    for (let i = 0; i < 16; i++)
      for (const [x, y] of [
        [0, 0],
        [R - 2, 0],
        [0, R - 2],
        [R - 2, R - 2],
      ]) {
        const at = ((i * R + y) * R + x) * 3
        const slope = Math.hypot(target[at + 3] - target[at], target[at + 4] - target[at + 1])
        const centre = ((i * R + R / 2) * R + R / 2) * 3
        const expected = Math.hypot(target[centre + 3] - target[centre], target[centre + 4] - target[centre + 1])
        expect(slope / expected).toBeGreaterThan(0.6)
      }
  })

  it('shows evenly chosen faces as they are in a preview, always the same', async () => {
    await using it = await sampler({ hsvPower: 0.3, flipSrc: 1 })
    const preview = await it.previewBatch(3)
    expect(preview.batchSize).toBe(3)
    expect(digest(preview.src.warped)).toBe(digest(preview.src.target))
    await it.batch(7)
    expect(digest(await it.previewBatch(3))).toBe(digest(preview))
    await using other = await sampler({ seed: 9 })
    expect(digest(await other.previewBatch(3))).toBe(digest(preview))
  })

  it('keeps to its memory: faces that do not fit are decoded again, and the batches still depend on the step alone', async () => {
    const set = faceset(60)
    let decoded = 0
    const counted = {
      ...set,
      readImage: (face: { filename: string }) => {
        decoded++
        return set.readImage(face)
      },
    }
    // Room for 11 cuts of src.
    const small = { src: counted, dst: faceset(1), cacheMegabytes: 0.1 }
    await using one = await sampler({ ...small, prefetch: 0 })
    const seen = new Set<number>()
    let last: Batch | undefined
    for (let step = 0; step < 30; step++) {
      last = await one.batch(step)
      for (let i = 0; i < 4; i++) seen.add(last.src.target[(i * R * R + (R * R) / 2 + R / 2) * 3])
    }
    expect(decoded).toBeLessThan(60) // Of 120 samples.
    expect(seen.size).toBeGreaterThan(18)
    await using two = await sampler({ ...small, prefetch: 3 })
    expect(digest(await two.batch(29))).toBe(digest(last!))
  })

  it('reads from a folder like from memory', async () => {
    const folder = await temporaryFolder()
    const writer = await createFaceset(folder, { faceType: 'whole_face', size: 64 })
    for (const face of faces(5)) await writer.add(face, syntheticImage(face.frameIndex))
    await writer.close()
    await using disk = await sampler({ src: await openFaceset(folder) })
    await using memory = await sampler({ src: faceset(5) })
    const [a, b] = [await disk.batch(1), await memory.batch(1)]
    expect(meanDifference(a.src.warped, b.src.warped)).toBeLessThan(1e-3)
  })

  it('passes on what went wrong with a face, at the step that needs it, and goes on', async () => {
    const set = faceset(2)
    let broken = true
    const readImage = async (face: { filename: string }) => {
      if (broken) throw new Error('the disk is on fire')
      return set.readImage(face)
    }
    await using it = await sampler({ src: { ...set, readImage } })
    await expect(it.batch(0)).rejects.toThrow('the disk is on fire')
    broken = false
    await expect(it.batch(10)).resolves.toMatchObject({ batchSize: 4 })
  })
})

describe('worker threads', () => {
  let workerUrl: URL

  beforeAll(async () => {
    const file = join(await temporaryFolder(), 'sample-worker.mjs')
    await bundle(new URL('../src/sample-worker.ts', import.meta.url), file)
    workerUrl = pathToFileURL(file)
  })

  it('make the same batches as the calling thread, however many there are', async () => {
    const options = { seed: 3, eyesMouth: true, hsvPower: 0.1, flipDst: 0.5 }
    await using here = await sampler({ ...options, workers: 0 })
    const expected = digest(await collect(take(here.batches(), 3)))
    for (const workers of [1, 2]) {
      await using there = await sampler({ ...options, workers, workerUrl })
      expect(digest(await collect(take(there.batches(), 3)))).toBe(expected)
    }
  })

  it('pass errors on with their code', async () => {
    const squeezed = faces(2).map((face) => ({ ...face, landmarks: face.landmarks.map(() => [1, 1] as const) }))
    const set = memoryFaceset(squeezed, [syntheticImage(0), syntheticImage(1)])
    await using here = await sampler({ src: set })
    const expected = await here.batch(0).catch((error) => error)
    expect(expected).toMatchObject({ name: 'DflError' })
    await using there = await sampler({ src: set, workers: 1, workerUrl })
    await expect(there.batch(0)).rejects.toMatchObject({
      name: 'DflError',
      code: expected.code,
      message: expected.message,
    })
  })

  it('say so when their file cannot be run', async () => {
    const missing = new URL('file:///nowhere/sample-worker.mjs')
    await using it = await sampler({ workers: 1, workerUrl: missing })
    await expect(it.batch(0)).rejects.toThrow(
      /^Expected a running thread from `file:\/\/\/nowhere\/sample-worker\.mjs`, but it stopped: .* Make a new sampler, with `workers: 0` to work without threads\.$/s,
    )
  })

  it('are refused from sources, where there is no file to run', async () => {
    await expect(sampler({ workers: 1 })).rejects.toMatchObject({
      code: 'MISSING_DEPENDENCY',
      message:
        'Expected the built file sample-worker.js for `workers`, but got TypeScript sources only. ' +
        'Build the package, pass `workerUrl`, or use `workers: 0`.',
    })
  })

  it('fail batches that are under way when the sampler is closed', async () => {
    const it = await sampler({ workers: 1, workerUrl })
    const underWay = it.batch(0).catch((error) => error)
    await it[Symbol.asyncDispose]()
    expect(await underWay).toMatchObject({ code: 'BAD_STATE' })
    await expect(it.batch(1)).rejects.toThrow(
      'Expected an open sampler, but got one that was closed. Make a new one with createSampler().',
    )
  })
})

describe('wrong options', () => {
  it.each<[Partial<SamplerOptions>, string]>([
    [
      { faceType: 'head' },
      'Expected a faceset of head or wider for `src`, but got whole_face. Extract src as head, or train a model of whole_face.',
    ],
    [{ resolution: 7 }, 'Expected a whole number between 16 and 1024 px for `resolution`, but got 7.'],
    [
      { batchSize: 0, hsvPower: 3 },
      'Expected a whole number between 1 and 1024 for `batchSize`, but got 0.\nExpected a number between 0 and 0.3 for `hsvPower`, but got 3.',
    ],
    [
      {
        uniformYaw: true,
        src: memoryFaceset(
          faces(1).map(({ pose: _, ...face }) => face),
          [syntheticImage(0)],
        ),
      },
      "Expected faces with a pose for `uniformYaw`, but got '000000_0.png' of src without. Estimate poses when extracting, or switch it off.",
    ],
    [
      { uniformYaw: true, rareExpressions: true },
      'Expected one of `uniformYaw` and `rareExpressions`, but got both. Each says how often a face is shown: choose one.',
    ],
    [
      { paired: true },
      'Expected 6 faces, as src has, for `dst` with `paired`, but got 5. Leave out the faces that have no partner.',
    ],
  ])('are refused before any work: %o', async (options, message) => {
    await expect(sampler(options)).rejects.toThrow(message)
  })

  it('are refused when they are steps or counts', async () => {
    await using it = await sampler()
    await expect(it.batch(-1)).rejects.toThrow('Expected a whole number of at least 0 for `step`, but got -1.')
    await expect(it.previewBatch(0)).rejects.toThrow('Expected a whole number of at least 1 for `count`, but got 0.')
  })

  it('include an empty faceset', async () => {
    const folder = await temporaryFolder()
    await (await createFaceset(folder, { faceType: 'whole_face', size: 64 })).close()
    const src = await openFaceset(folder)
    await expect(sampler({ src })).rejects.toThrow(
      'Expected faces in the faceset for `src`, but got none. Extract faces first.',
    )
  })
})

/** 64 x 64 pixels whose red says 4 x their column and whose green 4 x their row. */
function ramps(): Bitmap {
  const size = 64
  const data = new Uint8Array(size * size * 3)
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) data.set([x * 4, y * 4, 0], (y * size + x) * 3)
  return { data, width: size, height: size, channels: 3 }
}
