import type { Evaluation } from '../evaluation.js'
import { decimal, sayPercent } from '../say-number.js'
import { grade } from './grade.js'
import type { Figure } from './html.js'

/** The numbers of an evaluation by the question that they answer, each with the sentence that explains it. */
export function evaluationFigures(evaluation: Evaluation): readonly { title: string; figures: readonly Figure[] }[] {
  return [
    { title: 'Does it look like SRC?', figures: identityFigures(evaluation) },
    { title: 'Does it do what DST does?', figures: performanceFigures(evaluation) },
    { title: 'Does it fit the picture?', figures: pictureFigures(evaluation) },
    { title: 'Is it steady?', figures: steadyFigures(evaluation) },
  ]
}

/** '2 frames late' */
export function delayText(frames: number): string {
  const count = Math.abs(frames)
  return `${count} ${count === 1 ? 'frame' : 'frames'} ${frames > 0 ? 'late' : 'early'}`
}

/** ΔE*ab of the step at the edge of the change: merges with a soft edge lie up to 3; from 4 on people see a line. */
export const BORDER_LIMITS = { soft: 3, plain: 4 } as const

/** How much more blurred than DST's a face may be: true swaps lie up to 0.03 above, blurred by 1 px of 480x270 at 0.13 to 0.17. */
export const BLUR_LIMITS = { soft: 0.05, verySoft: 0.1 } as const

function identityFigures({ likeness, identity }: Evaluation): Figure[] {
  return [
    {
      name: 'Likeness',
      value: decimal(likeness.identity),
      meaning: `0 is as far from SRC as DST is, below 0 further, 1 as near as ${likeness.perfectIs === 'truth' ? 'the true swap' : 'SRC is to itself'}.`,
      verdict: grade(likeness.identity, 0.8, 0.5),
    },
    {
      name: 'Leak of DST',
      value: decimal(identity.leak),
      meaning: '0 is as far from DST as SRC is, below 0 further, 1 as near to DST as DST is to itself.',
      verdict: grade(identity.leak, 0.3, 0.6),
    },
    {
      name: 'Retrieval',
      value: sayPercent(identity.retrieval),
      meaning: "Share of faces whose most similar face among all of SRC's and DST's is one of SRC's.",
      verdict: grade(identity.retrieval, 0.95, 0.7),
    },
    {
      name: 'Distance to SRC',
      value: identity.toSrc.toFixed(2),
      meaning: `How unlike the ten most similar faces of SRC it looks to a network that knows people: faces of one person are closer than 0.6. To DST it is ${identity.toDst.toFixed(2)}.`,
    },
  ]
}

function performanceFigures({ performance, truthPerformance, likeness }: Evaluation): Figure[] {
  const best = (of: (error: Evaluation['performance']) => number, unit: '°' | ' %') =>
    truthPerformance ? `; the true swap's is ${of(truthPerformance).toFixed(1)}${unit}` : ''
  const names = { yaw: 'Turn follows', mouth: 'Mouth follows', eyes: 'Eyes follow' } as const
  const follows = (['yaw', 'mouth', 'eyes'] as const).flatMap((name): Figure[] => {
    const value = likeness.performance[name]
    if (value === undefined) return []
    const verdict = grade(value, 0.9, 0.7)
    return [
      {
        name: names[name],
        value: decimal(value),
        meaning: `Correlation of ${name === 'yaw' ? 'the turn of the head' : `the opening of the ${name}`} with DST's over the clip; 1 follows exactly.`,
        verdict,
      },
    ]
  })
  return [
    ...follows,
    {
      name: 'Delay',
      value: performance.delayFrames === 0 ? 'none' : delayText(performance.delayFrames),
      meaning: "The shift in time at which the face moves over the picture most like DST's.",
      verdict: performance.delayFrames === 0 ? 'good' : 'poor',
    },
    {
      name: 'Pose error',
      value: `${performance.poseDegrees.toFixed(1)}°`,
      meaning: `Mean difference of yaw, pitch and roll from DST's${best((e) => e.poseDegrees, '°')}.`,
      verdict: grade(performance.poseDegrees, 3, 6),
    },
    {
      name: 'Mouth error',
      value: `${performance.mouth.toFixed(1)} %`,
      meaning: `Difference of the opening from DST's, in % of the distance of the eyes${best((e) => e.mouth, ' %')}.`,
    },
    {
      name: 'Eye error',
      value: `${performance.eyes.toFixed(1)} %`,
      meaning: `Difference of the opening from DST's, in % of the distance of the eyes${best((e) => e.eyes, ' %')}.`,
    },
    {
      name: 'Landmark error',
      value: `${performance.landmarks.toFixed(1)} %`,
      meaning: `Mean distance of the landmarks from DST's, in % of the distance of the eyes; another person's face is never 0${best((e) => e.landmarks, ' %')}.`,
    },
  ]
}

function pictureFigures({ picture }: Evaluation): Figure[] {
  const { truth, truthFace = truth } = picture
  const softer = Math.max(0, picture.blur.result - picture.blur.dst)
  return [
    {
      name: 'Colour step at the edge',
      value: `${picture.borderColor.toFixed(1)} ΔE`,
      meaning:
        'The step in colour where the change ends, wherever that is, which DST does not have there; 2 is just visible, soft merges have up to 3.',
      verdict: grade(picture.borderColor, BORDER_LIMITS.soft, BORDER_LIMITS.plain),
    },
    {
      name: 'Softer than DST by',
      value: softer.toFixed(2),
      meaning: `How much more blurred the middle of the face is (${picture.blur.result.toFixed(2)}) than DST's (${picture.blur.dst.toFixed(2)}), on a scale from 0 sharp to 1.`,
      verdict: grade(softer, BLUR_LIMITS.soft, BLUR_LIMITS.verySoft),
    },
    {
      name: 'Grain',
      value: picture.grain.toFixed(2),
      meaning:
        'Grain inside the border over grain outside, relative to DST; 1 fits, less is smoother than its surroundings.',
      verdict: grade(Math.abs(Math.log(picture.grain)), 0.3, 0.6),
    },
    {
      name: 'DST still visible',
      value: sayPercent(picture.uncovered),
      meaning:
        "Share of DST's face where the result is unchanged or looks alike: an upper bound of what the mask left uncovered.",
      verdict: grade(picture.uncovered, 0.2, 0.4),
    },
    ...(truth && truthFace
      ? [
          {
            name: 'SSIM to the truth',
            value: truthFace.ssim.toFixed(3),
            meaning: `Structure inside the face compared with the true swap's, laid on DST's face; 1 is equal (where its own head has it, ${truth.ssim.toFixed(3)}, which no swap into DST's head can raise).`,
          },
          {
            name: 'Perceptual distance',
            value: truthFace.gmsd.toFixed(3),
            meaning: `How far edges deviate from the true swap's, laid on DST's face (GMSD); 0 is equal, 0.1 plainly visible (where its own head has it, ${truth.gmsd.toFixed(3)}).`,
          },
          {
            name: 'Colour error',
            value: `${truth.color.toFixed(1)} ΔE`,
            meaning: 'Mean colour difference from the true swap inside the face; 2 is just visible.',
          },
          {
            name: 'Error in face',
            value: `${(100 * truth.mae).toFixed(1)} %`,
            meaning: 'Mean difference from the true swap inside the face, in % of full brightness.',
          },
        ]
      : []),
  ]
}

function steadyFigures({ steadiness: { flicker, jitter } }: Evaluation): Figure[] {
  return [
    {
      name: 'Flicker',
      value: `${flicker.toFixed(2)} %`,
      meaning:
        "Trembling of the face's brightness from frame to frame, in % of full brightness, beyond what movement like DST's explains.",
      verdict: grade(flicker, 0.5, 1),
    },
    ...(jitter.samples > 0
      ? [
          {
            name: 'Jitter',
            value: `${jitter.added.toFixed(2)} %`,
            meaning: `Trembling of the landmarks beyond that of another person who does what DST does, in % of the distance of the eyes; DST's own acceleration is ${jitter.dst.toFixed(2)} %.`,
            verdict: grade(jitter.added, 1, 2),
          },
        ]
      : []),
  ]
}
