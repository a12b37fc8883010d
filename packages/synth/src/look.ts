import { Random } from '@dfl/core'

/** A colour, 0..255 each. */
export type Color = readonly [r: number, g: number, b: number]

/** What a head is painted like. */
export interface Look {
  skin: Color
  lip: Color
  brow: Color
  hair: Color
  iris: Color
  /** Half the height of the brows, in cm. */
  browCm: number
  /** 0..1 each. */
  stubble: number
  freckles: number
}

/** The one look that starting weights learn to paint: of nobody. */
export const CANONICAL_LOOK: Look = {
  skin: [200, 148, 120],
  lip: [165, 88, 84],
  brow: [50, 36, 28],
  hair: [60, 44, 32],
  iris: [92, 90, 80],
  browCm: 0.42,
  stubble: 0,
  freckles: 0.1,
}

const IRISES: readonly Color[] = [
  [96, 128, 150],
  [62, 42, 28],
  [98, 132, 92],
  [110, 88, 50],
  [70, 60, 50],
]

/** A look drawn at random: all skin tones, dark hair more often with dark skin, sometimes gray. */
export function randomLook(random: Random): Look {
  const dark = random.uniform() ** 0.8
  const skin = map([236 - 130 * dark, 190 - 122 * dark, 166 - 118 * dark], (v) => v * random.uniform(0.93, 1.07))
  const fair = random.uniform() * (1 - dark)
  const gray = random.chance(0.15)
  const hair: Color = gray
    ? [random.uniform(120, 200), random.uniform(110, 180), random.uniform(100, 170)]
    : [30 + 150 * fair, 22 + 105 * fair, 18 + 55 * fair]
  const browShade = random.uniform(0.7, 1)
  return {
    skin,
    lip: [
      skin[0] * random.uniform(0.8, 0.9),
      skin[1] * random.uniform(0.5, 0.75),
      skin[2] * random.uniform(0.52, 0.77),
    ],
    brow: map(hair, (v) => v * browShade),
    hair,
    iris: IRISES[random.integer(IRISES.length)],
    browCm: random.uniform(0.25, 0.67),
    stubble: random.chance(0.35) ? random.uniform(0, 0.9) : 0,
    freckles: random.uniform(0, 0.5),
  }
}

/** The look of a numbered person: always the same for the same number. */
export const lookOf = (person: number): Look => randomLook(new Random(9000 + person))

const map = ([r, g, b]: Color, of: (v: number) => number): Color => [of(r), of(g), of(b)]
