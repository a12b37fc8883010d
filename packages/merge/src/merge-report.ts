import { FRAME_ISSUES, type FrameIssueKind, type FrameReport } from './frame-report.js'

/** Neighbouring frames with the same issue. */
export interface IssueSpan {
  kind: FrameIssueKind
  /** What the issue is, in one sentence. */
  meaning: string
  /** Indices of the first and the last frame. */
  from: number
  to: number
  shot: number
  /** What was measured in the frame where it was first seen. */
  detail: string
  /** Of one of its frames, as a data URI. */
  picture?: string
}

/** One shot of the clip. */
export interface ShotReport {
  shot: number
  /** Indices of the first and the last frame that was merged. */
  from: number
  to: number
  framesWithFaces: number
  /** Share of DST's face that stays uncovered: mean over its faces, 0..1; nothing without faces. */
  uncovered?: number
  /** Of its first frame with a face, as a data URI. */
  picture?: string
}

/** What a merge did, for people and programs. */
export interface MergeReport {
  format: 1
  frames: number
  framesWithFaces: number
  /** Frames with each issue; issues that nowhere arose are left out. */
  counts: Partial<Record<FrameIssueKind, number>>
  shots: ShotReport[]
  issues: IssueSpan[]
}

/**
 * A report that grows frame by frame, in order: neighbouring frames of one shot with the same issue become one entry, so
 * that it stays short for long clips.
 */
export function collectReport(): { add(frame: FrameReport): void; report(): MergeReport } {
  const shots: (ShotReport & { uncoveredSum: number; faces: number })[] = []
  const issues: IssueSpan[] = []
  const open = new Map<FrameIssueKind, IssueSpan>()
  const counts: MergeReport['counts'] = {}
  let [frames, framesWithFaces] = [0, 0]
  return {
    add({ frame, shot, faces, issues: found, picture }) {
      frames++
      if (shots.at(-1)?.shot !== shot)
        shots.push({ shot, from: frame, to: frame, framesWithFaces: 0, uncoveredSum: 0, faces: 0 })
      const own = shots.at(-1)!
      own.to = frame
      if (faces.length > 0) {
        framesWithFaces++
        own.framesWithFaces++
        if (picture !== undefined) own.picture ??= picture
      }
      for (const { uncovered } of faces) {
        own.uncoveredSum += uncovered
        own.faces++
      }
      const kinds = new Map(found.map((issue) => [issue.kind, issue] as const))
      for (const [kind, { detail }] of kinds) {
        counts[kind] = (counts[kind] ?? 0) + 1
        const span = open.get(kind)
        if (span && span.to === frame - 1 && span.shot === shot) {
          span.to = frame
          if (picture !== undefined) span.picture ??= picture
          continue
        }
        const begun: IssueSpan = {
          ...{ kind, meaning: FRAME_ISSUES[kind], from: frame, to: frame, shot, detail },
          ...(picture === undefined ? {} : { picture }),
        }
        open.set(kind, begun)
        issues.push(begun)
      }
    },
    report: () => ({
      ...{ format: 1, frames, framesWithFaces, counts, issues },
      shots: shots.map(({ uncoveredSum, faces, ...shot }) => ({
        ...shot,
        ...(faces > 0 ? { uncovered: uncoveredSum / faces } : {}),
      })),
    }),
  }
}
