/**
 * Writes what scripts/kernel-devices.json holds of a device: which kernels run there.
 *
 *     node scripts/kernel-devices.mjs webgpu|tensorflow
 *
 * It runs the kernels' tests there, on what Vulkan driver or what tfjs-node there is (NODE_PATH helps to find it); then `node
 * scripts/kernel-table.mjs` writes the page anew.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './prepare.mjs'

const RESULT = join(root, 'scripts/kernel-devices.json')
const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json'

/** What the tests ran on, for the page. */
const ON = {
  webgpu: () => (driver ? 'SwiftShader' : 'an unknown driver'),
  tensorflow: () => {
    const asked = `const tf = require('@tensorflow/tfjs-node'); console.log(tf.backend().binding.TF_Version, tf.version['tfjs-node'])`
    const [library, addon] = spawnSync(process.execPath, ['-e', asked], { encoding: 'utf8' }).stdout.trim().split(' ')
    return `TensorFlow ${library} on the CPU, by tfjs-node ${addon}`
  },
}
const device = process.argv[2]
if (!(device in ON))
  throw new Error(`Expected ${Object.keys(ON).join(' or ')} as the device, but got ${device}. Name one of them.`)
const folder = mkdtempSync(join(tmpdir(), 'dfl-kernels-'))
const report = join(folder, 'report.json')
const driver = process.env.VK_DRIVER_FILES ?? (existsSync(SOFTWARE) ? SOFTWARE : undefined)
spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    ...['run', 'packages/engine/test/kernels.test.ts', '--testTimeout', '600000'],
    ...['--reporter=json', `--outputFile=${report}`],
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, DFL_TEST_DEVICE: device, ...(driver ? { VK_DRIVER_FILES: driver } : {}) },
  },
)
const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
rmSync(folder, { recursive: true })

/** On the device all of it (`yes`), right with a part on the CPU (`partly`), not there (`missing`), or what is wrong. */
function answerOf({ status, failureMessages: [said = ''] }) {
  if (status === 'passed') return 'yes'
  if (said.includes('functions that ran with a part on the CPU')) return 'partly'
  if (said.includes('Expected ops that TensorFlow')) return 'missing'
  const wrong = /value \d+ is .*/.exec(said)?.[0] ?? /Got (?:\w*Error: )?(.*)/.exec(said)?.[1] ?? said.split('\n')[0]
  return wrong.replace(/ at \S+:\d+:\d+(?=:)/, '').slice(0, 300)
}
const kernels = {}
for (const one of testResults[0].assertionResults) if (/^\w+$/.test(one.title)) kernels[one.title] = answerOf(one)
const sorted = Object.fromEntries(Object.entries(kernels).sort(([a], [b]) => (a < b ? -1 : 1)))
const known = JSON.parse(readFileSync(RESULT, 'utf8'))
writeFileSync(RESULT, `${JSON.stringify({ ...known, [device]: { on: ON[device](), kernels: sorted } }, null, 2)}\n`)
