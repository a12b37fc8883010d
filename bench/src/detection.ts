import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Landmarks, median, Random } from '@dfl/core'
import { exists } from '@dfl/core/files'
import { blazeFace, type DetectFacesOptions, detectFaces, faceLandmarker } from '@dfl/extract'
import { openFrames } from '@dfl/media'
import { landmarksOf, loadHeadPack, lookOf, PACK_VARIABLE, renderHead, shapeOf, USUAL_SCENE } from '@dfl/synth'
import { benchArguments } from './bench-arguments.js'
import { CONDITIONS, type KnownFace, type KnownPicture } from './detection-conditions.js'
import { demoClip } from './footage.js'
import { type BenchContext, type Outcome, round, table } from './report.js'

/** What came of all pictures of one condition. */
interface Tally {
  truth: number
  found: number
  right: number
  /** Of every face found: mean error of the inner 51 points as a part of the distance of the eyes. */
  errors: number[]
}

/** A found face whose points lie farther from a true one than this part of the distance of the eyes is not that face. */
const SAME_FACE = 0.5

/** How far turned the heads are that are drawn for profiles, in degrees of yaw. */
const YAWS = [0, 30, 45, 60, 75, 80, 85, 90, 95]

/** Whose: people that the network for profiles has not learnt from (`START_PEOPLE`). */
const TURNED_PEOPLE = [1, 2, 7, 9]

/**
 * What `detectFaces` finds in single pictures that are made hard to look at, beside what is truly there.
 *
 * The truth of a clip is its `.json` where there is one; else it is what is found in the undisturbed picture.
 */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values, positionals } = benchArguments(
    args,
    {
      frames: { type: 'string', default: '3', about: 'frames of a clip' },
      only: { type: 'string', default: '', about: 'conditions whose names begin so, with commas between them' },
      'min-size': { type: 'string', default: '16', about: 'smallest face in pixels' },
    },
    "clips or pictures; the demo's if none is given",
  )
  await using detector = await blazeFace()
  await using landmarker = await faceLandmarker()
  const options = { detector, landmarker, minSize: Number(values['min-size']) }
  const clips = positionals.length > 0 ? positionals : [demoClip('src'), demoClip('dst')]
  const pictures = await Promise.all(clips.map((clip) => picturesOf(clip, Number(values.frames), options)))
  const found: Record<string, Tally> = {}
  const began = performance.now()
  for (const [name, condition] of Object.entries(CONDITIONS)) {
    if (!name.includes(values.only)) continue
    const random = new Random(1)
    for (const list of pictures)
      for (const [i, picture] of list.entries()) {
        context.say(`${name}: picture ${i + 1} of ${list.length}`)
        // Of three faces the second and third are other people where there are other clips.
        const others = [1, 2].map((k) => {
          const from = pictures[(pictures.indexOf(list) + k) % pictures.length]!
          return from[(i + k) % from.length]!
        })
        await count(found, name, condition(picture, random, others), options)
      }
  }
  const profiles = process.env[PACK_VARIABLE] && 'profile'.includes(values.only)
  if (profiles) for await (const { yaw, picture } of turnedHeads()) await count(found, `yaw ${yaw}`, picture, options)
  const rows = Object.entries(found).map(([name, { truth, found, right, errors }]) => [
    name,
    truth,
    percent(right, truth),
    percent(right, found),
    errors.length > 0 ? round(median(errors) * 100, 1) : '-',
    errors.length > 0 ? round(quantile(errors, 0.9) * 100, 1) : '-',
  ])
  const seconds = round((performance.now() - began) / 1000, 1)
  const text = [
    table(['condition', 'faces', 'recall %', 'precision %', 'error % median', 'error % 90th'], rows),
    '',
    `Error: mean distance of landmarks 17..67 from the truth, in parts of the distance of the eyes. ${seconds} s in all.`,
    ...(profiles ? [] : [`Set ${PACK_VARIABLE} to a pack of heads to draw profiles too.`]),
  ].join('\n')
  const data = Object.entries(found).map(([condition, { errors, ...counts }]) => ({
    condition,
    ...counts,
    errors: errors.map((error) => round(error, 4)),
  }))
  return { text, data: { clips: clips.map((clip) => basename(clip)), conditions: data } }
}

/** Frames spread over a clip, or a picture, with their truth. */
async function picturesOf(clip: string, count: number, options: DetectFacesOptions): Promise<KnownPicture[]> {
  const known = clip.replace(/\.\w+$/, '.json')
  const truth = (await exists(known))
    ? (JSON.parse(await readFile(known, 'utf8')) as { frames: { lm68: Landmarks }[] }).frames
    : undefined
  await using source = await openFrames(clip)
  const step = Math.max(1, Math.floor(source.info.frameCount / count))
  const out: KnownPicture[] = []
  for await (const frame of source.frames()) {
    if (frame.index % step === step >> 1) {
      const image = frame.bitmap
      const all = truth ? [truth[frame.index]!.lm68] : (await detectFaces(image, options)).map((face) => face.landmarks)
      // Pictures are of one face each, so that they can be made smaller to a size and stand side by side.
      if (all.length === 1)
        out.push({ image, faces: all.map((landmarks) => ({ landmarks, eyeDistance: eyes(landmarks) })) })
    }
    frame.close()
    if (frame.index >= step * (count - 1) + (step >> 1)) break
  }
  return out
}

const eyes = (landmarks: Landmarks) =>
  Math.hypot(landmarks[36]![0] - landmarks[45]![0], landmarks[36]![1] - landmarks[45]![1])

/** Heads of a pack, turned to both sides. */
async function* turnedHeads(): AsyncGenerator<{ yaw: number; picture: KnownPicture }> {
  const model = await loadHeadPack()
  for (const yaw of YAWS)
    for (const person of TURNED_PEOPLE)
      for (const yawDegrees of [yaw, -yaw]) {
        const shape = shapeOf(model, person, {})
        const look = lookOf(person)
        const scene = { ...USUAL_SCENE, width: 480, height: 360 }
        const pose = { ...USUAL_SCENE.pose, yawDegrees }
        const { image, landmarks } = renderHead(model, shape, { look, scene: { ...scene, pose } })
        const straight = landmarksOf(model, shape, scene)
        yield { yaw, picture: { image, faces: [{ landmarks, eyeDistance: eyes(straight) }] } }
      }
}

async function count(all: Record<string, Tally>, name: string, picture: KnownPicture, options: DetectFacesOptions) {
  const tally = (all[name] ??= { truth: 0, found: 0, right: 0, errors: [] })
  const faces = await detectFaces(picture.image, options)
  const rest = [...faces]
  tally.truth += picture.faces.length
  tally.found += faces.length
  for (const truth of picture.faces) {
    const errors = rest.map(({ landmarks }) => errorOf(landmarks, truth))
    const best = errors.indexOf(Math.min(...errors))
    if (best < 0 || errors[best]! > SAME_FACE) continue
    rest.splice(best, 1)
    tally.right++
    tally.errors.push(errors[best]!)
  }
}

function errorOf(landmarks: Landmarks, { landmarks: truth, eyeDistance }: KnownFace): number {
  let sum = 0
  for (let i = 17; i < 68; i++) sum += Math.hypot(landmarks[i]![0] - truth[i]![0], landmarks[i]![1] - truth[i]![1])
  return sum / 51 / eyeDistance
}

const percent = (part: number, all: number) => (all > 0 ? round((100 * part) / all, 0) : '-')

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}
