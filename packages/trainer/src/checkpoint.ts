import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DflError, isDflError } from '@dfl/core'
import { explain, move, syncFolder } from '@dfl/core/files'
import { decodeSafetensors, encodeSafetensors, type SavedTensor, State } from '@dfl/engine'
import { generationName, listGenerations, prune } from './generations.js'
import type { PhasePosition } from './recipe.js'

/** How far a run is. */
export interface Progress {
  iteration: number
  /** Time spent training, over all sittings. */
  seconds: number
  /** Mean losses since the checkpoint before. */
  losses: { src: number; dst: number }
  /** Where it is in a staged recipe. */
  phase?: PhasePosition & { recipe: string }
  /** What learning rates are multiplied by since the run had to go back; 1 if left out. */
  rateFactor?: number
  /** The iteration at which that is lifted. */
  carefulUntil?: number
  /** How often the run had to go back. From the first time on it draws other samples than before. */
  rollbacks?: number
  /** The iteration at which the optimiser began with nothing, where weights were trained elsewhere before; 0 if left out. */
  begunAt?: number
}

interface Manifest extends Progress {
  format: 1
  /** sha256 of each file, in hex. */
  files: Record<string, string>
}

const PARTS = {
  'weights.safetensors': (name: string) => !name.includes(':'),
  // Sums of gradients begin anew with every iteration.
  'optimizer.safetensors': (name: string) => name.includes(':') && !name.startsWith('sum:'),
} as const

/**
 * Writes one generation: `checkpoints/<iteration>/` with weights, optimiser and progress.
 *
 * It is written under another name, synced and then renamed, so that a folder under its final name is always whole.
 * Older generations go after that: see `prune`.
 *
 * @throws DflError `DISK_FULL`; the generations before are untouched.
 */
export async function saveCheckpoint(folder: string, state: State, progress: Progress): Promise<void> {
  const parent = join(folder, 'checkpoints')
  const name = generationName(progress.iteration)
  const temporary = join(parent, `.${name}.${randomBytes(4).toString('hex')}.tmp`)
  try {
    await mkdir(temporary, { recursive: true })
    await state.download()
    const manifest: Manifest = { format: 1, ...progress, files: {} }
    for (const [file, belongs] of Object.entries(PARTS)) {
      const tensors: Record<string, SavedTensor> = {}
      for (const tensor of state.names.filter(belongs)) tensors[tensor] = state.get(tensor)
      const bytes = encodeSafetensors(tensors, { iteration: String(progress.iteration) })
      manifest.files[file] = createHash('sha256').update(bytes).digest('hex')
      await writeSynced(join(temporary, file), bytes)
    }
    await writeSynced(join(temporary, 'progress.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    await rm(join(parent, name), { recursive: true, force: true })
    await move(temporary, join(parent, name))
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw explain(error, join(parent, name))
  }
  await syncFolder(parent)
  await prune(folder)
}

/**
 * The newest generation that is whole, or nothing if there is none yet.
 *
 * @param upTo  The last iteration that it may be of.
 * @returns `skipped`: why newer generations could not be used.
 * @throws DflError `CORRUPT_FILE` when there are generations but none is whole.
 */
export async function loadCheckpoint(
  folder: string,
  upTo = Number.POSITIVE_INFINITY,
): Promise<{ state: State; progress: Progress; skipped: string[] } | undefined> {
  const generations = (await listGenerations(folder)).filter((name) => Number(name) <= upTo)
  const skipped: string[] = []
  for (const name of generations) {
    try {
      return { ...(await readGeneration(join(folder, 'checkpoints', name))), skipped }
    } catch (error) {
      if (!isDflError(error, 'CORRUPT_FILE')) throw error
      skipped.push(error.message)
    }
  }
  if (generations.length === 0) return undefined
  throw new DflError(
    'CORRUPT_FILE',
    `Expected a whole checkpoint in \`${join(folder, 'checkpoints')}\`, but none of ${generations.length} is. Restore a copy, or remove the folder to train from the start.`,
    { data: { skipped } },
  )
}

/** Removes what a killed `saveCheckpoint` left behind. */
export async function removeUnfinishedCheckpoints(folder: string): Promise<void> {
  const parent = join(folder, 'checkpoints')
  for (const name of await readdir(parent).catch(() => []))
    if (name.startsWith('.') && name.endsWith('.tmp')) await rm(join(parent, name), { recursive: true, force: true })
}

async function readGeneration(path: string): Promise<{ state: State; progress: Progress }> {
  const broken = (what: string, cause?: unknown) =>
    new DflError('CORRUPT_FILE', `Expected a whole checkpoint in \`${path}\`, but ${what}.`, { cause })
  const read = (file: string) =>
    readFile(join(path, file)).catch((cause) => {
      throw broken(`\`${file}\` cannot be read`, cause)
    })
  let manifest: Manifest
  try {
    manifest = JSON.parse((await read('progress.json')).toString('utf8'))
  } catch (cause) {
    throw isDflError(cause) ? cause : broken('`progress.json` is no JSON', cause)
  }
  if (manifest.format !== 1 || !Number.isInteger(manifest.iteration)) throw broken('`progress.json` is not of format 1')
  const state = new State()
  for (const file of Object.keys(PARTS)) {
    const bytes = await read(file)
    if (createHash('sha256').update(bytes).digest('hex') !== manifest.files?.[file])
      throw broken(`\`${file}\` is not as it was written`)
    for (const [name, tensor] of Object.entries(decodeSafetensors(bytes, join(path, file)).tensors))
      state.set(name, tensor)
  }
  const { format: _, files: __, ...progress } = manifest
  return { state, progress }
}

async function writeSynced(path: string, data: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(data)
    await file.sync()
  } finally {
    await file.close()
  }
}
