import { Random } from '@dfl/core'
import type { Identity } from './head-model.js'
import { CANONICAL_LOOK, type Look, randomLook } from './look.js'
import { expressionWeights, type Weights } from './performance.js'
import type { Scene } from './scene.js'

/** The people that starting weights are taught with: those of the demo and of the benchmarks' pairs are not among them. */
export const START_PEOPLE: readonly number[] = [0, 3, 4, 5, 6, 8, 10, 11]

/** The one head that starting weights learn to paint: the mean of all who are taught with. */
export const CANONICAL_IDENTITY: Identity = Object.fromEntries(
  START_PEOPLE.map((person) => [person, 1 / START_PEOPLE.length]),
)

/** A random head and the canonical one in the same picture: what they share, and what tells them apart. */
export interface StartHead {
  expression: Weights
  scene: Scene
  head: StartPerson
  canonical: StartPerson
}

/** Whose head it is. */
export interface StartPerson {
  identity: Identity
  look: Look
  /** How much further out the eyes are than in `identity`. */
  eyesForwardCm: number
}

/**
 * The n-th pair for teaching starting weights: a random head, often a mixture that goes a little beyond the people it is
 * made of, in a random pose, expression, light and background.
 *
 * @param sizePx Side of the square picture.
 */
export function startHead(n: number, sizePx = 208): StartHead {
  const random = new Random(70_000 + n)
  return {
    head: {
      identity: randomIdentity(random),
      look: randomLook(random),
      eyesForwardCm: random.chance(0.5) ? 0 : random.uniform(0, 0.3),
    },
    canonical: { identity: CANONICAL_IDENTITY, look: CANONICAL_LOOK, eyesForwardCm: 0 },
    expression: randomExpression(random),
    scene: randomScene(random, sizePx),
  }
}

function randomIdentity(random: Random): Identity {
  const pick = () => START_PEOPLE[random.integer(START_PEOPLE.length)]
  if (random.chance(0.35)) return pick()
  const weights: Record<number, number> = {}
  const x = random.uniform(-0.3, 1.3)
  const y = random.uniform(-0.2, 0.2)
  for (const weight of [x, 1 - x - y, y]) {
    const person = pick()
    weights[person] = (weights[person] ?? 0) + weight
  }
  return weights
}

function randomExpression(random: Random): Weights {
  /** 0 most of the time, otherwise up to `most`. */
  const sometimes = (probability: number, most = 1) => (random.chance(probability) ? most * random.uniform() : 0)
  const jaw = random.chance(0.45) ? 0 : random.uniform() ** 1.5 * 0.75
  const shut = random.chance(0.5) ? 1 : random.uniform()
  const blink = random.chance(0.45) ? shut : random.chance(0.3) ? random.uniform(0, 0.3) : 0
  return expressionWeights({
    jaw,
    smile: sometimes(0.5),
    crooked: random.uniform(0.8, 1),
    pucker: sometimes(0.25),
    brows: sometimes(0.4),
    frown: sometimes(0.3, 0.8),
    squint: sometimes(0.3, 0.7),
    sneer: sometimes(0.2, 0.6),
    jawSide: random.chance(0.3) ? random.uniform(-0.25, 0.25) : 0,
    gazeSide: random.uniform(-0.7, 0.7),
    gazeUp: random.uniform(-0.55, 0.55),
    blinkLeft: blink,
    blinkRight: random.chance(0.06) ? random.uniform() : blink,
    funnel: sometimes(0.3, 0.6),
    upperLip: sometimes(0.3, 0.6),
    lowerLip: sometimes(0.3, 0.6),
  })
}

function randomScene(random: Random, sizePx: number): Scene {
  /** About normal, never beyond 3.5. */
  const bell = () => 1.73 * (random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2)
  const around = 1.3 * bell()
  const yawDegrees = 22 * bell()
  const pitchDegrees = 10 * bell()
  const radians = Math.PI / 180
  const gray = random.uniform(30, 200)
  const warm = (spread: number) => Math.min(1.25, Math.max(0.75, 1 + spread * bell()))
  return {
    pose: { yawDegrees, pitchDegrees, rollDegrees: 6 * bell() },
    width: sizePx,
    height: sizePx,
    distanceCm: 75,
    fovDegrees: 18,
    // Turned heads are moved back, so that the face stays in the middle.
    shiftCm: [0.4 * bell() - 5 * Math.sin(yawDegrees * radians), 0.4 * bell() - 2 * Math.sin(pitchDegrees * radians)],
    light: {
      direction: [Math.sin(around), 0.5 + 0.4 * bell(), 0.9 * Math.cos(around) + 0.25],
      ambient: Math.min(0.7, Math.max(0.15, 0.38 + 0.12 * bell())),
      tint: [warm(0.05), warm(0.025), warm(0.05)],
    },
    background: {
      color: [gray + 25 * bell(), gray + 25 * bell(), gray + 25 * bell()],
      seed: 1 + random.integer(30),
    },
  }
}
