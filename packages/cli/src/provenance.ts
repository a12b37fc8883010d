import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { DflError, isDflError } from '@dfl/core'
import {
  consentEnded,
  consentHash,
  hashClip,
  hashFile,
  type Identity,
  mediaTypeOf,
  type Origin,
  type Provenance,
  readIdentity,
  sealFile,
  sealFolder,
  selfMadeIdentity,
} from '@dfl/provenance'
import type { ModelFolder } from '@dfl/trainer'
import { readConsent } from './consent.js'
import type { StageReport } from './events.js'
import { lawOf } from './law.js'
import type { Workspace } from './workspace.js'

/** How results say that they are synthetic. */
export interface ProvenanceJob {
  /** False: they do not, which is written down in the workspace. */
  provenance?: boolean
  /** PEM files of the user's own certificate and its key; a self-made one if not given. */
  certificate?: string
  key?: string
}

/** Writes the mark of one workspace's results. */
export interface Sealer {
  /** A text that changes where the mark would. */
  readonly fingerprint: string
  /** What should be known before the work: shown as warnings. */
  readonly notices: readonly string[]
  /** Marks a file, or a folder of images, and reads it back. `name` is the path it will get. Does nothing where marks are off. */
  seal(path: string, made: { from: string; run: ModelFolder; name: string }): Promise<Provenance | undefined>
  /** Writes down in the workspace that a result was made without a mark. */
  logged(result: string): Promise<void>
}

/**
 * What marks the results of a workspace; everything that can be wrong with certificate and key is told here, before the work.
 *
 * @throws DflError `BAD_OPTION`, `NO_SUCH_FILE`, `CORRUPT_FILE`.
 */
export async function openSealer(workspace: Workspace, job: ProvenanceJob = {}): Promise<Sealer> {
  const { provenance = true, certificate, key } = job
  if (!provenance) return withoutMarks(workspace)
  if ((certificate === undefined) !== (key === undefined))
    throw new DflError(
      'BAD_OPTION',
      `Expected \`--certificate\` and \`--key\`, but got only one of them. Give both, or none for a self-made certificate.`,
    )
  const identity: Identity =
    certificate !== undefined && key !== undefined ? await readIdentity({ certificate, key }) : await selfMadeIdentity()
  const consent = await readConsent(workspace)
  const sha256 = consent && consentHash(consent)
  const once = remembering()
  return {
    fingerprint: createHash('sha256').update(`${identity.certificates[0]}${sha256}`).digest('hex'),
    notices:
      consent && consentEnded(consent)
        ? [`The consent of ${consent.who} ended on ${consent.until}: ${join(workspace.folder, 'consent.json')}`]
        : [],
    async seal(path, { from, run, name }) {
      const origin: Origin = {
        tool: { name: 'dfl', version: createRequire(import.meta.url)('../package.json').version },
        dst: { name: basename(from), format: mediaTypeOf(from), sha256: await once(from, () => hashClip(from)) },
        model: await once('model', () => modelOf(run)),
        ...(sha256 ? { consent: { sha256 } } : {}),
      }
      try {
        const folder = (await stat(path)).isDirectory()
        return await (folder ? sealFolder(path, { origin, identity }) : sealFile(path, { origin, identity }, { name }))
      } catch (cause) {
        if (isDflError(cause, 'DISK_FULL')) throw cause
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new DflError(
          'BAD_STATE',
          `Expected to mark \`${name}\` as synthetic, but it failed, so there is no result. ${reason} What was rendered is kept: run the same command again, or with --no-provenance, which is written down in the workspace.`,
          { data: { result: name }, cause },
        )
      }
    },
    async logged() {},
  }
}

/** Gives what was found the first time it was asked for by this name. */
function remembering() {
  const found = new Map<string, Promise<unknown>>()
  return <T>(name: string, find: () => Promise<T>): Promise<T> => {
    if (!found.has(name)) found.set(name, find())
    return found.get(name) as Promise<T>
  }
}

function withoutMarks(workspace: Workspace): Sealer {
  return {
    fingerprint: 'no provenance',
    notices: [
      `The result gets no signed manifest (--no-provenance); that is written down in ${join(workspace.folder, 'workspace.json')}. ${lawOf()}`,
    ],
    seal: async () => undefined,
    async logged(result) {
      const before = workspace.record.withoutProvenance ?? []
      await workspace.update({ withoutProvenance: [...before, { at: new Date().toISOString(), result }] })
    },
  }
}

/** What painted: the hash is that of the checkpoint's own file of weights. */
async function modelOf({ folder, description, progress }: ModelFolder): Promise<Origin['model']> {
  const { iteration } = progress
  const checkpoints = join(folder, 'checkpoints')
  const own = (await readdir(checkpoints)).find((name) => /^\d+$/.test(name) && Number(name) === iteration)
  if (own === undefined)
    throw new DflError(
      'BAD_STATE',
      `Expected the checkpoint of iteration ${iteration} in \`${checkpoints}\`, but it is gone.`,
    )
  const sha256 = await hashFile(join(checkpoints, own, 'weights.safetensors'))
  return { architecture: description.architecture, iterations: iteration, sha256 }
}

/** What to say about a mark that was written and read back. */
export function describeSeal({ manifest, signedBy }: Provenance): string {
  const where = manifest === 'inside' ? 'C2PA manifest in the file' : `C2PA manifest in ${manifest}`
  const who = signedBy?.selfMade
    ? 'a self-made certificate, which does not say who you are (--certificate for your own)'
    : `the certificate of ${[signedBy?.name, signedBy?.organisation].filter(Boolean).join(', ')}`
  return `says that it is synthetic: ${where}, signed with ${who}`
}

/** Notices of a sealer as reports of a stage. */
export const noticesOf = ({ notices }: Sealer): StageReport[] => notices.map((text) => ({ event: 'warning', text }))
