import type { ModelFolder } from './model-folder.js'
import {
  checkRecipe,
  isStaged,
  type Length,
  type Measured,
  type Phase,
  phaseAt,
  phaseIn,
  phaseOver,
  progressOf,
  type Recipe,
  type StagedPhase,
  type StagedRecipe,
} from './recipe.js'

/** What a run does now, as its recipe and its progress say. */
export interface Schedule {
  /** The present phase and its learning rate; nothing once a staged recipe is over. */
  now(): { phase: Phase | StagedPhase; learningRate: number } | undefined
  /** Moves on where a staged phase is over: its name, and why. */
  advance(measured: readonly Measured[]): { name: string; because: string } | undefined
}

/**
 * A recipe over a run. Where a staged recipe is, stands in the run's progress, so that a resumed run is in the same phase;
 * another recipe than before begins with its first phase.
 */
export function scheduleOf({ progress }: ModelFolder, recipe: Recipe | StagedRecipe, length: Length): Schedule {
  checkRecipe(recipe)
  if (!isStaged(recipe)) {
    const share = () => progressOf(length, progress.iteration, progress.seconds)
    return {
      now: () => phaseAt(recipe, share(), progress.iteration - (progress.begunAt ?? 0)),
      advance: () => undefined,
    }
  }
  const enter = (index: number) => {
    const { iteration, seconds } = progress
    progress.phase = { recipe: recipe.name, index, iteration, seconds }
    return progress.phase
  }
  const position = () => (progress.phase?.recipe === recipe.name ? progress.phase : enter(0))
  return {
    now: () => (position().index >= recipe.phases.length ? undefined : phaseIn(recipe, position(), progress)),
    advance(measured) {
      const { index } = position()
      const phase = recipe.phases[index]
      const because = phase && phaseOver(phase.until, position(), { ...progress, measured })
      if (because === undefined) return undefined
      enter(index + 1)
      return { name: recipe.phases[index + 1]?.name ?? 'end of the recipe', because }
    },
  }
}
