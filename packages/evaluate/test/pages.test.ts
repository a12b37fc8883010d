import { estimatePose } from '@dfl/align'
import { describe, expect, it } from 'vitest'
import {
  checkFaces,
  checkReport,
  type Evaluation,
  evaluation,
  evaluationAdvice,
  evaluationReport,
  type FaceAnalysis,
  frameMetrics,
} from '../src/index.js'
import { head, type Shot, traitsOf } from './heads.js'

/** Numbers that are none, and words of the language. */
const RAW = /\bNaN\b|\bundefined\b|\bInfinity\b|\[object/

/** Name, value and explanation of every card of a page. */
const cardsOf = (html: string) =>
  [...html.replaceAll('&#39;', "'").matchAll(/<dt>(.*?)<\/dt><dd><b>(.*?)<\/b>.*?<p>(.*?)<\/p>/g)].map(
    ([, name, value, meaning]) => ({
      name: name!,
      value: value!,
      meaning: meaning!,
    }),
  )

function expectGood(html: string) {
  expect(html).not.toMatch(RAW)
  const cards = cardsOf(html)
  expect(cards.length).toBe(html.split('class="card ').length - 1)
  for (const { name, value, meaning } of cards) {
    expect(value, name).toMatch(/\d|none/)
    expect(meaning, name).toMatch(/^[A-Z0-9].{30,}\.$/)
  }
  for (const [, alt] of html.matchAll(/<img [^>]*alt="([^"]*)"/g)) expect(alt!.length).toBeGreaterThan(10)
  expect(html).not.toMatch(/<(?:img|svg)(?![^>]*(?:alt|aria-label)=)/)
}

const turned = (count: number, person: number): Shot[] =>
  Array.from({ length: count }, (_, i) => ({ person, yawDegrees: 12 * i - 6 * count }))

describe('the page of a check', () => {
  const page = (src: number, dst: number) => {
    const [a, b] = [traitsOf(turned(src, 0)), traitsOf(turned(dst, 1))]
    const pictures = new Map([...a, ...b].map(({ filename }) => [filename, 'data:image/png;base64,AAAA']))
    const check = checkFaces({ faces: a }, { faces: b })
    return checkReport({ check, src: { name: 'a.mp4', faces: a }, dst: { name: 'b.mp4', faces: b }, pictures })
  }

  it.each([
    [6, 5],
    [1, 5],
    [5, 1],
    [1, 1],
    [0, 3],
    [3, 0],
  ])('explains every number, with %i faces of SRC and %i of DST', (src, dst) => expectGood(page(src, dst)))

  it('says in words what its charts show', () => {
    expect(page(3, 6)).toMatch(/aria-label="Pose\. [^"]* 3 faces of SRC, 6 of DST, \d+ of these with nothing of SRC/)
  })
})

describe('the page of an evaluation', () => {
  const EMBEDDINGS = [0.02, -0.02].map((v) => Array<number>(128).fill(v))
  const filmed = (person: number, frames: number) =>
    Array.from({ length: frames }, (_, t) => {
      const { image, landmarks } = head({ person, yawDegrees: 8 * Math.sin(t), weights: { jawOpen: 0.1 * (t % 4) } })
      const face: FaceAnalysis = { landmarks, pose: estimatePose(landmarks), embedding: EMBEDDINGS[person]! }
      return { image, face }
    })

  function evaluated(person: number, frames: number, withTruth = false): Evaluation {
    const [swap, dst, truth] = [filmed(person, frames), filmed(1, frames), filmed(0, frames)]
    return evaluation({
      swap: swap.map(({ face }) => face),
      dst: dst.map(({ face }) => face),
      ...(withTruth ? { truth: truth.map(({ face }) => face) } : {}),
      src: [{ embedding: EMBEDDINGS[0]! }, { embedding: EMBEDDINGS[0]! }],
      frames: swap.map(({ image }, t) =>
        frameMetrics(
          { result: image, dst: dst[t]!.image, ...(withTruth ? { truth: truth[t]!.image } : {}) },
          dst[t]!.face.landmarks,
        ),
      ),
    })
  }
  const pageOf = (found: Evaluation) => evaluationReport({ evaluation: found, name: 'c.mp4' })

  it.each([
    ['a good swap with its truth', 0, 6, true],
    ['a good swap whose truth is not known', 0, 6, false],
    ['DST unchanged', 1, 6, false],
    ['a single frame', 0, 1, true],
  ] as const)('explains every number of %s', (_, person, frames, withTruth) =>
    expectGood(pageOf(evaluated(person, frames, withTruth))),
  )

  it('says of a result that is DST itself that nothing was swapped, and of no other', () => {
    const nothing = evaluationAdvice(evaluated(1, 4))
    expect(nothing[0]).toMatchObject({ urgency: 'do', text: expect.stringMatching(/^The result is DST itself/) })
    expect(nothing.map(({ text }) => text).join(' ')).not.toMatch(/train longer|Much of DST/)
    expect(pageOf(evaluated(0, 4))).not.toContain('The result is DST itself')
  })

  it('gives the unit of what the true swap has, too', () => {
    const cards = cardsOf(pageOf(evaluated(0, 4, true)))
    const said = (name: string) => cards.find((card) => card.name === name)!.meaning
    expect(said('Pose error')).toMatch(/the true swap's is \d+\.\d°\.$/)
    for (const name of ['Mouth error', 'Eye error', 'Landmark error'])
      expect(said(name)).toMatch(/ % of the distance of the eyes.*\d+\.\d %\.$/)
  })

  it('has a dash for a person of DST in whose frames the result has no face', () => {
    const [swap, dst] = [filmed(0, 6), filmed(1, 6)]
    const found = evaluation({
      swap: swap.map(({ face }, t) => (t < 3 ? face : undefined)),
      dst: dst.map(({ face }) => face),
      src: [{ embedding: EMBEDDINGS[0]! }, { embedding: EMBEDDINGS[0]! }],
      frames: swap.map(({ image }, t) => frameMetrics({ result: image, dst: dst[t]!.image }, dst[t]!.face.landmarks)),
      personOfFrame: [0, 0, 0, 1, 1, 1],
    })
    const html = pageOf(found)
    expectGood(html)
    expect(html).toContain('<td>2</td><td>3</td><td>–</td><td>–</td><td>–</td>')
  })

  it('calls no swap that looks little like SRC one that works', () => {
    const found = evaluated(0, 4)
    const leading = (identity: number) => {
      const advice = evaluationAdvice({ ...found, likeness: { ...found.likeness, identity } })
      expect(pageOf({ ...found, likeness: { ...found.likeness, identity } })).not.toMatch(/<b>-\d/)
      return advice.map(({ urgency, text }) => `${urgency}: ${text}`).find((line) => /SRC/.test(line))
    }
    expect(leading(-1.1)).toMatch(/^do: The result looks like neither SRC nor DST/)
    expect(leading(0.4)).toMatch(/^do: It looks little like SRC/)
    expect(leading(0.6)).toMatch(/^consider: It looks like SRC in part/)
    expect(leading(0.8)).toBeUndefined()
  })
})
