import type { Advice } from './advice.js'

/** Stops that count, of DST against SRC. See docs/design/insight.md. */
export const EXPOSURE_LIMITS = {
  /**
   * The whites of the eyes differ by so much where the light is said to: of 552 pairs of different rendered people 6 % do in
   * equal light, 72 % where DST's light is about 0.7 stops weaker.
   */
  whites: 0.5,
  /**
   * The skin differs by so much where it is worth a look: lamps that are 0.7 stops weaker, or lack their fill, took 0.62 to
   * 0.71 off one face's skin, and people in equal light differ by 0.97 (root mean square).
   */
  skin: 0.4,
  /** Whites that differ by less, or the other way, say that it is the skin. */
  whitesWithSkin: 0.1,
} as const

/**
 * What to do about light that is much weaker or stronger; or, where only the skin is and eyes do not settle it, that it may
 * be. The study saw no loss by it, so it is never urgent.
 *
 * @param eyes Stops that DST's whites of the eyes are brighter than SRC's, as `exposureStops`; nothing where they are not seen.
 * @param skin The same of the skin, as `skinStops`.
 */
export function aboutExposure(eyes: number | undefined, skin: number): Advice[] {
  if (eyes !== undefined && Math.abs(eyes) >= EXPOSURE_LIMITS.whites) return [otherLight(eyes)]
  const settled = eyes !== undefined && Math.sign(skin) * eyes < EXPOSURE_LIMITS.whitesWithSkin
  return Math.abs(skin) < EXPOSURE_LIMITS.skin || settled ? [] : [skinOrLight(eyes, skin)]
}

function otherLight(stops: number): Advice {
  const by = Math.abs(stops).toFixed(1)
  const { light, grade, than } = wordsOf(stops)
  return {
    urgency: 'consider',
    text: `Shoot or find SRC in ${light} light, or bring it ${grade} by ${by} stops before extracting: DST's light is one that SRC does not have.`,
    evidence: `The whites of the eyes are ${by} stops ${than} in DST than in SRC.`,
    assumes: 'That neither clip is graded to be dark or bright: then match the grades.',
  }
}

function skinOrLight(eyes: number | undefined, skin: number): Advice {
  const by = Math.abs(skin).toFixed(1)
  const { grade, than } = wordsOf(skin)
  return {
    urgency: 'fine',
    text: `DST's faces are ${by} stops ${than} than SRC's: skin or light. Compare the backgrounds and the whites of the eyes: if DST's scene is ${than}, bring SRC ${grade} by as much before extracting; if only its skin is, leave both.`,
    evidence:
      eyes === undefined
        ? 'The whites of the eyes are not seen well enough to tell them apart.'
        : `The whites of the eyes are ${Math.abs(eyes).toFixed(1)} stops ${than}: too little to tell them apart.`,
  }
}

const wordsOf = (stops: number) =>
  stops < 0 ? { light: 'dimmer', grade: 'down', than: 'darker' } : { light: 'brighter', grade: 'up', than: 'brighter' }
