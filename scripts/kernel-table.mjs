/** Writes docs/engine-kernels.md: every op of TensorFlow.js that `compile` covers, from the engine's own tables. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { root } from './prepare.mjs'

/** Where the table stands. */
export const PAGE = join(root, 'docs/engine-kernels.md')

/** The engine's tables in the order of the page, by the file and the constant they stand in. */
const TABLES = [
  { title: 'Element by element', file: 'elementwise', table: 'ELEMENTWISE' },
  { title: 'Sums, means, extremes', file: 'reduction', table: 'REDUCTION' },
  { title: 'Shapes', file: 'shape', table: 'SHAPE' },
  { title: 'Products of matrices', file: 'matrix', table: 'MATRIX' },
  { title: 'Convolutions', file: 'convolution', table: 'CONVOLUTION' },
]

/** Ops whose name is not their kernel's in lower case. */
const OPS = {
  BatchMatMul: 'matMul',
  Conv2D: 'conv2d',
  Conv2DBackpropFilter: 'grad of conv2d, in its filter',
  Conv2DBackpropInput: 'grad of conv2d, in its input; conv2dTranspose',
  FusedConv2D: 'fused.conv2d',
  GatherV2: 'gather',
  Identity: 'clone',
  Multiply: 'mul',
  Pack: 'stack',
  PadV2: 'pad',
  RealDiv: 'div',
  Select: 'where',
  SplitV: 'split',
  Tile: 'tile, broadcastTo',
  Unpack: 'unstack',
  _FusedMatMul: 'fused.matMul',
}

const INTRODUCTION = `# What \`compile\` covers

Functions given to \`compile\` of \`@dfl/engine\` may use these ops of TensorFlow.js, and every op and gradient that
TensorFlow.js itself builds from them (\`tf.moments\`, \`tf.losses\`, \`tf.norm\`, \`tf.valueAndGrads\`, …). Any other
fails at once, with the name of the op and the line that called it. Convolutions take NHWC images.

This page is written by \`node scripts/kernel-table.mjs\`.
`

/** The page's text. */
export async function kernelTable() {
  const tables = await loadTables()
  const sections = TABLES.map(({ title, table }) => {
    const rows = Object.keys(tables[table])
      .sort((a, b) => opOf(a).localeCompare(opOf(b), 'en'))
      .map((kernel) => `| ${opOf(kernel)} | \`${kernel}\` |`)
    return `## ${title}\n\n| op | kernel |\n|---|---|\n${rows.join('\n')}\n`
  })
  return [INTRODUCTION, ...sections].join('\n')
}

function opOf(kernel) {
  const names = OPS[kernel] ?? kernel[0].toLowerCase() + kernel.slice(1)
  return names.startsWith('grad of')
    ? names.replace('conv2dTranspose', '`tf.conv2dTranspose`')
    : names.replace(/[\w.]+/g, '`tf.$&`')
}

/** The engine's tables. Lowerings call TensorFlow.js only when they run, so it is left out here. */
async function loadTables() {
  const { outputFiles } = await build({
    stdin: {
      contents: TABLES.map(({ file }) => `export * from './${file}.js'`).join('\n'),
      resolveDir: join(root, 'packages/engine/src/kernels'),
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    plugins: [
      {
        name: 'without-tensorflow',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /\/tf\.js$/ }, () => ({ path: 'tf', namespace: 'empty' }))
          onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'export const tf = undefined' }))
        },
      },
    ],
  })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(PAGE, await kernelTable())
