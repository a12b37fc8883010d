/** Writes docs/engine-kernels.md: every op of TensorFlow.js that `compile` covers, from the engine's own tables. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { root } from './prepare.mjs'

/** Where the table stands. */
export const PAGE = join(root, 'docs/engine-kernels.md')

/** What was found out about devices, by `node scripts/kernel-devices.mjs`. */
const FOUND = JSON.parse(readFileSync(join(root, 'scripts/kernel-devices.json'), 'utf8'))

/** The engine's tables in the order of the page, by the file and the constant they stand in. */
const TABLES = [
  { title: 'Element by element', file: 'elementwise', table: 'ELEMENTWISE' },
  { title: 'Sums, means, extremes', file: 'reduction', table: 'REDUCTION' },
  { title: 'Shapes', file: 'shape', table: 'SHAPE' },
  { title: 'Slices, mirrors, blocks, sequences', file: 'rearrange', table: 'REARRANGE' },
  { title: 'By index', file: 'scatter', table: 'SCATTER' },
  { title: 'Products of matrices', file: 'matrix', table: 'MATRIX' },
  { title: 'Convolutions', file: 'convolution', table: 'CONVOLUTION' },
  { title: 'Depthwise convolutions', file: 'depthwise', table: 'DEPTHWISE' },
  { title: 'Convolutions of volumes', file: 'convolution3d', table: 'CONVOLUTION_3D' },
  { title: 'Pooling and morphology', file: 'pooling', table: 'POOLING' },
  { title: 'Sizes of images', file: 'resize', table: 'RESIZE' },
  { title: 'Normalisation', file: 'normalise', table: 'NORMALISE' },
]

/** Ops whose name is not their kernel's in lower case. */
const OPS = {
  BatchMatMul: 'matMul',
  AvgPool3DGrad: 'grad of avgPool3d',
  AvgPool3D: 'avgPool3d',
  AvgPoolGrad: 'grad of avgPool',
  BatchToSpaceND: 'batchToSpaceND',
  Conv2D: 'conv2d',
  Conv3D: 'conv3d',
  Conv3DBackpropFilterV2: 'grad of conv3d, in its filter',
  Conv3DBackpropInputV2: 'grad of conv3d, in its input; conv3dTranspose',
  CropAndResize: 'image.cropAndResize',
  DepthwiseConv2dNative: 'depthwiseConv2d, separableConv2d',
  DepthwiseConv2dNativeBackpropFilter: 'grad of depthwiseConv2d, in its filter',
  DepthwiseConv2dNativeBackpropInput: 'grad of depthwiseConv2d, in its input',
  Dilation2D: 'dilation2d',
  Dilation2DBackpropFilter: 'grad of dilation2d, in its filter',
  Dilation2DBackpropInput: 'grad of dilation2d, in its input',
  EluGrad: 'grad of elu',
  FlipLeftRight: 'image.flipLeftRight',
  FusedBatchNorm: 'batchNorm',
  FusedDepthwiseConv2D: 'fused.depthwiseConv2d',
  GatherNd: 'gatherND',
  IsNan: 'isNaN',
  LRN: 'localResponseNormalization',
  LRNGrad: 'grad of localResponseNormalization',
  LinSpace: 'linspace',
  MaxPool3D: 'maxPool3d',
  MaxPool3DGrad: 'grad of maxPool3d',
  MaxPoolGrad: 'grad of maxPool',
  ResizeBilinear: 'image.resizeBilinear',
  ResizeBilinearGrad: 'grad of image.resizeBilinear',
  ResizeNearestNeighbor: 'image.resizeNearestNeighbor',
  ResizeNearestNeighborGrad: 'grad of image.resizeNearestNeighbor',
  RotateWithOffset: 'image.rotateWithOffset',
  ScatterNd: 'scatterND',
  SearchSorted: 'searchSorted, lowerBound, upperBound',
  SpaceToBatchND: 'spaceToBatchND',
  SparseSegmentMean: 'sparse.sparseSegmentMean',
  SparseSegmentSum: 'sparse.sparseSegmentSum',
  TopK: 'topk',
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
fails at once, with the name of the op and the line that called it. Images are NHWC, volumes NDHWC. Every row is tested
against TensorFlow.js's own \`cpu\` backend on random shapes and values.

The other columns come from the same tests: \`webgpu\` on ${FOUND.webgpu.on}, a GPU in software, \`tensorflow\` on
${FOUND.tensorflow.on}. No real GPU was tried. ✓: equal, all of it on the device.
*part*: equal, with a part on the CPU and copies to it and back. –: other results or an error there in some cases, which
scripts/kernel-devices.json tells (\`node scripts/kernel-devices.mjs\` writes it). *none*: the device has no such kernel, and a function
that needs it is refused. \`cuda\`, \`dml\` and \`coreml\` are untested.

This page is written by \`node scripts/kernel-table.mjs\`.
`

/** Why kernels of TensorFlow.js are not covered. Those that no op of TensorFlow.js calls on its backends are in no list. */
const UNCOVERED = [
  {
    why: 'The shape of the result depends on values; a graph has fixed shapes',
    kernels:
      'NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 RaggedGather RaggedRange RaggedTensorToTensor SparseFillEmptyRows SparseReshape Unique',
  },
  { why: 'Complex numbers', kernels: 'Complex ComplexAbs FFT IFFT Imag Real' },
  { why: 'Text', kernels: 'StaticRegexReplace StringNGrams StringSplit StringToHashBucketFast' },
  { why: 'Draws other numbers at each call: use `randomUniform` or `dropout` of this package', kernels: 'Multinomial' },
  { why: 'Pictures of a browser', kernels: 'Draw FromPixels' },
  { why: 'Not done yet', kernels: 'BroadcastArgs Transform' },
]

/** Kernels that only have a name: TensorFlow.js builds these ops of others. */
const NAMES_ONLY = 'BroadcastTo LogicalXor LogSoftmax LowerBound MatrixBandPart Pool UpperBound'.split(' ')

const DIFFERENCES = `## Where it differs from TensorFlow.js's \`cpu\` backend

The gradients below are wrong there; here they agree with finite differences.

| gradient | what \`cpu\` does |
|---|---|
| \`tf.avgPool\`, \`tf.avgPool3d\` with padding | divides by the pixels of the whole window, though the mean is over those inside of the image |
| \`tf.maxPool3d\` with windows that are no cubes | takes the place of the largest value for another |
| \`tf.image.resizeBilinear\`, \`tf.image.resizeNearestNeighbor\` with half-pixel centres | leaves the half pixel out |
| \`tf.image.resizeBilinear\` of images that are not square | gives a tensor of width by height |
| \`tf.image.resizeNearestNeighbor\` of several images | reads \`dy\` at the wrong rows |

TensorFlow.js differentiates above its backends, so two things are here as they are there: convolutions with dilations have no
gradient, and that of \`tf.mirrorPad\` leaves out what the mirrored pixels say.

Whole numbers divided by 0 give 0, as there. Arithmetic on booleans other than a product fails: cast them first.
\`tf.sparse.sparseSegmentSum\` and \`sparseSegmentMean\` need segment ids that are known while compiling.
`

/** What was found about a kernel on a device. */
function answer(device, kernel) {
  const found = FOUND[device].kernels[kernel]
  if (found === undefined) return 'untested'
  return { yes: '✓', partly: '*part*', missing: '*none*' }[found] ?? '–'
}

/** The page's text. */
export async function kernelTable() {
  const tables = await loadTables()
  const sections = TABLES.map(({ title, table }) => {
    const rows = Object.keys(tables[table])
      .sort((a, b) => opOf(a).localeCompare(opOf(b), 'en'))
      .map(
        (kernel) =>
          `| ${opOf(kernel)} | \`${kernel}\` | ✓ | ${answer('webgpu', kernel)} | ${answer('tensorflow', kernel)} |`,
      )
    return `## ${title}\n\n| op | kernel | cpu | webgpu | tensorflow |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
  })
  const covered = TABLES.flatMap(({ table }) => Object.keys(tables[table]))
  return [INTRODUCTION, ...sections, mixedSection(tables.inHalf), DIFFERENCES, uncoveredSection(covered)].join('\n')
}

/** The operators of ONNX that mixed precision computes in 16-bit floats. */
function mixedSection({ PRODUCTS, MOVES, ELEMENTWISE, COMPARISONS }) {
  const rows = [
    ['products of weights, and gradients of weights', PRODUCTS],
    ['between such products', ELEMENTWISE],
    ['the same, and wherever only products read the result', MOVES],
    ['of values in 16 bits', COMPARISONS],
  ].map(([where, ops]) => `| ${where} | ${[...ops].map((op) => `\`${op}\``).join(' ')} |`)
  return `## In mixed precision

With \`precision: 'mixed'\` these operators of ONNX, which the kernels above become, compute in 16-bit floats; all others in 32.
[How they are chosen](design/engine.md#mixed-precision).

| where | operators |
|---|---|
${rows.join('\n')}
`
}

/** The kernels that TensorFlow.js names and no table has; one that nobody gave a reason for fails. */
function uncoveredSection(covered) {
  const names = readFileSync(
    join(root, 'packages/engine/node_modules/@tensorflow/tfjs-core/dist/kernel_names.d.ts'),
    'utf8',
  ).matchAll(/^export declare const \w+ = "(\w+)";/gm)
  const left = [...names].map(([, name]) => name).filter((name) => ![...covered, ...NAMES_ONLY].includes(name))
  const known = UNCOVERED.flatMap(({ kernels }) => kernels.split(' '))
  const wrong = [...left.filter((one) => !known.includes(one)), ...known.filter((one) => !left.includes(one))]
  if (wrong.length > 0)
    throw new Error(
      `Expected every kernel of TensorFlow.js either in the engine's tables or in UNCOVERED, but got ${wrong.join(', ')}. Change UNCOVERED in scripts/kernel-table.mjs.`,
    )
  const rows = UNCOVERED.map(({ why, kernels }) => `| ${why} | ${kernels.replace(/\w+/g, '`$&`')} |`)
  return `## Not covered\n\n| why | kernels |\n|---|---|\n${rows.join('\n')}\n`
}

function opOf(kernel) {
  const names = OPS[kernel] ?? kernel[0].toLowerCase() + kernel.slice(1)
  return names.startsWith('grad of')
    ? names.replace(/grad of ([\w.]+)/, 'grad of `tf.$1`').replace(/conv\ddTranspose/, '`tf.$&`')
    : names.replace(/[\w.]+/g, '`tf.$&`')
}

/** The engine's tables, of the sources: no build is needed. Lowerings call TensorFlow.js only when they run, so it is left out. */
async function loadTables() {
  const { outputFiles } = await build({
    stdin: {
      contents: [
        ...TABLES.map(({ file }) => `export * from './${file}.js'`),
        "export * as inHalf from '../mixed/choose.js'",
      ].join('\n'),
      resolveDir: join(root, 'packages/engine/src/kernels'),
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    conditions: ['@dfl/source'],
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
