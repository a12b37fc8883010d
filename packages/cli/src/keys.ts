import { INTERRUPTED } from './exit-codes.js'

/** Where keys come from: a process's own stdin, or a test's. */
export interface KeySource {
  isTTY?: boolean
  setRawMode?(on: boolean): unknown
  resume(): unknown
  pause(): unknown
  on(event: 'data', listener: (data: Buffer | string) => void): unknown
  off(event: 'data', listener: (data: Buffer | string) => void): unknown
}

const CTRL_C = '\x03'

/**
 * Calls the action of each key that is pressed, until it is disposed of. Only on a terminal; elsewhere nobody presses keys.
 *
 * @param interrupt  For Ctrl-C, which a terminal in this mode gives as a key.
 */
export function listenToKeys(
  source: KeySource | undefined,
  actions: Readonly<Record<string, () => void>>,
  // Not process.kill, which on Windows ends the process at once instead of letting it save.
  interrupt = (): unknown => process.emit('SIGINT') || process.exit(INTERRUPTED),
): Disposable & { active: boolean } {
  if (!source?.isTTY || !source.setRawMode) return { active: false, [Symbol.dispose]() {} }
  const listener = (data: Buffer | string) => {
    for (const key of String(data))
      if (key === CTRL_C) interrupt()
      else actions[key]?.()
  }
  source.setRawMode(true)
  source.on('data', listener)
  source.resume()
  return {
    active: true,
    [Symbol.dispose]() {
      source.off('data', listener)
      source.setRawMode?.(false)
      source.pause()
    },
  }
}
