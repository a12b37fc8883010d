/** The parts of extraction that time is counted for. They overlap, so together they exceed the time that passed. */
export type ExtractPart = 'decode' | 'detect' | 'landmarks' | 'embed' | 'warp' | 'write'

/** How far an extraction is, after a frame. */
export interface ExtractProgress {
  /** Frames finished, those of earlier runs included, and in all; the latter may be an estimate. */
  framesDone: number
  frameCount: number
  /** Frames of `framesDone` that an earlier run had finished. */
  framesSkipped: number
  /** Faces written by this run, and frames in which it found any. */
  faces: number
  framesWithFaces: number
  /** Frames per second since the start of this run, skipped ones not counted. */
  fps: number
  secondsLeft: number
  /** Seconds spent in each part since the start of this run. */
  seconds: Readonly<Record<ExtractPart, number>>
  /** The last frame without a face, by its name, if there was one. */
  lastFrameWithoutFaces: string | undefined
}

/** Counts and times while frames come and go. */
export interface ProgressMeter {
  /** The result of `work`, its time added to `part`. */
  timed<T>(part: ExtractPart, work: () => T | Promise<T>): Promise<T>
  /** The clip has ended: there are exactly so many frames. */
  clipEnded(frames: number): void
  frameSkipped(): void
  frameDone(name: string, faces: number): void
  report(): ExtractProgress
}

/** A meter that starts now. @param expectedFrames  Frames to expect. */
export function progressMeter(expectedFrames: number): ProgressMeter {
  const started = performance.now()
  const seconds = { decode: 0, detect: 0, landmarks: 0, embed: 0, warp: 0, write: 0 }
  let frameCount = expectedFrames
  let framesDone = 0
  let framesSkipped = 0
  let faces = 0
  let framesWithFaces = 0
  let lastFrameWithoutFaces: string | undefined
  return {
    async timed(part, work) {
      const start = performance.now()
      try {
        return await work()
      } finally {
        seconds[part] += (performance.now() - start) / 1000
      }
    },
    clipEnded(frames) {
      frameCount = frames
    },
    frameSkipped() {
      framesDone++
      framesSkipped++
    },
    frameDone(name, count) {
      framesDone++
      faces += count
      if (count > 0) framesWithFaces++
      else lastFrameWithoutFaces = name
    },
    report() {
      const total = Math.max(frameCount, framesDone)
      const fps = (framesDone - framesSkipped) / Math.max(1e-3, (performance.now() - started) / 1000)
      return {
        framesDone,
        frameCount: total,
        framesSkipped,
        faces,
        framesWithFaces,
        fps,
        secondsLeft: fps > 0 ? (total - framesDone) / fps : 0,
        seconds: { ...seconds },
        lastFrameWithoutFaces,
      }
    },
  }
}
