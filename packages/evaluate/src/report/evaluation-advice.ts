import type { Advice } from '../check/advice.js'
import type { Evaluation } from '../evaluation.js'
import { decimal, sayPercent } from '../say-number.js'
import { BLUR_LIMITS, BORDER_LIMITS, delayText, evaluationFigures } from './evaluation-figures.js'
import type { Figure } from './html.js'

/** From this share of the face on that did not change, nothing was swapped. */
const UNTOUCHED = 0.95

/** What to do about a result, most urgent first. */
export function evaluationAdvice(evaluation: Evaluation): Advice[] {
  const { likeness, identity, performance, picture, steadiness } = evaluation
  const out: Advice[] = []
  const untouched = picture.uncovered > UNTOUCHED
  if (untouched)
    out.push({
      urgency: 'do',
      text: 'The result is DST itself: give the merged clip with --result, or merge again with a smaller --erode and the usual --mask.',
      evidence: `${sayPercent(picture.uncovered)} of the face did not change, so the numbers below say nothing of a swap.`,
    })
  else if (identity.leak > 0.6)
    out.push({
      urgency: 'do',
      text: 'The result still looks like DST: train longer, and check that SRC covers DST (dfl check).',
      evidence: `It is ${sayPercent(Math.min(1, identity.leak))} as near to DST as DST is to itself.`,
    })
  else if (likeness.identity < 0.2)
    out.push({
      urgency: 'do',
      text: 'The result looks like neither SRC nor DST: check that it was merged with a model of this SRC; if so, train longer.',
      evidence: `Likeness ${decimal(likeness.identity)} of 1, leak of DST ${decimal(identity.leak)}.`,
    })
  else if (likeness.identity < 0.5)
    out.push({
      urgency: 'do',
      text: 'It looks little like SRC: train longer, and check that SRC covers DST (dfl check).',
      evidence: `Likeness ${decimal(likeness.identity)} of 1.`,
    })
  else if (likeness.identity < 0.7)
    out.push({
      urgency: 'consider',
      text: 'It looks like SRC in part: more training, or SRC footage nearer to DST, brings it closer.',
      evidence: `Likeness ${decimal(likeness.identity)} of 1.`,
    })
  if (performance.delayFrames !== 0)
    out.push({
      urgency: 'do',
      text: `The result runs ${delayText(performance.delayFrames)}: merge again into this very clip of DST, or shift one of the two.`,
      evidence: "So shifted, its face moves over the picture much more like DST's.",
    })
  if ((likeness.performance.mouth ?? 1) < 0.7)
    out.push({
      urgency: 'do',
      text: "The mouth does not follow DST's: train longer with eyes and mouth weighed more (--eyes-mouth-prio).",
      evidence: `Correlation ${decimal(likeness.performance.mouth ?? 0)}; the mouth is off by ${performance.mouth.toFixed(1)} % of the distance of the eyes.`,
    })
  if ((likeness.performance.eyes ?? 1) < 0.5)
    out.push({
      urgency: 'consider',
      text: "The lids do not follow DST's: look at its blinks, and train longer with eyes and mouth weighed more (--eyes-mouth-prio).",
      evidence: `Correlation ${decimal(likeness.performance.eyes ?? 0)}. Blinks on dark lids are often not found, in DST too: trust your eyes here.`,
    })
  if (picture.borderColor > BORDER_LIMITS.plain)
    out.push({
      urgency: 'do',
      text: 'The edge of the new face shows: merge with another --color-transfer, such as rct or lct, or with a larger --blur.',
      evidence: `Colours step there by ${picture.borderColor.toFixed(1)} ΔE, which they do not in DST; 2 is just visible.`,
    })
  const softer = picture.blur.result - picture.blur.dst
  if (softer > BLUR_LIMITS.verySoft)
    out.push({
      urgency: 'consider',
      text: 'The face is softer than DST: train longer; if it stays so, train at a higher resolution or with sharper SRC.',
      evidence: `Blur of the face is ${picture.blur.result.toFixed(2)}, in DST ${picture.blur.dst.toFixed(2)} (0 is sharp); a true swap differs by 0.03 at most.`,
    })
  if (picture.grain < 0.6)
    out.push({
      urgency: 'consider',
      text: 'The face is smoother than the picture around it: merge with --grain 100, or train at a higher resolution.',
      evidence: `Grain inside is ${picture.grain.toFixed(2)} of what it was in DST.`,
    })
  if (!untouched && picture.uncovered > 0.35)
    out.push({
      urgency: 'consider',
      text: 'Much of DST stays visible in the face: merge with a smaller --erode.',
      evidence: `${sayPercent(picture.uncovered)} of DST's face is unchanged or looks alike.`,
    })
  // What is late looks as if it trembled.
  const inTime = performance.delayFrames === 0
  if (inTime && steadiness.flicker > 1)
    out.push({
      urgency: 'consider',
      text: 'The face flickers: train longer, or merge with a longer --smooth-seconds.',
      evidence: `Brightness trembles by ${steadiness.flicker.toFixed(2)} % beyond what DST's movement explains.`,
    })
  if (inTime && steadiness.jitter.added > 2)
    out.push({
      urgency: 'consider',
      text: 'The face trembles: smooth the landmarks of DST when extracting, or train longer.',
      evidence: `Its landmarks tremble by ${steadiness.jitter.added.toFixed(1)} % of the distance of the eyes more than another person's would.`,
    })
  if (likeness.found < 0.95)
    out.push({
      urgency: 'consider',
      text: 'In some frames no face is found any more: look at those frames.',
      evidence: `A face is found in ${sayPercent(likeness.found)} of the frames where DST has one.`,
    })
  const graded = evaluationFigures(evaluation).flatMap(({ figures }) => figures)
  const names = (verdict: Figure['verdict']) => graded.filter((one) => one.verdict === verdict).map(({ name }) => name)
  const [good, fair, poor] = [names('good'), names('fair'), names('poor')]
  if (out.length === 0 && poor.length > 0)
    out.push({
      urgency: 'consider',
      text: 'Look at what is poor below: if you see it in the clip, train longer and merge again.',
      evidence: `Poor: ${poor.join(', ')}.`,
    })
  if (out.every(({ urgency }) => urgency === 'consider'))
    out.push({
      urgency: 'fine',
      text:
        out.length > 0
          ? 'Nothing must be mended. Look at the clip at full speed, and stop where you like what you see.'
          : 'Nothing stands out. Look at the clip at full speed: if you like it, you are done; else train longer and merge again.',
      evidence:
        poor.length + fair.length === 0
          ? 'All numbers are in their good range.'
          : [
              `Good: ${good.length} of ${good.length + fair.length + poor.length} graded numbers.`,
              ...(fair.length > 0 ? [`Fair: ${fair.join(', ')}.`] : []),
              ...(poor.length > 0 ? [`Poor: ${poor.join(', ')}.`] : []),
            ].join(' '),
    })
  const order = { do: 0, consider: 1, fine: 2 }
  return out.sort((a, b) => order[a.urgency] - order[b.urgency])
}
