/** Samples a second. */
const RATE = 48_000

/**
 * A voice-like hum as the bytes of a WAV file (16 bit, one channel): louder where the mouth is open.
 *
 * @param opening How far the mouth is open at each frame, 0..1.
 */
export function hum(opening: readonly number[], fps: number, pitchHz: number): Uint8Array {
  const count = Math.round((opening.length / fps) * RATE)
  const bytes = new Uint8Array(44 + 2 * count)
  const view = new DataView(bytes.buffer)
  const text = (at: number, letters: string) => {
    for (let i = 0; i < letters.length; i++) bytes[at + i] = letters.charCodeAt(i)
  }
  text(0, 'RIFF')
  view.setUint32(4, 36 + 2 * count, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, RATE, true)
  view.setUint32(28, 2 * RATE, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  text(36, 'data')
  view.setUint32(40, 2 * count, true)
  for (let i = 0; i < count; i++) {
    const seconds = i / RATE
    const frame = seconds * fps
    const before = opening[Math.min(opening.length - 1, Math.floor(frame))]
    const after = opening[Math.min(opening.length - 1, Math.floor(frame) + 1)]
    const loud = 0.02 + 0.5 * Math.min(1, before + (frame - Math.floor(frame)) * (after - before))
    const turn = 2 * Math.PI * pitchHz * seconds
    const voice = Math.sin(turn) + 0.4 * Math.sin(2 * turn) + 0.2 * Math.sin(3 * turn)
    view.setInt16(44 + 2 * i, Math.round(12_000 * loud * voice), true)
  }
  return bytes
}
