import type { LoadedConfig } from './config.js'

/** The long steps of the main job. */
export type StageName = 'extract-src' | 'extract-dst' | 'faceset' | 'train' | 'merge' | 'measure' | 'check' | 'evaluate'

/** A stage begins, ends, was not needed, or was stopped by the user. */
export interface StageEvent {
  event: 'stage'
  stage: StageName
  state: 'started' | 'finished' | 'skipped' | 'stopped'
  /** One sentence for people. */
  text: string
  /** How long it took, once it is over. */
  seconds?: number
}

/** How far a stage is. Comes often: after each frame and each iteration. */
export interface ProgressEvent {
  event: 'progress'
  stage: StageName
  unit: 'frames' | 'faces' | 'iterations'
  done: number
  /** Nothing for a training without an end. */
  total?: number
  /** 0..1; nothing where there is no end. */
  share?: number
  perSecond: number
  secondsLeft?: number
  /** The rest of the status line, for people. */
  note: string
  /** Numbers of the stage, for machines. */
  detail: Readonly<Record<string, number | string>>
}

/** How far a stage is that takes each of its frames or faces as long as another. */
export function counted(
  { done, total, began }: { done: number; total: number; began: number },
  said: Pick<ProgressEvent, 'stage' | 'unit'> & Partial<Pick<ProgressEvent, 'note' | 'detail'>>,
): ProgressEvent {
  const perSecond = done / Math.max(1e-3, (performance.now() - began) / 1000)
  const secondsLeft = Math.max(0, total - done) / perSecond
  return {
    event: 'progress',
    ...{ done, total, share: done / Math.max(1, total), perSecond, secondsLeft, note: '', detail: {} },
    ...said,
  }
}

/** Something that did not stop the work but should be known. */
export interface WarningEvent {
  event: 'warning'
  text: string
}

/** Something that happened in a training and is worth a line: measures, a new phase. */
export interface NoticeEvent {
  event: 'notice'
  kind: string
  iteration: number
  text: string
  detail: Readonly<Record<string, number | string>>
}

/** A preview picture was written. */
export interface PreviewEvent {
  event: 'preview'
  path: string
  iteration: number
}

/** What stages report while they work. */
export type StageReport = StageEvent | ProgressEvent | WarningEvent | NoticeEvent | PreviewEvent

/** A stage: walk it to make it work; what it made comes back at the end. */
export type Stage<Result> = AsyncGenerator<StageReport, Result>

/** What every stage takes besides its own options. */
export interface StageContext {
  /** Stops the stage at the next frame or iteration, with everything saved. */
  signal?: AbortSignal
  /** Things of the user's own: architectures, losses, recipes. */
  config?: LoadedConfig
  /** What is wished for while it trains; taken out when it is done. */
  wishes?: Set<TrainWish>
}

/** What a person may ask of a training that runs. */
export type TrainWish = 'save' | 'backup' | 'preview'

/** The names of stages as people read them. */
export const STAGE_TITLES: Readonly<Record<StageName, string>> = {
  'extract-src': 'Extract SRC',
  'extract-dst': 'Extract DST',
  faceset: 'Faceset',
  train: 'Train',
  merge: 'Merge',
  measure: 'Measure',
  check: 'Check',
  evaluate: 'Evaluate',
}

/** Seconds as people say them: '8.4 s', '4 min 10 s', '1 h 05 min'. */
export function sayDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

/** A clock: '0:07', '12:30', '1:05:00'. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const two = (n: number) => String(n).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
