import { Random } from '@dfl/core'
import { EXPOSURE_LIMITS, exposureStops, type FaceTraits, skinStops } from '@dfl/evaluate'
import {
  type ClipSpec,
  type HeadModel,
  type Look,
  loadHeadPack,
  randomLook,
  renderFrame,
  truthOf,
  USUAL_RANGE,
  usualScene,
} from '@dfl/synth'
import { benchArguments } from './bench-arguments.js'
import { type BenchContext, type Outcome, round, table } from './report.js'
import { traitsAt } from './traits-at.js'

/** Lights by what is changed: the lamps without the light from everywhere, and all of it down by 0.7 stops. */
const LIGHTS: Readonly<Record<string, Partial<ClipSpec['scene']['light']>>> = {
  equal: {},
  hard: { ambient: 0.16 },
  dim: { tint: [0.8, 0.8, 0.8] },
}
/** Heads of the pack, each painted anew for every person. */
const HEADS = 12
const FRAMES = 12
/** Frames from one that is looked at to the next. */
const STEP = 4
const CUT = { faceType: 'full_face', size: 160 } as const

interface Told {
  eyes?: number
  skin: number
}

const { whites, skin: ofSkin, whitesWithSkin } = EXPOSURE_LIMITS

/** What is counted of pairs of two people: the limits of `dfl check`. */
const COUNTED: readonly { name: string; is(told: Told): boolean }[] = [
  { name: `whites ${whites} stops darker`, is: ({ eyes = 0 }) => eyes <= -whites },
  { name: `skin ${ofSkin} stops darker`, is: ({ skin }) => skin <= -ofSkin },
  {
    name: `skin or light: skin ${ofSkin} darker, whites ${whitesWithSkin} to ${whites}`,
    is: ({ skin, eyes = 0 }) => skin <= -ofSkin && eyes <= -whitesWithSkin && eyes > -whites,
  },
]

/**
 * How often whites of eyes and skin say that DST's light is weaker than SRC's, where it is and where it is not, over all
 * pairs of different people of all skin tones. Rendered with exact landmarks; needs a pack of heads.
 */
export async function run(args: string[], context: BenchContext): Promise<Outcome> {
  const { values } = benchArguments(args, {
    people: { type: 'string', default: '24', about: 'how many people' },
    seed: { type: 'string', default: '777', about: 'who they are' },
  })
  const model = await loadHeadPack()
  const count = Number(values.people)
  const faces: Record<string, FaceTraits[][]> = {}
  for (const [light, change] of Object.entries(LIGHTS))
    faces[light] = Array.from({ length: count }, (_, i) => {
      context.say(`${light} light, person ${i + 1} of ${count}`)
      return facesOf(model, { head: i % HEADS, look: randomLook(new Random(Number(values.seed) + i)), change, seed: i })
    })
  const equal = faces.equal!
  const rows = Object.entries(faces).map(([light, dst]) => {
    const told = equal.flatMap((src, i) => dst.flatMap((other, j) => (i === j ? [] : [toldOf(src, other)])))
    const own = equal.map((src, i) => toldOf(src, dst[i]!))
    const rms = (of: (one: Told) => number) =>
      round(Math.sqrt(told.reduce((sum, one) => sum + of(one) ** 2 / told.length, 0)), 2)
    return {
      ...{ light, pairs: told.length },
      shares: COUNTED.map(({ is }) => round(told.filter(is).length / told.length)),
      rms: { eyes: rms(({ eyes = 0 }) => eyes), skin: rms(({ skin }) => skin) },
      ownSkin: [Math.min(...own.map(({ skin }) => skin)), Math.max(...own.map(({ skin }) => skin))].map((v) =>
        round(v, 2),
      ),
    }
  })
  const text = table(
    ["DST's light", 'pairs', ...COUNTED.map(({ name }) => name), 'rms whites', 'rms skin', 'skin of one person'],
    rows.map(({ light, pairs, shares, rms, ownSkin }) => [
      ...[light, pairs, ...shares.map((share) => `${Math.round(100 * share)} %`)],
      ...[rms.eyes, rms.skin, ownSkin.join(' to ')],
    ]),
  )
  return { text, data: { rows } }
}

function toldOf(src: readonly FaceTraits[], dst: readonly FaceTraits[]): Told {
  const eyes = exposureStops(src, dst)
  return { ...(eyes === undefined ? {} : { eyes }), skin: skinStops(src, dst) }
}

function facesOf(
  model: HeadModel,
  { head, look, change, seed }: { head: number; look: Look; change: Partial<ClipSpec['scene']['light']>; seed: number },
): FaceTraits[] {
  const scene = usualScene({ width: 480, height: 270 })
  const spec: ClipSpec = {
    ...{ identity: head, look, seed: 500 + seed, frames: FRAMES * STEP, fps: 12 },
    range: { ...USUAL_RANGE, tempo: 4, yawDegrees: [-30, 30], lightDegrees: [-40, 40] },
    scene: { ...scene, light: { ...scene.light, ...change } },
  }
  return Array.from({ length: FRAMES }, (_, i) => {
    const frameIndex = i * STEP
    const { lm68 } = truthOf(model, spec, frameIndex)
    return traitsAt(renderFrame(model, spec, frameIndex).image, lm68, { ...CUT, frameIndex })
  })
}
