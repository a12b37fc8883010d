import type { StepLosses } from './train-step.js'

/** Mean losses since the last line of the log, and since the last checkpoint. */
export function createTotals() {
  const none = () => ({ src: 0, dst: 0, count: 0, skipped: 0 })
  let sinceLog = none()
  let sinceSave = none()
  return {
    add({ src, dst }: StepLosses) {
      for (const total of [sinceLog, sinceSave]) {
        total.src += src
        total.dst += dst
        total.count++
      }
    },
    /** Counts a step whose gradients were no numbers. */
    skip() {
      sinceLog.skipped++
    },
    ofLog({ iteration, seconds }: { iteration: number; seconds: number }) {
      const { src, dst, count, skipped } = sinceLog
      sinceLog = none()
      const means = { src: src / count, dst: dst / count }
      return { iteration, seconds: Math.round(seconds * 10) / 10, ...means, ...(skipped > 0 ? { skipped } : {}) }
    },
    /** Puts the mean losses into the progress that is about to be saved. */
    ofSave(progress: { losses: { src: number; dst: number } }) {
      const { src, dst, count } = sinceSave
      if (count > 0) progress.losses = { src: src / count, dst: dst / count }
      sinceSave = none()
    },
    restart() {
      sinceLog = none()
      sinceSave = none()
    },
  }
}
