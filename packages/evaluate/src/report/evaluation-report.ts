import type { Evaluation } from '../evaluation.js'
import { sayPercent } from '../say-percent.js'
import { grade } from './grade.js'
import { type Figure, figureCards, htmlReport, pictureSheet, type Section, tableOf, todoList } from './html.js'

/** What to do about a result, most urgent first. */
export function evaluationAdvice({ likeness, identity, performance, picture, steadiness }: Evaluation) {
  const out: { urgency: 'do' | 'consider' | 'fine'; text: string; evidence: string }[] = []
  if (identity.leak > 0.6)
    out.push({
      urgency: 'do',
      text: 'The result still looks like DST: train longer, and check that SRC covers DST (dfl check).',
      evidence: `It is ${sayPercent(Math.min(1, identity.leak))} as near to DST as DST is to itself.`,
    })
  else if (likeness.identity < 0.7)
    out.push({
      urgency: 'consider',
      text: 'It looks like SRC in part: more training, or SRC footage nearer to DST, brings it closer.',
      evidence: `Likeness ${likeness.identity.toFixed(2)} of 1.`,
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
      text: "The mouth does not follow DST's: train longer with eyes and mouth weighed more.",
      evidence: `Correlation ${likeness.performance.mouth?.toFixed(2)}; the mouth is off by ${performance.mouth.toFixed(1)} % of the distance of the eyes.`,
    })
  if ((likeness.performance.eyes ?? 1) < 0.5)
    out.push({
      urgency: 'consider',
      text: "The lids do not follow DST's: look at its blinks, and train longer with eyes and mouth weighed more.",
      evidence: `Correlation ${likeness.performance.eyes?.toFixed(2)}. Blinks on dark lids are often not found, in DST too: trust your eyes here.`,
    })
  if (picture.borderColor > 4)
    out.push({
      urgency: 'do',
      text: 'The colours do not fit around the face: merge with another --color-transfer, such as rct or lct.',
      evidence: `They step by ${picture.borderColor.toFixed(1)} ΔE more than in DST; 2 is just visible.`,
    })
  if (picture.grain < 0.6)
    out.push({
      urgency: 'consider',
      text: 'The face is smoother than the picture around it: add grain in the grade, or train at a higher resolution.',
      evidence: `Grain inside is ${picture.grain.toFixed(2)} of what it was in DST.`,
    })
  if (picture.uncovered > 0.35)
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
  if (out.length === 0)
    out.push({
      urgency: 'fine',
      text: 'Nothing stands out. Look at it at full speed.',
      evidence: 'All numbers are in their good range.',
    })
  const order = { do: 0, consider: 1, fine: 2 }
  return out.sort((a, b) => order[a.urgency] - order[b.urgency])
}

/** '2 frames late' */
function delayText(frames: number): string {
  const count = Math.abs(frames)
  return `${count} ${count === 1 ? 'frame' : 'frames'} ${frames > 0 ? 'late' : 'early'}`
}

/** The report of a merged clip as one HTML file: first what to do, then the numbers, each with its sentence. */
export function evaluationReport(input: {
  evaluation: Evaluation
  name: string
  /** Frames of the clips beside each other, as data URIs. */
  pictures?: readonly { source: string; caption: string }[]
}): string {
  const { evaluation, name, pictures = [] } = input
  const sections: Section[] = [
    { title: 'What to do', body: todoList(evaluationAdvice(evaluation)) },
    ...(pictures.length > 0
      ? [
          {
            title: 'Look at it',
            body: pictureSheet(pictures, 'strips'),
          },
        ]
      : []),
    { title: 'Does it look like SRC?', body: figureCards(identityFigures(evaluation)) },
    { title: 'Does it do what DST does?', body: figureCards(performanceFigures(evaluation)) },
    { title: 'Does it fit the picture?', body: figureCards(pictureFigures(evaluation)) },
    { title: 'Is it steady?', body: figureCards(steadyFigures(evaluation)) + shots(evaluation) },
    ...people(evaluation),
  ]
  return htmlReport({
    title: 'After merging: how good is the swap?',
    about: `${name}: ${evaluation.framesWithFace} of ${evaluation.frames} frames with a face.`,
    sections,
  })
}

function identityFigures({ likeness, identity }: Evaluation): Figure[] {
  return [
    {
      name: 'Likeness',
      value: likeness.identity.toFixed(2),
      meaning: `0 is as far from SRC as DST is, 1 as near as ${likeness.perfectIs === 'truth' ? 'the true swap' : 'SRC is to itself'}.`,
      verdict: grade(likeness.identity, 0.8, 0.5),
    },
    {
      name: 'Leak of DST',
      value: identity.leak.toFixed(2),
      meaning: '0 is as far from DST as SRC is, 1 as near to DST as DST is to itself.',
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
      meaning: `Of face embeddings, to the ten nearest; faces of one person are closer than 0.6. To DST it is ${identity.toDst.toFixed(2)}.`,
    },
  ]
}

function performanceFigures({ performance, truthPerformance, likeness }: Evaluation): Figure[] {
  const best = (of: (error: Evaluation['performance']) => number, digits = 1) =>
    truthPerformance ? ` The true swap's is ${of(truthPerformance).toFixed(digits)}.` : ''
  const follows = (['yaw', 'mouth', 'eyes'] as const).flatMap((name): Figure[] => {
    const value = likeness.performance[name]
    if (value === undefined) return []
    const verdict = grade(value, 0.9, 0.7)
    return [
      {
        name: `${name[0].toUpperCase()}${name.slice(1)} follows`,
        value: value.toFixed(2),
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
      meaning: `Mean difference of yaw, pitch and roll from DST's.${best((e) => e.poseDegrees)}`,
      verdict: grade(performance.poseDegrees, 3, 6),
    },
    {
      name: 'Mouth error',
      value: `${performance.mouth.toFixed(1)} %`,
      meaning: `Difference of the opening from DST's, in % of the distance of the eyes.${best((e) => e.mouth)}`,
    },
    {
      name: 'Eye error',
      value: `${performance.eyes.toFixed(1)} %`,
      meaning: `Difference of the opening from DST's, in % of the distance of the eyes.${best((e) => e.eyes)}`,
    },
    {
      name: 'Landmark error',
      value: `${performance.landmarks.toFixed(1)} %`,
      meaning: `Mean distance of the landmarks from DST's; another person's face is never 0.${best((e) => e.landmarks)}`,
    },
  ]
}

function pictureFigures({ picture }: Evaluation): Figure[] {
  const { truth, truthFace = truth } = picture
  return [
    {
      name: 'Colour step at the border',
      value: `${picture.borderColor.toFixed(1)} ΔE`,
      meaning: 'How much more the colour changes where the new face ends than in DST; 2 is just visible.',
      verdict: grade(picture.borderColor, 2, 4),
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
            meaning: `Structure inside the face compared with the true swap's, laid on DST's face; 1 is equal. Where its own head has it: ${truth.ssim.toFixed(3)}, which no swap into DST's head can raise.`,
          },
          {
            name: 'Perceptual distance',
            value: truthFace.gmsd.toFixed(3),
            meaning: `Deviation of edges from the same (GMSD); 0 is equal, 0.1 plainly visible. In its own place: ${truth.gmsd.toFixed(3)}.`,
          },
          {
            name: 'Colour error',
            value: `${truth.color.toFixed(1)} ΔE`,
            meaning: 'Mean colour difference from the true swap inside the face; 2 is just visible.',
          },
          {
            name: 'Error in face',
            value: `${(100 * truth.mae).toFixed(1)} %`,
            meaning: 'Mean absolute difference from the true swap inside the face.',
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
      meaning: "Trembling of the face's brightness from frame to frame, beyond what movement like DST's explains.",
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

function shots({ shots: all }: Evaluation): string {
  if (all.length < 2) return ''
  return tableOf(
    ['Shot from frame', 'frames', 'flicker %', 'jitter %'],
    all.map((shot) => [String(shot.firstFrame), String(shot.frames), shot.flicker.toFixed(2), shot.jitter.toFixed(2)]),
  )
}

function people({ people: all }: Evaluation): Section[] {
  if (!all || all.length < 2) return []
  return [
    {
      title: "DST's people",
      lead: 'The same numbers for each person of DST: one SRC does not suit all of them alike.',
      body: tableOf(
        ['Person', 'frames', 'leak', 'retrieval', 'distance to SRC'],
        all.map(({ frames, identity }, i) => [
          String(i + 1),
          String(frames),
          identity.leak.toFixed(2),
          sayPercent(identity.retrieval),
          identity.toSrc.toFixed(2),
        ]),
      ),
    },
  ]
}
