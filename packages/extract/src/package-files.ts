import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { DflError } from '@dfl/core'
import { exists } from '@dfl/core/files'
import type { TfjsGraphModel, WeightGroup } from '@dfl/engine/networks'

/** The bytes of a file inside an npm package that this one depends on. */
export async function readPackageFile(packageName: string, file: string): Promise<Uint8Array> {
  // Not `resolve(file)`: packages with an `exports` field give out only what stands there.
  const folders = createRequire(import.meta.url).resolve.paths(packageName) ?? []
  for (const folder of folders) {
    const path = join(folder, packageName, file)
    if (await exists(path)) return readFile(path)
  }
  throw new DflError(
    'MISSING_DEPENDENCY',
    `Expected \`${file}\` in the npm package ${packageName}, but got no such file in ${folders.length} places. Install the packages again (npm install).`,
    { data: { packageName, file, folders } },
  )
}

/** A parsed JSON file inside an npm package. */
export async function readPackageJson<T>(packageName: string, file: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await readPackageFile(packageName, file))) as T
}

/** A TensorFlow.js model inside an npm package: its `model.json` and its weight files, joined. */
export async function readPackageModel(packageName: string, folder: string, name: string) {
  const model = await readPackageJson<TfjsGraphModel>(packageName, `${folder}/${name}.json`)
  const weights = await readWeightFiles(packageName, folder, model.weightsManifest)
  return { model, weights }
}

/** The weight files of a manifest, joined in order. */
export async function readWeightFiles(
  packageName: string,
  folder: string,
  manifest: readonly WeightGroup[],
): Promise<Uint8Array> {
  const paths = manifest.flatMap((group) => group.paths)
  return Buffer.concat(await Promise.all(paths.map((path) => readPackageFile(packageName, `${folder}/${path}`))))
}

/**
 * One file out of an Emscripten bundle: the `.data` file whose table of contents stands in its loader script.
 *
 * @param bundle  Path inside the package without '.data' and '_loader.js'.
 * @param file  How the wanted file's name ends.
 */
export async function readBundledFile(packageName: string, bundle: string, file: string): Promise<Uint8Array> {
  const script = new TextDecoder().decode(await readPackageFile(packageName, `${bundle}_loader.js`))
  const contents = /"files":\s*(\[[^\]]*\])/.exec(script)?.[1]
  const entries = JSON.parse(contents ?? '[]') as { filename: string; start: number; end: number }[]
  const entry = entries.find(({ filename }) => filename.endsWith(file))
  const bytes = await readPackageFile(packageName, `${bundle}.data`)
  if (!entry || entry.end > bytes.length)
    throw new DflError(
      'CORRUPT_FILE',
      `Expected \`${file}\` inside ${packageName}, but got ${entry ? 'a bundle that ends early' : `only ${entries.map((e) => e.filename).join(', ') || 'an unknown table of contents'}`}. Install the version that @dfl/extract asks for.`,
      { data: { packageName, file } },
    )
  return bytes.subarray(entry.start, entry.end)
}
