import type { RunEvent } from '@dfl/trainer'
import { type NoticeEvent, sayDuration, type WarningEvent } from './events.js'

const three = (value: number | undefined) => (value === undefined ? '?' : value.toFixed(3))

/** What happened in a training, in the words of its reports. */
export function sayRunEvent(event: RunEvent, iteration: number, seconds: number): NoticeEvent | WarningEvent {
  const notice = (text: string, detail: Readonly<Record<string, number | string>>): NoticeEvent => ({
    event: 'notice',
    ...{ kind: event.kind, iteration, text, detail },
  })
  switch (event.kind) {
    case 'measured': {
      const { reconstruction, mapping, likeness, performance, ...others } = event.values
      const people = Object.entries(others).flatMap(([name, v]) =>
        name.startsWith('mapping/') ? [`${name.slice(8)} ${three(v)}`] : [],
      )
      const mapped = `mapping ${three(mapping)} (likeness ${three(likeness)}, performance ${three(performance)})`
      return notice(
        `iteration ${iteration}: reconstruction ${three(reconstruction)}, ${mapping === undefined ? 'no face recognised in the swaps yet' : mapped}${people.length > 0 ? `: ${people.join(', ')}` : ''}`,
        event.values,
      )
    }
    case 'best':
      return notice(`iteration ${iteration} is the best so far by ${event.measure} and is kept`, {
        [event.measure]: event.value,
      })
    case 'phase':
      return notice(`phase ${event.name} begins, after ${event.because}`, { phase: event.name, because: event.because })
    case 'no-gain':
      return {
        event: 'warning',
        text: `No gain in ${event.measure} for ${sayDuration(seconds - event.sinceSeconds)} of training: the best was ${three(event.best)} at iteration ${event.sinceIteration}. Look at column 5: if it is as it should be, stop here and merge; if not, more of the same hardly helps, other faces or another phase might.`,
      }
    case 'skipped-step':
      return notice(
        `iteration ${iteration}: a step before it was left out, because gradients went beyond 16-bit floats; the loss scale is ${event.lossScale} now`,
        { lossScale: event.lossScale },
      )
    case 'went-back':
      return {
        event: 'warning',
        text: `Went back from iteration ${event.fromIteration} to ${event.toIteration}, because ${event.because}. Training goes on with other samples and at ${event.rateFactor} of its learning rate for now.`,
      }
  }
}
