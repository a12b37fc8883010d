import { Random } from '@dfl/core'

/** Strengths 0..1 of expressions by ARKit's names. */
export type Weights = Record<string, number>

/** How much of everything a clip shows. Angles are from–to. */
export interface PerformanceRange {
  yawDegrees: readonly [from: number, to: number]
  pitchDegrees: readonly [from: number, to: number]
  rollDegrees: readonly [from: number, to: number]
  /** How far the lamp goes around the head; to the right in the picture above 0. */
  lightDegrees: readonly [from: number, to: number]
  /** How fast head and lamp go through their ranges; at 1 there and back takes about 11 and 30 seconds. */
  tempo: number
  /** Factors of the jaw, of smiles, and of everything else a face does; 1 is lively. */
  jaw: number
  smile: number
  expression: number
}

/** A lively performance that turns to both sides. */
export const USUAL_RANGE: PerformanceRange = {
  yawDegrees: [-38, 38],
  pitchDegrees: [-14, 14],
  rollDegrees: [-9, 9],
  lightDegrees: [-45, 45],
  tempo: 1,
  jaw: 1,
  smile: 1,
  expression: 1,
}

/** What a head does at one moment. */
export interface Moment {
  weights: Weights
  pose: { yawDegrees: number; pitchDegrees: number; rollDegrees: number }
  shiftCm: readonly [x: number, y: number]
  lightDegrees: number
}

/** A performance: what the head does at any time. */
export type Performance = (seconds: number) => Moment

/**
 * A made-up performance: talking in phrases, blinking, smiling, frowning, looking around, turning. Waves of different
 * lengths, whose phases the seed decides, so that it never repeats and every seed is another one.
 */
export function performance(seed: number, range: PerformanceRange = USUAL_RANGE): Performance {
  const random = new Random(seed)
  const waves = Array.from({ length: 20 }, () => ({ speed: random.uniform(0.6, 1.5), phase: random.uniform(0, 6.28) }))
  const wave = (k: number, speed: number, seconds: number) =>
    Math.sin(seconds * speed * waves[k].speed + waves[k].phase)
  const blinkEvery = 2.2 + 1.6 * waves[3].speed
  return (t) => {
    const talking = wave(2, 1, t) > -0.35 ? 1 : 0
    const jaw = range.jaw * talking * Math.max(0, 0.3 * wave(0, 8.5, t) + 0.22 * wave(1, 13.7, t))
    const blink = Math.max(0, 1 - Math.abs(((t + waves[3].phase) % blinkEvery) - 0.5) * 9)
    const some = range.expression
    const turn = (k: number, speed: number) => 0.8 * wave(k, range.tempo * speed, t) + 0.2 * wave(k + 1, 1.7, t)
    return {
      weights: expressionWeights({
        jaw,
        funnel: some * 0.3 * Math.max(0, wave(1, 5.1, t)) * (range.jaw > 0 ? 1 : 0),
        pucker: some * 1.6 * Math.max(0, 0.8 * wave(5, 0.47, t) - 0.45),
        smile: range.smile * Math.max(0, 0.25 + 0.55 * wave(4, 1, t)),
        crooked: 0.85 + 0.15 * wave(13, 1, t),
        brows: some * Math.max(0, 0.75 * wave(6, 1, t)),
        frown: some * Math.max(0, 0.8 * wave(7, 1, t) - 0.25),
        squint: some * Math.max(0, 0.6 * wave(10, 1, t) - 0.2),
        sneer: some * Math.max(0, 0.7 * wave(11, 0.6, t) - 0.4),
        jawSide: range.jaw * some * 0.25 * wave(12, 0.8, t),
        gazeSide: 0.55 * wave(8, 1.3, t),
        gazeUp: 0.4 * wave(9, 0.9, t),
        blinkLeft: blink,
        blinkRight: blink,
        upperLip: 0,
        lowerLip: 0,
      }),
      pose: {
        yawDegrees: within(range.yawDegrees, turn(14, 0.55)),
        pitchDegrees: within(range.pitchDegrees, turn(16, 0.43)),
        rollDegrees: within(range.rollDegrees, wave(18, range.tempo * 0.37, t)),
      },
      shiftCm: [0.9 * wave(9, 0.5, t), 0.5 * wave(10, 0.7, t)],
      lightDegrees: within(range.lightDegrees, wave(19, range.tempo * 0.21, t)),
    }
  }
}

/** What a face does, in a few words; strengths 0..1, sides −1..1. */
export interface FaceAction {
  jaw: number
  funnel: number
  pucker: number
  smile: number
  /** The right half of a smile as a share of the left. */
  crooked: number
  brows: number
  frown: number
  squint: number
  sneer: number
  jawSide: number
  gazeSide: number
  gazeUp: number
  blinkLeft: number
  blinkRight: number
  /** Lips beyond what the jaw moves them. */
  upperLip: number
  lowerLip: number
}

/** The expressions that together do what is asked for, 0..1 each. */
export function expressionWeights(a: FaceAction): Weights {
  const upper = a.jaw * 0.5 + a.sneer * 0.4 + a.upperLip
  const lower = a.jaw * 0.5 + a.lowerLip
  const both = (name: string, strength: number) => ({ [`${name}_L`]: strength, [`${name}_R`]: strength })
  const all: Weights = {
    jawOpen: a.jaw,
    mouthFunnel: a.funnel,
    mouthPucker: a.pucker,
    mouthSmile_L: a.smile,
    mouthSmile_R: a.smile * a.crooked,
    ...both('mouthFrown', a.frown * 0.5),
    ...both('mouthUpperUp', upper),
    ...both('mouthLowerDown', lower),
    eyeBlink_L: a.blinkLeft,
    eyeBlink_R: a.blinkRight,
    ...both('browInnerUp', a.brows),
    ...both('browOuterUp', a.brows * 0.6),
    ...both('browDown', a.frown * 0.8),
    ...both('eyeSquint', a.squint),
    ...both('cheekSquint', a.squint * 0.7),
    ...both('noseSneer', a.sneer),
    jawLeft: Math.max(0, a.jawSide),
    jawRight: Math.max(0, -a.jawSide),
    eyeLookOut_L: Math.max(0, a.gazeSide),
    eyeLookIn_R: Math.max(0, a.gazeSide),
    eyeLookIn_L: Math.max(0, -a.gazeSide),
    eyeLookOut_R: Math.max(0, -a.gazeSide),
    ...both('eyeLookUp', Math.max(0, a.gazeUp)),
    ...both('eyeLookDown', Math.max(0, -a.gazeUp)),
  }
  return Object.fromEntries(Object.entries(all).map(([name, v]) => [name, Math.min(1, Math.max(0, v))]))
}

/** A place of a range for −1..1. */
const within = ([from, to]: readonly [number, number], v: number) => (from + to) / 2 + ((to - from) / 2) * v
