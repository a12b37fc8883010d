// Learns by how much found landmarks lean towards the usual face (packages/evaluate/src/check/lean-table.ts), and measures on
// people who taught nothing how well face shapes are told.
//
//   DFL_ICT_PACK=PACK node scripts/learn-face-shape.mjs FOLDER [--write]
//
// With --write: renders six people of the pack, mixtures of them, and 100 more mixtures whose faces were bent at random, seen from
// 60 to 140 cm; finds their landmarks, learns the true shape from what was found in all of a clip and in parts of it (few
// frames, one side, mouth shut), and writes the table. Without: renders 28 clips of six other people and mixtures of them,
// and measures the table that is there. What was found is kept in FOLDER. Half an hour on two cores. Needs built packages: npm run build.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const load = (name) => import(pathToFileURL(join(root, 'packages', name, 'dist/index.js')))
const [align, { Random }, evaluate, extract, media, synth] = await Promise.all(
  ['align', 'core', 'evaluate', 'extract', 'media', 'synth'].map(load),
)

const TEACHERS = [0, 3, 4, 5, 6, 8]
const UNSEEN = [1, 2, 7, 9, 10, 11]
const BENT_HEADS = 100
/** Ways in which true shapes vary that are told apart, and how much the usual face counts, as a share of the mean variance. */
const WAYS = 8
const RIDGE = 0.01

/** Up to three of the people, mixed, a little beyond them as well. */
function mixture(people, random) {
  const x = random.uniform(-0.5, 1.5)
  const y = random.uniform(-0.5, 0.5)
  const left = [...people]
  return Object.fromEntries([x, 1 - x - y, y].map((weight) => [left.splice(random.integer(left.length), 1)[0], weight]))
}

/** Mixtures of the teachers whose faces were bent, from near and far. */
function bentClips() {
  const random = new Random(515151)
  return Array.from({ length: BENT_HEADS }, (_, k) => {
    const distanceCm = random.uniform(60, 140)
    const identity = mixture(TEACHERS, random)
    const bend = { seed: 78000 + k, strength: random.uniform(0.2, 0.8) }
    return { name: `taught-${k}`, who: `t${k}`, identity, bend, look: 1000 + k, seed: 5000 + k, frames: 28, distanceCm }
  })
}

/** People in two takes, with another skin and light in each, and mixtures of them, as they are. */
function plainClips(people, { names: [pure, mixed], seeds: [mixing, acting], looks }) {
  const random = new Random(mixing)
  const takes = people.flatMap((person) =>
    [0, 1].map((take) => ({
      name: `${pure}-${person}-${take}`,
      who: `${pure}-${person}`,
      identity: person,
      look: person + 200 * take,
      seed: 1000 + 10 * person + take,
    })),
  )
  const mixtures = Array.from({ length: 16 }, (_, k) => ({
    name: `${mixed}-${k}`,
    who: `${mixed}-${k}`,
    identity: mixture(people, random),
    look: looks + k,
    seed: acting + k,
  }))
  return [...takes, ...mixtures].map((clip) => ({ ...clip, frames: 48, distanceCm: 75 }))
}

const taughtClips = () => [
  ...bentClips(),
  ...plainClips(TEACHERS, { names: ['teacher', 'blend'], seeds: [4242, 2000], looks: 300 }),
]
const unseenClips = () => plainClips(UNSEEN, { names: ['unseen', 'mixed'], seeds: [8989, 2050], looks: 400 })

/** The head with skin and bone pushed about smoothly at random, both sides alike. */
function bent(model, shape, { seed, strength }) {
  const random = new Random(seed)
  const out = Float32Array.from(shape)
  const pushes = Array.from({ length: 14 }, () => {
    const centre = model.marks[random.integer(48)]
    return {
      centre,
      reach: random.uniform(1.6, 3.5),
      by: [random.uniform(-0.35, 0.35), random.uniform(-0.35, 0.35), random.uniform(-0.35, 0.35)],
    }
  })
  for (let i = 0; i < out.length; i += 3)
    for (const { centre, reach, by } of pushes)
      for (const side of [1, -1]) {
        const [x, y, z] = [0, 1, 2].map((k) => model.rest[i + k] - (k === 0 ? side : 1) * centre[k])
        const share = strength * Math.exp(-(x * x + y * y + z * z) / (2 * reach * reach))
        out[i] += share * side * by[0]
        out[i + 1] += share * by[1]
        out[i + 2] += share * by[2]
      }
  return out
}

/** The found landmarks of a clip's frames, made once and kept in the folder; and the true shape of its head. */
async function look(clip, { model, networks, folder }) {
  const plain = synth.shapeOf(model, clip.identity)
  const rest = clip.bend ? bent(model, plain, clip.bend) : plain
  const truth = model.landmarks.map((v) => Array.from(rest.subarray(3 * v, 3 * v + 3)))
  const path = join(folder, `${clip.name}.json`)
  const kept = await readFile(path, 'utf8').catch(() => undefined)
  if (kept) return { ...clip, truth, ...JSON.parse(kept) }
  const found = []
  for (let i = 0; i < clip.frames; i++) {
    const image = await picture(clip, i, { model, rest, plain })
    const [face] = await extract.detectFaces(image, { ...networks, maxFaces: 1 })
    if (face) found.push(face.landmarks.map((point) => point.map((v) => Math.round(100 * v) / 100)))
  }
  await writeFile(path, JSON.stringify({ found }))
  console.error(`${clip.name}: ${found.length} faces`)
  return { ...clip, truth, found }
}

/** A frame as a file of a camera has it. */
async function picture(clip, i, { model, rest, plain }) {
  const random = new Random(clip.seed * 7 + 1)
  const usual = synth.usualScene()
  const light = { ...usual.light, ambient: random.uniform(0.3, 0.5) }
  const color = [random.uniform(40, 190), random.uniform(40, 190), random.uniform(40, 190)]
  const moment = synth.performance(clip.seed, { ...synth.USUAL_RANGE, tempo: 2.5 })(0.4 * i)
  const around = (moment.lightDegrees * Math.PI) / 180
  const scene = {
    ...usual,
    width: 360,
    height: 360,
    distanceCm: clip.distanceCm,
    // The head fills the picture from anywhere.
    fovDegrees: (360 / Math.PI) * Math.atan((75 * Math.tan((12 * Math.PI) / 180)) / clip.distanceCm),
    background: { color, seed: clip.seed },
    light: { ...light, direction: [0.9 * Math.sin(around), 0.5, 0.9 * Math.cos(around)] },
    pose: moment.pose,
    shiftCm: moment.shiftCm,
  }
  const shape = synth.shapeOf(model, clip.identity, moment.weights).map((v, k) => v + rest[k] - plain[k])
  const { image } = synth.renderHead(model, shape, { look: synth.lookOf(clip.look), scene })
  return media.readImage(await media.encodeImage(image, 'jpg', { quality: 90 }))
}

/** A clip and parts of it, so that what is learned holds for few frames, one side and a still mouth, too. */
function parts(found, seed) {
  const random = new Random(seed)
  const poses = found.map((landmarks) => align.estimatePose(landmarks))
  const [yaw, reach, pitch] = [random.uniform(-25, 25), random.uniform(8, 20), random.uniform(-8, 8)]
  const from = random.integer(found.length - 8)
  return [
    found,
    found.filter((_, i) => Math.abs(poses[i].yawDegrees - yaw) < reach),
    found.filter((_, i) => Math.abs(poses[i].pitchDegrees - pitch) < 5),
    found.filter((landmarks) => align.mouthOpening(landmarks) < 0.05),
    found.slice(from, from + 8),
  ].filter((faces) => faces.length >= 5)
}

/** The true landmarks as a shape in eye distances, both sides even. */
function trueShape(truth) {
  const eyes = Math.hypot(...[0, 1, 2].map((k) => truth[36][k] - truth[45][k]))
  const half = (i) => (i < 17 ? 16 - i : { 31: 35, 32: 34, 34: 32, 35: 31, 36: 45, 45: 36, 39: 42, 42: 39 }[i])
  const middle = [8, 27, 28, 29, 30, 33].reduce((sum, i) => sum + truth[i][0] / 6, 0)
  return truth.map(([x, y, z], i) => {
    const [u, v, w] = truth[half(i) ?? i]
    return [(x + 2 * middle - u) / 2, (y + v) / 2, (z + w) / 2].map((value) => value / eyes)
  })
}

/** Weights of the told coordinates: as the number counts them, depth half. */
const weights = evaluate.TOLD_POINTS.flatMap((point) => {
  const weight = Math.sqrt((point < 17 ? 0.2 : 1) * (point === 8 || (point > 26 && point < 31) || point === 33 ? 1 : 2))
  return [weight, weight, weight / 2]
})

function learn(clips) {
  const rows = clips.flatMap((clip, k) => {
    const y = evaluate.deviations(trueShape(clip.truth), evaluate.TOLD_POINTS)
    return parts(clip.found, k).map((faces) => ({ x: evaluate.deviations(evaluate.seenShape(faces)), y }))
  })
  const [found, usual] = ['x', 'y'].map((of) => meanOf(rows.map((row) => row[of])))
  const xs = rows.map(({ x }) => x.map((v, i) => v - found[i]))
  const ys = rows.map(({ y }) => y.map((v, i) => (v - usual[i]) * weights[i]))
  const ways = mainDirections(ys, WAYS)
  const normal = products(xs, xs)
  const ridge = (RIDGE * normal.reduce((sum, row, i) => sum + row[i], 0)) / rows.length
  normal.forEach((row, i) => {
    row[i] += ridge
  })
  const strengths = ys.map((y) => ways.map((way) => dot(way, y)))
  const tell = solveAll(normal, products(xs, strengths))
  return {
    found,
    usual,
    ways: ways.map((way, k) => ({ tell: tell.map((row) => row[k]), way: way.map((v, i) => v / weights[i]) })),
  }
}

const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0)
const meanOf = (rows) => rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length)
// Sums over all rows of each number of one times each of the other.
const products = (a, b) => a[0].map((_, i) => b[0].map((__, j) => a.reduce((sum, row, r) => sum + row[i] * b[r][j], 0)))

/** The directions in which rows vary most, by multiplying often and taking out those that were found. */
function mainDirections(rows, count) {
  const spread = products(rows, rows)
  const out = []
  for (let k = 0; k < count; k++) {
    let v = spread.map((_, i) => Math.sin(1 + i + k))
    for (let round = 0; round < 2000; round++) {
      const next = spread.map((row) => dot(row, v))
      const length = Math.hypot(...next)
      v = next.map((value) => value / length)
    }
    const size = dot(
      v,
      spread.map((row) => dot(row, v)),
    )
    out.push(v)
    spread.forEach((row, i) => {
      row.forEach((_, j) => {
        row[j] -= size * v[i] * v[j]
      })
    })
  }
  return out
}

/** Solves for many right sides by elimination. */
function solveAll(matrix, right) {
  const rows = matrix.map((row, i) => [...row, ...right[i]])
  const n = rows.length
  for (let i = 0; i < n; i++) {
    let best = i
    for (let r = i; r < n; r++) if (Math.abs(rows[r][i]) > Math.abs(rows[best][i])) best = r
    ;[rows[i], rows[best]] = [rows[best], rows[i]]
    for (let r = 0; r < n; r++) {
      if (r === i) continue
      const by = rows[r][i] / rows[i][i]
      for (let c = i; c < rows[i].length; c++) rows[r][c] -= by * rows[i][c]
    }
  }
  return rows.map((row, i) => row.slice(n).map((v) => v / row[i]))
}

/** Numbers of three digits in rows that fit a page. */
function listed(values) {
  const rows = ['']
  for (const value of values) {
    const text = `${Math.abs(value) < 1e-5 ? 0 : Number(value.toPrecision(3))}, `
    if (rows.at(-1).length + text.length > 112) rows.push('')
    rows[rows.length - 1] += text
  }
  return `[\n${rows.map((row) => `    ${row.trimEnd()}`).join('\n')}\n  ]`
}

const tableOf = ({
  found,
  usual,
  ways,
}) => `// biome-ignore-all lint/suspicious/noApproximativeNumericConstant: learned, not rounded constants
/**
 * By how much found landmarks lean towards the usual face, as \`withoutLean\` takes it: the usual deviations from the average
 * head that are \`found\`, and the true ones, in distances of the outer corners of the eyes; and the ways in which true shapes
 * vary, each with the found deviations that \`tell\` it.
 *
 * Made by scripts/learn-face-shape.mjs from rendered heads of ICT-FaceKit, https://github.com/ICT-VGL/ICT-FaceKit, MIT
 * License, Copyright (c) 2020 USC Institute for Creative Technologies
 */
// biome-ignore format: rows of numbers
export const LEAN: {
  /** [75] as \`deviations\`. */
  found: readonly number[]
  /** [54] of \`TOLD_POINTS\`. */
  usual: readonly number[]
  /** [75] and [54] each. */
  ways: readonly { tell: readonly number[]; way: readonly number[] }[]
} = {
  found: ${listed(found)},
  usual: ${listed(usual)},
  ways: [${ways.map(({ tell, way }) => `{\n  tell: ${listed(tell)},\n  way: ${listed(way)},\n  }`).join(', ')}],
}
`

/** Distances found and true between all clips of different people, and found between clips of one. */
function measure(clips) {
  const shapes = clips.map(({ truth, found }) => ({
    found: evaluate.faceShape(found),
    true: { points: evaluate.SHAPE_POINTS.map((i) => trueShape(truth)[i]), faces: 1 },
  }))
  const out = { found: [], truth: [], same: [] }
  for (let i = 0; i < clips.length; i++)
    for (let j = 0; j < i; j++) {
      const apart = evaluate.shapesApart(shapes[i].found, shapes[j].found)
      if (clips[i].who === clips[j].who) {
        out.same.push(apart)
        continue
      }
      out.found.push(apart)
      out.truth.push(evaluate.shapesApart(shapes[i].true, shapes[j].true))
    }
  return out
}

const quartiles = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  return [0.25, 0.5, 0.75].map((q) => sorted[Math.floor(q * (sorted.length - 1))].toFixed(2)).join(' ')
}

const [folder, write] = process.argv.slice(2)
if (!folder) throw new Error('Usage: DFL_ICT_PACK=PACK node scripts/learn-face-shape.mjs FOLDER [--write]')
await mkdir(folder, { recursive: true })
const model = await synth.loadHeadPack()
const detector = await extract.blazeFace()
const landmarker = await extract.attentionMesh()
const tools = { model, networks: { detector, landmarker }, folder }
async function all(clips) {
  const out = []
  for (const clip of clips) out.push(await look(clip, tools))
  return out
}
if (write) {
  const table = learn(await all(taughtClips()))
  await writeFile(join(root, 'packages/evaluate/src/check/lean-table.ts'), tableOf(table))
  console.log('The table is written. Build @dfl/evaluate and measure.')
} else {
  const { found, truth, same } = measure(await all(unseenClips()))
  console.log(`pairs of unseen people: ${found.length}, of one person: ${same.length}`)
  const [pearson, spearman] = [evaluate.correlation(found, truth), evaluate.rankCorrelation(found, truth)]
  console.log(`found with true: Pearson ${pearson.toFixed(2)}, Spearman ${spearman.toFixed(2)}`)
  console.log(`quartiles: true ${quartiles(truth)}, found ${quartiles(found)}, of one person ${quartiles(same)}`)
}
for (const network of [detector, landmarker]) await network[Symbol.asyncDispose]()
