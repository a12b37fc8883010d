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
  /** Faces of `faces` that were put into gaps of a few frames. */
  facesFilled: number
  /**
   * By how many pixels of the frame landmarks shake from frame to frame, as they were found and as they are written: the
   * median over the faces of this run, to 2 %. Unknown before the third frame of a face, and with the option `fast`.
   */
  jitterPx: { before: number; after: number } | undefined
}

/** Counts and times while frames come and go. */
export interface ProgressMeter {
  /** The result of `work`, its time added to `part`. */
  timed<T>(part: ExtractPart, work: () => T | Promise<T>): Promise<T>
  /** Work for `part` took so long in another thread. */
  took(part: ExtractPart, seconds: number): void
  /** The clip has ended: there are exactly so many frames. */
  clipEnded(frames: number): void
  frameSkipped(): void
  frameDone(name: string, faces: number, filled: number): void
  /** A face shakes by so many pixels, before and after smoothing. */
  shaken(beforePx: number, afterPx: number): void
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
  let facesFilled = 0
  let lastFrameWithoutFaces: string | undefined
  const before = roughMedian()
  const after = roughMedian()
  return {
    async timed(part, work) {
      const start = performance.now()
      try {
        return await work()
      } finally {
        seconds[part] += (performance.now() - start) / 1000
      }
    },
    took(part, more) {
      seconds[part] += more
    },
    clipEnded(frames) {
      frameCount = frames
    },
    frameSkipped() {
      framesDone++
      framesSkipped++
    },
    frameDone(name, count, filled) {
      framesDone++
      faces += count
      facesFilled += filled
      if (count > 0) framesWithFaces++
      else lastFrameWithoutFaces = name
    },
    shaken(beforePx, afterPx) {
      before.add(beforePx)
      after.add(afterPx)
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
        facesFilled,
        jitterPx: before.count() > 0 ? { before: before.value(), after: after.value() } : undefined,
      }
    },
  }
}

/** The median of any number of lengths between 0.001 and 1000, to 2 %, in memory that does not grow. */
function roughMedian() {
  const [least, step] = [1e-3, 1.02]
  const counts = new Uint32Array(Math.ceil(Math.log(1e6) / Math.log(step)) + 1)
  let total = 0
  return {
    count: () => total,
    add(value: number) {
      const at = Math.round(Math.log(Math.max(value, least) / least) / Math.log(step))
      counts[Math.min(at, counts.length - 1)]!++
      total++
    },
    value(): number {
      let [at, passed] = [0, counts[0]!]
      while (passed < total / 2) passed += counts[++at]!
      return least * step ** at
    },
  }
}
