import type { ClipFaces } from './faces-of-frames.js'
import type { MergedFaceReport } from './mask-fit.js'

/** What a frame can have that a person should look at. */
export const FRAME_ISSUES = {
  'not-looked-at': 'Faces were not looked for in this frame: its extraction is not finished',
  'put-aside': 'A face of this frame was put aside',
  'no-face': 'No face was found',
  'several-faces': 'Several faces were swapped',
  'low-score': 'The detector was not sure of a face',
  'not-pasted': 'A face was found, but its mask is empty: nothing was pasted',
  uncovered: "A good part of DST's face stays to be seen beside the new one",
  damaged: 'The clip is damaged here',
} as const

/** One of `FRAME_ISSUES`. */
export type FrameIssueKind = keyof typeof FRAME_ISSUES

/** Something about a frame that a person should look at, with what was measured. */
export interface FrameIssue {
  kind: FrameIssueKind
  /** 'score 0.52'; empty where there is nothing to add. */
  detail: string
}

/** What was done to one frame. */
export interface FrameReport {
  /** Index in the clip, from 0. */
  frame: number
  timestampSeconds: number
  /** Counted from 1. */
  shot: number
  faces: MergedFaceReport[]
  issues: FrameIssue[]
  /** A small picture of the merged frame, as a data URI: of the first of neighbouring frames with the same issues. */
  picture?: string
}

/** A detector that is less sure than this is worth a look, 0..1. */
const LOW_SCORE = 0.6

/** From this share of DST's face on, what is left of it is easily seen. */
const UNCOVERED = 0.15

/** What is to be said of a frame, from what is known of its faces and what merging did to them. */
export function issuesOf(
  frame: { index: number; name: string },
  { merged, faces }: { merged: readonly MergedFaceReport[]; faces: Pick<ClipFaces, 'putAside' | 'lookedAt'> },
): FrameIssue[] {
  const issues: FrameIssue[] = []
  const aside = faces.putAside(frame)
  for (const reasons of aside) issues.push({ kind: 'put-aside', detail: reasons.join(', ') })
  if (merged.length === 0 && aside.length === 0)
    issues.push({ kind: faces.lookedAt(frame.index) ? 'no-face' : 'not-looked-at', detail: '' })
  if (merged.length > 1) issues.push({ kind: 'several-faces', detail: `${merged.length} faces` })
  for (const { score, pasted, uncovered } of merged) {
    if (score < LOW_SCORE) issues.push({ kind: 'low-score', detail: `score ${score.toFixed(2)}` })
    if (!pasted) issues.push({ kind: 'not-pasted', detail: '' })
    else if (uncovered > UNCOVERED)
      issues.push({ kind: 'uncovered', detail: `${Math.round(100 * uncovered)} % of the face` })
  }
  return issues
}
