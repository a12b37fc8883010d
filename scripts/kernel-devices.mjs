/**
 * Writes scripts/kernel-devices.json: which kernels run on WebGPU: all on the device, with a part on the CPU, or not. It runs the
 * kernels' tests there, on what Vulkan driver there is; then `node scripts/kernel-table.mjs` writes the page anew.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './prepare.mjs'

const RESULT = join(root, 'scripts/kernel-devices.json')
const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json'

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
    env: { ...process.env, DFL_TEST_DEVICE: 'webgpu', ...(driver ? { VK_DRIVER_FILES: driver } : {}) },
  },
)
const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
rmSync(folder, { recursive: true })

/** On the device all of it (`yes`), right with a part on the CPU (`partly`), or what is wrong. */
function answerOf({ status, failureMessages: [said = ''] }) {
  if (status === 'passed') return 'yes'
  if (said.includes('functions that ran with a part on the CPU')) return 'partly'
  const wrong = /value \d+ is .*/.exec(said)?.[0] ?? /Got (?:\w*Error: )?(.*)/.exec(said)?.[1] ?? said.split('\n')[0]
  return wrong.slice(0, 300)
}
const kernels = {}
for (const one of testResults[0].assertionResults) if (/^\w+$/.test(one.title)) kernels[one.title] = answerOf(one)
const sorted = Object.fromEntries(Object.entries(kernels).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(RESULT, `${JSON.stringify({ driver: driver ? 'SwiftShader' : 'unknown', webgpu: sorted }, null, 2)}\n`)
