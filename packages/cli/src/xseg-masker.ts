import { join } from 'node:path'
import { DflError } from '@dfl/core'
import type { Masker } from '@dfl/merge'
import { createMasker, xseg } from '@dfl/model-xseg'
import type { ModelArchitecture } from '@dfl/nn'
import { hasModel, type ModelFolder, openModel } from '@dfl/trainer'
import type { Workspace } from './workspace.js'

/**
 * The XSeg that a merge asks for, or nothing where none of its masks names one.
 *
 * @param given Folder of the trained model; `xseg` in the workspace if not given.
 * @param asked What the merge was asked for, its settings of single shots included.
 * @throws DflError `NO_SUCH_FILE` when there is none, and all of `openModel`.
 */
export async function xsegFor(
  workspace: Workspace,
  given: string | undefined,
  asked: unknown,
): Promise<ModelFolder | undefined> {
  if (!/XSeg-(prd|dst)/.test(JSON.stringify(asked))) return undefined
  const folder = given ?? join(workspace.folder, 'xseg')
  if (!(await hasModel(folder)))
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected a trained XSeg for \`--xseg\`, which the mask asks for, but there is no model in \`${folder}\`. Give the folder of one, or choose a --mask without XSeg.`,
      { data: { folder } },
    )
  return openModel(folder, [xseg as unknown as ModelArchitecture])
}

/** A trained XSeg as `@dfl/merge` takes it, or nothing for none. */
export async function maskerOf(model: ModelFolder | undefined): Promise<(Masker & AsyncDisposable) | undefined> {
  if (!model) return undefined
  const masker = await createMasker(model.model, model.state, { batchSize: 2 })
  const { faceType } = model.description
  const { resolution } = masker
  return {
    ...{ faceType, resolution },
    find: (faces) => masker.find(faces),
    [Symbol.asyncDispose]: () => masker[Symbol.asyncDispose](),
  }
}
