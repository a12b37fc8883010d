import { describe, expect, it } from 'vitest'
import { cutFace, type FaceNotes, type MergeStage, mergeStages, pasteFaces } from '../src/index.js'
import { ellipse, identity, landmarks, meta, smoothFrame } from './synthetic.js'

const frame = smoothFrame()
const faces = [
  meta(landmarks({ x: 150, y: 180, scale: 0.4 })),
  meta(landmarks({ x: 330, y: 180, scale: 0.5, turnDegrees: 8 })),
]
const swapper = identity(64, ellipse(64))

/** What was told as soon as it was known, and after which stages of the last face; and the notes in the end. */
async function pasted(stages: readonly MergeStage[], metas = faces) {
  const told: { notes: readonly FaceNotes[]; after: number }[] = []
  let done = 0
  const counted = stages.map((stage): MergeStage => {
    const counting = async (face: Parameters<MergeStage>[0]) => {
      const made = await stage(face)
      done++
      return made
    }
    return Object.assign(counting, stage)
  })
  const crops = metas.map((face) => cutFace(frame, face, swapper))
  const swaps = await swapper.swap(crops.map(({ dst }) => dst))
  const { notes } = await pasteFaces(frame, {
    ...{ crops, swaps, stages: counted },
    noted: async (known) => void told.push({ notes: known, after: done - (metas.length - 1) * stages.length }),
  })
  return { told, notes }
}

describe('notes of a frame', () => {
  it.each([
    ['as they are usually taken', {}],
    ['of all stages that take some', { grain: 60, fit: 'reshape' }],
    ['without averages', { smoothSeconds: 0 }],
  ] as const)('are told before the face is laid over its frame, %s', async (_, options) => {
    const stages = mergeStages(options)
    const { told, notes } = await pasted(stages)
    expect(told).toHaveLength(1)
    expect(told[0]!.notes).toEqual(notes)
    expect(notes).toHaveLength(2)
    expect(told[0]!.after).toBeLessThan(stages.length)
  })

  it('are told at once where no stage takes any', async () => {
    const { told, notes } = await pasted(mergeStages({ mode: 'raw-rgb' }), [faces[0]!])
    expect(told).toEqual([{ notes, after: 0 }])
  })
})
