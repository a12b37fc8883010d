import type { Advice } from '../check/advice.js'
import type { Evaluation } from '../evaluation.js'
import { decimal, sayPercent } from '../say-number.js'
import { evaluationAdvice } from './evaluation-advice.js'
import { evaluationFigures } from './evaluation-figures.js'
import { figureCards, htmlReport, pictureSheet, type Section, tableOf, todoList } from './html.js'

/** The report of a merged clip as one HTML file: first what to do, then the numbers, each with its sentence. */
export function evaluationReport(input: {
  evaluation: Evaluation
  name: string
  /** Frames of the clips beside each other, as data URIs. */
  pictures?: readonly { source: string; caption: string }[]
}): string {
  const { evaluation, name, pictures = [] } = input
  const advice = evaluationAdvice(evaluation)
  const sections: Section[] = [
    { title: 'What to do', lead: leadOf(advice), body: todoList(advice) },
    ...(pictures.length > 0
      ? [
          {
            title: 'Look at it',
            body: pictureSheet(pictures, 'strips'),
          },
        ]
      : []),
    ...evaluationFigures(evaluation).map(({ title, figures }, i, all) => ({
      title,
      body: figureCards(figures) + (i === all.length - 1 ? shots(evaluation) : ''),
    })),
    ...people(evaluation),
  ]
  return htmlReport({
    title: 'After merging: how good is the swap?',
    about: `${name}: ${evaluation.framesWithFace} of ${evaluation.frames} frames with a face.`,
    sections,
  })
}

/** What a person who reads no further has to know. */
function leadOf(advice: readonly Advice[]): string {
  const count = (of: Advice['urgency']) => advice.filter(({ urgency }) => urgency === of).length
  const [urgent, worth] = [count('do'), count('consider')]
  if (urgent > 0)
    return `${urgent === 1 ? 'One thing is' : `${urgent} things are`} wrong: do the first, merge again, and evaluate again.`
  if (worth > 0)
    return `The swap works. ${worth === 1 ? 'One thing' : `${worth} things`} could make it better, the most worthwhile first.`
  return 'The swap works, and the numbers find nothing to mend.'
}

function shots({ shots: all }: Evaluation): string {
  if (all.length < 2) return ''
  return `<p>The same for each shot of the clip.</p>${tableOf(
    ['Shot from frame', 'frames', 'flicker %', 'jitter %'],
    all.map((shot) => [String(shot.firstFrame), String(shot.frames), shot.flicker.toFixed(2), decimal(shot.jitter)]),
  )}`
}

function people({ people: all }: Evaluation): Section[] {
  if (!all || all.length < 2) return []
  return [
    {
      title: "DST's people",
      lead: 'Leak of DST, retrieval and distance to SRC, as above, for each person of DST: one SRC does not suit all of them alike. A dash: no face was found there.',
      body: tableOf(
        ['Person', 'frames', 'leak', 'retrieval', 'distance to SRC'],
        all.map(({ frames, identity }, i) => [
          String(i + 1),
          String(frames),
          // Where the result has no face in this person's frames, nothing can be said.
          ...(Number.isFinite(identity.toSrc)
            ? [decimal(identity.leak), sayPercent(identity.retrieval), identity.toSrc.toFixed(2)]
            : ['–', '–', '–']),
        ]),
      ),
    },
  ]
}
