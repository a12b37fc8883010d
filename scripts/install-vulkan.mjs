/**
 * Installs Debian's package chromium where it can: SwiftShader, which is in it, is a GPU that draws with the processor, and
 * the engine's tests of WebGPU run on it. lavapipe (mesa-vulkan-drivers) of Debian 12 lacks what WebGPU asks for.
 *
 * Where it cannot, it says why and succeeds: those tests are left out then.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const DRIVER = '/usr/lib/chromium/vk_swiftshader_icd.json'
const LOADERS = ['/usr/lib/x86_64-linux-gnu/libvulkan.so.1', '/usr/lib/aarch64-linux-gnu/libvulkan.so.1']
const ready = () => existsSync(DRIVER) && LOADERS.some(existsSync)

function apt(...args) {
  const { status } = spawnSync(
    'apt-get',
    ['-y', '-q', '-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::Retries=1', ...args],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 240_000,
    },
  )
  return status === 0
}

function install() {
  if (ready()) return 'is there'
  if (process.platform !== 'linux') return 'is left out: only Debian has it as a package'
  if (process.getuid?.() !== 0) return 'is left out: installing it takes the rights of root'
  apt('update')
  apt('install', '--no-install-recommends', 'chromium', 'libvulkan1')
  return ready() ? 'was installed' : 'is left out: apt-get could not install chromium'
}

console.log(`SwiftShader for the tests of WebGPU ${install()}.`)
