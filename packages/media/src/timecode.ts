import { type Rational, toNumber } from './rational.js'

/**
 * A start timecode moved by a number of frames: '01:00:00:00', or '01:00:00;00' where frame numbers are dropped.
 *
 * Source: SMPTE ST 12-1, sections 4 and 5.
 */
export function shiftTimecode(timecode: string, frames: number, frameRate: Rational): string {
  const match = /^(\d\d):(\d\d):(\d\d)([:;.])(\d\d+)$/.exec(timecode)
  const fps = Math.round(toNumber(frameRate))
  if (!match || fps <= 0 || frames === 0) return timecode
  const [hours, minutes, seconds, frame] = [match[1], match[2], match[3], match[5]].map(Number) as [
    number,
    number,
    number,
    number,
  ]
  const drop = match[4] !== ':' && fps % 30 === 0
  // The first numbers of each minute but every tenth are left out.
  const dropped = drop ? fps / 15 : 0
  const inMinute = fps * 60 - dropped
  const inTen = fps * 600 - dropped * 9
  const total = hours * 60 + minutes
  const count = (total * 60 + seconds) * fps + frame - dropped * (total - Math.floor(total / 10)) + frames
  const day = inTen * 144
  let at = ((count % day) + day) % day
  if (drop) {
    const tens = Math.floor(at / inTen)
    const rest = at % inTen
    at += dropped * 9 * tens + (rest >= dropped ? dropped * Math.floor((rest - dropped) / inMinute) : 0)
  }
  const two = (value: number) => String(value).padStart(2, '0')
  const wholeSeconds = Math.floor(at / fps)
  const [h, m, s] = [Math.floor(wholeSeconds / 3600), Math.floor(wholeSeconds / 60) % 60, wholeSeconds % 60]
  return `${two(h)}:${two(m)}:${two(s)}${match[4]}${two(at % fps)}`
}
