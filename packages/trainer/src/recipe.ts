import { DflError } from '@dfl/core'
import type { StepSettings } from './settings.js'

/** What ends a phase, whichever holds first. Nothing for a phase that goes on. */
export interface PhaseEnd {
  /** Iterations of the phase. */
  iterations?: number
  /** Training time of the phase. */
  seconds?: number
  /** No gain in a measure over so many measurements of the phase: { of: 'mapping', measurements: 10 }. */
  plateau?: { of: string; measurements: number }
  /** Measures that have come so far: { mapping: 0.8 }. */
  reaches?: Readonly<Record<string, number>>
}

/** A stretch of a run with settings of its own: those of the losses and of what learns, besides what stands here. */
export interface Phase extends Partial<StepSettings> {
  /** One word for status lines and the history. */
  name: string
  /** Where the phase ends, as a share of the whole run, 0..1. */
  until: number
  /** Learning rate at its beginning and end; in between it follows a cosine. */
  learningRate: readonly [from: number, to: number]
  /** Whether what the model sees is warped. */
  randomWarp: boolean
  /** Weight of the absolute error over eyes and mouth; 0 leaves it out. */
  eyesMouthPrio: number
  /** Factors on the learning rate of the parameters whose path begins with a name: { 'encoder/': 0.1 }; 0 for none at all. */
  rates?: Readonly<Record<string, number>>
  /** Whether all yaws are shown equally often. */
  uniformYaw?: boolean
}

/** A phase that ends by conditions. */
export interface StagedPhase extends Omit<Phase, 'until'> {
  until: PhaseEnd
}

/** What a run does over its length, as data. */
export interface Recipe {
  name: string
  /** What it is made for and what it assumes, in one sentence. */
  assumes: string
  /**
   * Iterations over which the learning rate grows from 0 at the run's beginning. AdaBelief without bias correction takes
   * steps of 3.5 times the rate at first, which at high rates kills units that never come back.
   */
  warmUpIterations?: number
  phases: readonly Phase[]
}

/** A recipe whose phases end by conditions, not at shares of a run whose length is known. */
export interface StagedRecipe extends Omit<Recipe, 'phases'> {
  phases: readonly StagedPhase[]
}

/** How long a run is: iterations, seconds of training, or both, whichever ends first. */
export interface Length {
  iterations?: number
  seconds?: number
}

/** Where a run is in a staged recipe. */
export interface PhasePosition {
  /** Which phase, from 0; as many as there are phases when the last one is over. */
  index: number
  /** Where the phase began. */
  iteration: number
  seconds: number
}

/** Measures of one moment of a run, by name; more is better in all of them. */
export interface Measured {
  iteration: number
  /** Training time over all sittings. */
  seconds: number
  values: Readonly<Record<string, number>>
}

/** Share of the run that is done, 0..1; 0 for a run without an end. */
export function progressOf(length: Length, iteration: number, seconds: number): number {
  const shares = [0]
  if (length.iterations) shares.push(iteration / length.iterations)
  if (length.seconds) shares.push(seconds / length.seconds)
  return Math.min(1, Math.max(...shares))
}

/** Whether the phases of a recipe end by conditions. */
export const isStaged = (recipe: Recipe | StagedRecipe): recipe is StagedRecipe =>
  typeof recipe.phases[0]?.until === 'object'

/**
 * The phase at a share of the run, and the learning rate there; lower in the first iterations if the recipe warms up.
 *
 * @param iteration  Iterations since the optimiser began.
 */
export function phaseAt(
  recipe: Recipe,
  progress: number,
  iteration = Number.POSITIVE_INFINITY,
): { phase: Phase; learningRate: number } {
  checkRecipe(recipe)
  const ends = recipe.phases.map(({ until }) => until)
  const index = ends.findIndex((end) => progress < end)
  const phase = recipe.phases[index] ?? recipe.phases.at(-1)!
  const begin = index > 0 ? ends[index - 1]! : index < 0 ? (ends.at(-2) ?? 0) : 0
  const inside = (progress - begin) / Math.max(1e-9, phase.until - begin)
  return { phase, learningRate: rateAt(recipe, phase, { inside, iteration }) }
}

/** The phase at a position of a staged recipe, and the learning rate there. */
export function phaseIn(
  recipe: StagedRecipe,
  position: PhasePosition,
  now: { iteration: number; seconds: number; begunAt?: number },
): { phase: StagedPhase; learningRate: number } {
  const phase = recipe.phases[Math.min(position.index, recipe.phases.length - 1)]!
  const { iterations, seconds } = phase.until
  const inside = Math.max(
    0,
    iterations ? (now.iteration - position.iteration) / iterations : 0,
    seconds ? (now.seconds - position.seconds) / seconds : 0,
  )
  return { phase, learningRate: rateAt(recipe, phase, { inside, iteration: now.iteration - (now.begunAt ?? 0) }) }
}

/** Why a phase is over, in words; nothing while it goes on. */
export function phaseOver(
  end: PhaseEnd,
  position: PhasePosition,
  { iteration, seconds, measured }: { iteration: number; seconds: number; measured: readonly Measured[] },
): string | undefined {
  if (end.iterations && iteration - position.iteration >= end.iterations) return `${end.iterations} iterations`
  if (end.seconds && seconds - position.seconds >= end.seconds) return `${end.seconds} s`
  const own = measured.filter((m) => m.iteration > position.iteration)
  for (const [name, wanted] of Object.entries(end.reaches ?? {})) {
    const last = own.at(-1)?.values[name]
    if (last !== undefined && last >= wanted) return `${name} ${last.toFixed(3)}`
  }
  if (end.plateau) {
    const { of, measurements } = end.plateau
    const values = own.flatMap(({ values }) => values[of] ?? [])
    if (withoutGain(values) >= measurements) return `no gain in ${of} over ${measurements} measurements`
  }
  return undefined
}

/** How many values have passed since the largest one. */
export const withoutGain = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.length - 1 - values.indexOf(Math.max(...values))

function rateAt(
  { warmUpIterations = 0 }: Pick<Recipe, 'warmUpIterations'>,
  { learningRate: [from, to] }: Pick<Phase, 'learningRate'>,
  { inside, iteration }: { inside: number; iteration: number },
): number {
  const warm = Math.min(1, (iteration + 1) / Math.max(1, warmUpIterations))
  return warm * (to + ((from - to) * (1 + Math.cos(Math.PI * Math.min(1, inside)))) / 2)
}

/**
 * The recipe itself if it can be followed.
 *
 * @throws DflError `BAD_OPTION` that says what is wrong with its phases.
 */
export function checkRecipe<R extends Recipe | StagedRecipe>(recipe: R): R {
  const { name, phases } = recipe
  const ends: readonly (number | PhaseEnd)[] = phases.map((phase) => phase.until)
  const shares = ends.filter((end) => typeof end === 'number')
  if (phases.length > 0 && shares.length === 0) return recipe
  if (shares.length < phases.length)
    throw new DflError(
      'BAD_OPTION',
      `Expected either shares of the run or conditions as \`until\` in all phases of the recipe \`${name}\`, but got both. Use one kind.`,
    )
  if (ends.at(-1) !== 1 || shares.some((end, i) => end <= (shares[i - 1] ?? 0)))
    throw new DflError(
      'BAD_OPTION',
      `Expected phases that end one after the other, the last at 1, for the recipe \`${name}\`, but got ends at ${shares.join(', ') || 'nothing'}. Set each \`until\` to a share of the run.`,
    )
  return recipe
}
