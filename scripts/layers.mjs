/**
 * Which package may use which: the house's plan as data. `check-layers.mjs` holds every package.json and import to it.
 */

/** Packages from the ground up. A package may use packages of lower layers only. `model-*` stands for every architecture. */
export const LAYERS = [
  ['core'],
  ['image', 'media', 'engine', 'provenance'],
  ['align', 'nn'],
  ['faceset', 'trainer', 'model-*'],
  ['extract', 'merge', 'evaluate'],
  ['cli', 'studio'],
]

/** Uses inside one layer that are meant. */
export const NEIGHBOURS = [
  { from: 'media', to: 'image', because: 'frames are pixels, and the words and checks for pixels live in image' },
]

/** Packages that use less than their layer would allow. */
export const NARROWER = [
  { from: 'trainer', only: ['core', 'engine', 'nn'], because: 'it takes batches, not folders' },
  {
    from: 'merge',
    not: ['engine', 'nn', 'trainer', 'model-*'],
    because: 'it is handed a swap function and knows no tensors',
  },
  {
    from: 'evaluate',
    not: ['engine', 'nn', 'trainer', 'model-*'],
    because: 'it measures pictures and numbers, whoever made them',
  },
]

/** Heavy dependencies: each belongs to one package and is imported by one of its source files. */
export const HEAVY = [
  { name: /^@tensorflow\//, home: 'engine' },
  { name: /^onnxruntime-/, home: 'engine' },
  { name: /^sharp$/, home: 'media' },
  { name: /^node-av$/, home: 'media' },
  { name: /^@trustnxt\/c2pa-ts$/, home: 'provenance' },
]

/** The layer of a package, or undefined where the plan does not know it. */
export function layerOf(name) {
  const layer = LAYERS.findIndex((names) => names.some((pattern) => matches(pattern, name)))
  return layer < 0 ? undefined : layer
}

/** Whether a package name is meant by `core`, or by `model-*`. */
export function matches(pattern, name) {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
}
