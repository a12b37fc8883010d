import { describe, expect, it } from 'vitest'
import { clock, type ProgressEvent, sayDuration } from '../src/index.js'
import { createTerminal } from '../src/terminal.js'

const progress: ProgressEvent = {
  event: 'progress',
  stage: 'merge',
  unit: 'frames',
  done: 50,
  total: 200,
  share: 0.25,
  perSecond: 12.34,
  secondsLeft: 12,
  note: '48 swapped',
  detail: { framesWithFaces: 48 },
}

function captured(isTTY: boolean) {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY,
    columns: 100,
    write: (text: string) => (written[name] += text),
  })
  return { written, streams: { stdout: stream('stdout'), stderr: stream('stderr') } }
}

describe('createTerminal', () => {
  it('redraws a bar in place on a terminal and clears it before the next line', () => {
    const { written, streams } = captured(true)
    const terminal = createTerminal(streams)
    terminal.report(progress)
    terminal.say('next')
    expect(written.stderr).toBe(
      '  ━━━━━━──────────────────  50/200 frames  25 %  12.3/s  48 swapped  0:12 left\r\x1b[2Knext\n',
    )
  })

  it('writes a plain line elsewhere, and not one for every frame', () => {
    const { written, streams } = captured(false)
    const terminal = createTerminal(streams)
    for (let done = 50; done < 60; done++) terminal.report({ ...progress, done })
    expect(written.stderr).toBe('  Merge        50/200 frames  25 %  12.3/s  48 swapped  0:12 left\n')
  })

  it('shows what a file says without the orders to the terminal that may be in it', () => {
    const { written, streams } = captured(true)
    const terminal = createTerminal(streams)
    terminal.say('a\x1b]0;title\x07b')
    terminal.result('signed by \x1b[2J\x9b1mnobody\n\tat all', { event: 'result' })
    expect(written.stderr).toBe('a\ufffd]0;title\ufffdb\n')
    expect(written.stdout).toBe('signed by \ufffd[2J\ufffd1mnobody\n\tat all\n')
  })

  it('never draws a line wider than the terminal', () => {
    const { written, streams } = captured(true)
    createTerminal({ ...streams, stderr: { ...streams.stderr, columns: 40 } }).report(progress)
    expect(written.stderr.length).toBeLessThan(40)
  })

  it('keeps stdout for machines with json, and their last progress before a stage ends', () => {
    const { written, streams } = captured(false)
    const terminal = createTerminal(streams, { json: true })
    for (let done = 50; done < 60; done++) terminal.report({ ...progress, done })
    terminal.report({ event: 'stage', stage: 'merge', state: 'finished', text: 'done', seconds: 1 })
    terminal.result('Result  c.mp4', { event: 'result', result: 'c.mp4' })
    const lines = written.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ event, done }) => [event, done])).toEqual([
      ['progress', 50],
      ['progress', 59],
      ['stage', undefined],
      ['result', undefined],
    ])
    expect(lines[0]).toMatchObject({ framesWithFaces: 48 })
    expect(lines[0]).not.toHaveProperty('note')
    expect(written.stderr).toContain('Result  c.mp4')
  })
})

describe('times for people', () => {
  it('are said as they are spoken', () => {
    expect([0.44, 42, 250, 3900].map(sayDuration)).toEqual(['0.4 s', '42 s', '4 min 10 s', '1 h 05 min'])
    expect([7, 750, 3900].map(clock)).toEqual(['0:07', '12:30', '1:05:00'])
  })
})
