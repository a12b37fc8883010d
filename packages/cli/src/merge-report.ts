import { basename } from 'node:path'
import { writeFileAtomic } from '@dfl/core/files'
import { figureCards, htmlReport, pictureSheet, type Section, tableOf } from '@dfl/evaluate'
import { FRAME_ISSUES, type FrameIssueKind, type IssueSpan, type MergeReport } from '@dfl/merge'

/** Stretches that are shown with a picture, of each issue; the table holds all. */
const SHOWN = 12
const SHOWN_SHOTS = 60
const ROWS = 500

/** Where the report of a result lies: beside it. */
export const reportPaths = (out: string) => {
  const stem = out.replace(/[\\/]+$/, '').replace(/\.[^./\\]+$/, '')
  return { html: `${stem}.report.html`, json: `${stem}.report.json` }
}

/** Writes what a merge did beside its result: JSON for programs, and a page for people. */
export async function writeMergeReport(out: string, report: MergeReport): Promise<{ html: string; json: string }> {
  const paths = reportPaths(out)
  await writeFileAtomic(paths.html, mergePage(basename(out), report))
  const plain = {
    ...report,
    shots: report.shots.map(({ picture: _, ...shot }) => shot),
    issues: report.issues.map(({ picture: _, ...issue }) => issue),
  }
  await writeFileAtomic(paths.json, `${JSON.stringify(plain, undefined, 1)}\n`)
  return paths
}

/** The page: what to look at first, then every shot, then the list. */
function mergePage(name: string, { frames, framesWithFaces, counts, shots, issues }: MergeReport): string {
  const kinds = (Object.keys(FRAME_ISSUES) as FrameIssueKind[]).filter((kind) => counts[kind])
  const share = (count: number) => `${((100 * count) / Math.max(1, frames)).toFixed(1)} %`
  const figures = figureCards([
    { name: 'Swapped', value: String(framesWithFaces), meaning: `of ${frames} frames, ${share(framesWithFaces)}.` },
    ...kinds.map((kind) => ({
      name: `${kind.replaceAll('-', ' ')}`,
      value: String(counts[kind]),
      meaning: `${FRAME_ISSUES[kind]} (${share(counts[kind]!)} of the frames).`,
    })),
  ])
  const sections: Section[] = [
    {
      title: 'At a glance',
      lead: kinds.length === 0 ? 'Every frame has one face that was found surely and is covered well.' : '',
      body: figures,
    },
    ...kinds.map((kind): Section => {
      const own = issues.filter((issue) => issue.kind === kind)
      const shown = own.filter(({ picture }) => picture !== undefined).slice(0, SHOWN)
      return {
        title: `${FRAME_ISSUES[kind]}: ${counts[kind]} frames`,
        body: pictureSheet(
          shown.map((issue) => ({ source: issue.picture!, caption: sentenceOf(issue) })),
          'frames',
        ),
      }
    }),
    {
      title: 'Shots',
      lead: 'One row of "shot" in a file of settings changes one of these only.',
      body:
        pictureSheet(
          shots
            .filter(({ picture }) => picture !== undefined)
            .slice(0, SHOWN_SHOTS)
            .map(({ shot, from, to, picture }) => ({ source: picture!, caption: `Shot ${shot}: ${spanOf(from, to)}` })),
          'frames',
        ) +
        tableOf(
          ['shot', 'frames', 'swapped', 'DST uncovered'],
          shots.map(({ shot, from, to, framesWithFaces: swapped, uncovered }) => [
            `${shot}`,
            `${from}-${to}`,
            `${swapped} of ${to - from + 1}`,
            uncovered === undefined ? '' : `${(100 * uncovered).toFixed(1)} %`,
          ]),
        ),
    },
  ]
  if (issues.length > 0)
    sections.push({
      title: 'All of it',
      lead: issues.length > ROWS ? `The first ${ROWS} of ${issues.length}; the JSON beside this page has all.` : '',
      body: tableOf(
        ['frames', 'shot', 'what', 'at first'],
        issues
          .slice(0, ROWS)
          .map(({ from, to, shot, kind, detail }) => [
            from === to ? `${from}` : `${from}-${to}`,
            `${shot}`,
            FRAME_ISSUES[kind],
            detail,
          ]),
      ),
    })
  return htmlReport({ title: `Merge of ${name}`, about: 'Frames count from 0, shots from 1.', sections })
}

const spanOf = (from: number, to: number) => (from === to ? `frame ${from}` : `frames ${from}-${to}`)

const sentenceOf = ({ from, to, shot, detail }: IssueSpan) =>
  `Shot ${shot}, ${spanOf(from, to)}${detail === '' ? '' : `: at first ${detail}`}`
