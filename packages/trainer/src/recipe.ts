import { DflError } from '@dfl/core'

/** A stretch of a run with settings of its own. */
export interface Phase {
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
  /** Factors on the learning rate of the parameters whose path begins with a name: { 'encoder/': 0.1 }. */
  rates?: Readonly<Record<string, number>>
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

/** How long a run is: iterations, seconds of training, or both, whichever ends first. */
export interface Length {
  iterations?: number
  seconds?: number
}

/** Share of the run that is done, 0..1; 0 for a run without an end. */
export function progressOf(length: Length, iteration: number, seconds: number): number {
  const shares = [0]
  if (length.iterations) shares.push(iteration / length.iterations)
  if (length.seconds) shares.push(seconds / length.seconds)
  return Math.min(1, Math.max(...shares))
}

/** The phase at a share of the run, and the learning rate there; lower in the first iterations if the recipe warms up. */
export function phaseAt(
  recipe: Recipe,
  progress: number,
  iteration = Number.POSITIVE_INFINITY,
): { phase: Phase; learningRate: number } {
  checkRecipe(recipe)
  const index = recipe.phases.findIndex((phase) => progress < phase.until)
  const phase = recipe.phases[index] ?? recipe.phases.at(-1)!
  const begin = index > 0 ? recipe.phases[index - 1]!.until : index < 0 ? (recipe.phases.at(-2)?.until ?? 0) : 0
  const inside = Math.min(1, (progress - begin) / Math.max(1e-9, phase.until - begin))
  const [from, to] = phase.learningRate
  const warm = Math.min(1, (iteration + 1) / Math.max(1, recipe.warmUpIterations ?? 0))
  return { phase, learningRate: warm * (to + ((from - to) * (1 + Math.cos(Math.PI * inside))) / 2) }
}

function checkRecipe({ name, phases }: Recipe): void {
  const ends = phases.map((phase) => phase.until)
  if (phases.length === 0 || ends.at(-1) !== 1 || ends.some((end, i) => end <= (ends[i - 1] ?? 0)))
    throw new DflError(
      'BAD_OPTION',
      `Expected phases that end one after the other, the last at 1, for the recipe \`${name}\`, but got ends at ${ends.join(', ') || 'nothing'}. Set each \`until\` to a share of the run.`,
    )
}
