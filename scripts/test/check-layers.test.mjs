import { describe, expect, test } from 'vitest'
import { findBreaches, importsOf } from '../check-layers.mjs'

/** A package that declares what it imports: `pkg('nn', { 'src/index.ts': "import '@dfl/core'" })`. */
function pkg(name, files, manifest = {}) {
  const dir = `packages/${name}`
  const list = Object.entries(files).map(([path, text]) => ({ path: `${dir}/${path}`, text }))
  const imported = list.filter(({ path }) => path.includes('/src/')).flatMap(({ text }) => importsOf(text))
  const dependencies = Object.fromEntries(imported.filter((one) => !/^[.]|^node:/.test(one)).map((one) => [one, '*']))
  return { dir, manifest: { name: `@dfl/${name}`, dependencies, ...manifest }, files: list }
}

const breaches = (...packages) => findBreaches(packages, ['vitest'])

describe('importsOf', () => {
  test('finds imports of every form, types included', () => {
    const text = [
      "import { a } from 'one'",
      'import type { B } from "two"',
      'import {\n  c,\n  type D as E,\n} from "three"',
      "import 'four'",
      "export * as f from 'five'",
      "const g = await import('six')",
      "const h = createRequire(import.meta.url)('seven')",
    ].join('\n')
    expect(importsOf(text)).toEqual(['one', 'two', 'three', 'five', 'four', 'six', 'seven'])
  })

  test('leaves out examples in docblocks and code that was commented out', () => {
    expect(importsOf("/**\n * import { a } from 'one'\n */\n// import 'two'\nexport const from = 'three'")).toEqual([])
  })
})

describe('findBreaches', () => {
  test('lets a package use lower layers', () => {
    expect(
      breaches(pkg('core', {}), pkg('nn', { 'src/index.ts': "import '@dfl/core'\nimport '@dfl/engine'" })),
    ).toEqual([])
  })

  test('lets tests, and them alone, use the tools of the builds', () => {
    const text = "import { kernelsInBuild } from '../../../scripts/wasm-kernels.js'"
    expect(breaches(pkg('image', { 'test/a.ts': text }))).toEqual([])
    expect(breaches(pkg('image', { 'src/a.ts': text }))).toEqual([
      'packages/image/src/a.ts: imports ../../../scripts/wasm-kernels.js, but that file is outside its package. Import the package by its name.',
    ])
  })

  test('refuses a layer above, in the import and in package.json', () => {
    expect(breaches(pkg('image', { 'src/a.ts': "import type { Face } from '@dfl/faceset'" }))).toEqual([
      'packages/image/src/a.ts: imports @dfl/faceset, but faceset is in a layer above (faceset, trainer, model-*), and image may use lower layers only.',
      'packages/image/package.json: declares @dfl/faceset, but faceset is in a layer above (faceset, trainer, model-*), and image may use lower layers only.',
    ])
  })

  test('refuses the own layer, so that models never import each other, except where it is meant', () => {
    expect(breaches(pkg('model-df', { 'src/df.ts': "import '@dfl/model-amp'" }))[0]).toMatch(
      /model-amp is in its own layer/,
    )
    expect(breaches(pkg('media', { 'src/a.ts': "import '@dfl/image'" }))).toEqual([])
  })

  test('keeps trainer to core, engine and nn, and tensors out of merge and evaluate', () => {
    expect(breaches(pkg('trainer', { 'src/a.ts': "import '@dfl/image'" }))[0]).toBe(
      'packages/trainer/src/a.ts: imports @dfl/image, but trainer may not: it takes batches, not folders.',
    )
    for (const name of ['merge', 'evaluate'])
      expect(breaches(pkg(name, { 'src/a.ts': "import '@dfl/engine'" }))[0]).toMatch(`but ${name} may not`)
  })

  test('gives every heavy dependency one home and one source file', () => {
    expect(breaches(pkg('nn', { 'src/a.ts': "import '@tensorflow/tfjs-core'" }))).toEqual([
      'packages/nn/src/a.ts: imports @tensorflow/tfjs-core, but only @dfl/engine may.',
    ])
    expect(breaches(pkg('media', { 'src/a.ts': "import 'sharp'", 'src/b.ts': "import 'sharp'" }))).toEqual([
      'packages/media/src/b.ts: imports sharp, but packages/media/src/a.ts does too, and one file only may.',
    ])
    expect(breaches(pkg('media', { 'src/a.ts': "import 'sharp'", 'test/a.test.ts': "import 'sharp'" }))).toEqual([])
  })

  test('wants every import declared and every declaration used', () => {
    expect(breaches(pkg('core', { 'src/a.ts': "import 'citty'" }, { dependencies: { sharp: '*' } }))).toEqual([
      'packages/core/src/a.ts: imports citty, but packages/core/package.json does not declare citty.',
      'packages/core/package.json: declares sharp, but nothing in it uses sharp.',
    ])
    const data = { 'src/a.ts': "const weights = '@vladmandic/human/models/faceres.bin'" }
    expect(breaches(pkg('extract', data, { dependencies: { '@vladmandic/human': '*' } }))).toEqual([])
  })

  test('lets tests use what the root declares and private packages, but sources neither', () => {
    const synth = { ...pkg('synth', {}), manifest: { name: '@dfl/synth', private: true } }
    const own = { dependencies: {}, devDependencies: { '@dfl/synth': '*' } }
    const uses = "import 'vitest'\nimport '@dfl/synth'"
    expect(breaches(synth, pkg('image', { 'test/a.test.ts': uses }, own))).toEqual([])
    expect(breaches(synth, pkg('image', { 'src/a.ts': uses }, own))).toHaveLength(2)
  })

  test("refuses paths into another package's files and a package's own name in its sources", () => {
    expect(breaches(pkg('nn', { 'src/a.ts': "import '../../core/src/errors.js'" }))[0]).toMatch('outside its package')
    expect(breaches(pkg('nn', { 'test/a.test.ts': "import '../src/index.js'" }))).toEqual([])
    expect(breaches(pkg('nn', { 'src/a.ts': "import '@dfl/nn'" }))[0]).toMatch('its own package')
  })

  test('refuses packages that the plan does not know, and circles of dependencies', () => {
    expect(breaches(pkg('helpers', { 'src/a.ts': "import '@dfl/core'" }))[0]).toMatch('helpers has no layer')
    const a = pkg('image', { 'src/a.ts': "import '@dfl/media'" })
    const b = pkg('media', { 'src/a.ts': "import '@dfl/image'" })
    expect(breaches(a, b).at(-1)).toBe(
      '@dfl/image → @dfl/media → @dfl/image: a circle of dependencies, but there may be none.',
    )
  })
})
