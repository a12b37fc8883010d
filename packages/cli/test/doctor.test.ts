import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { devicesHere } from '../src/devices-here.js'
import { scratchFolder } from './support.js'

/** A module whose `listDevices` is a program. */
async function engineOf(path: string, body: string): Promise<string> {
  await writeFile(path, `import { writeSync } from 'node:fs'\nexport async function listDevices() { ${body} }`)
  return pathToFileURL(path).href
}

describe('looking for devices', () => {
  it('shows nothing of what drivers write, and says in words that there is no graphics chip', async () => {
    await using folder = await scratchFolder()
    const reports = [
      { device: 'cpu', works: true, ms: 9 },
      { device: 'webgpu', works: false, reason: 'Failed to get a WebGPU adapter: No supported adapters' },
    ]
    const noise = "for (const fd of [1, 2]) writeSync(fd, 'error: XDG_RUNTIME_DIR is invalid\\n')"
    const engine = await engineOf(folder.at('engine.mjs'), `${noise}; return ${JSON.stringify(reports)}`)
    expect(await devicesHere(engine)).toEqual([
      reports[0],
      { device: 'webgpu', works: false, reason: 'no graphics chip with a driver for it' },
    ])
  })

  it('outlives a driver that ends its process', async () => {
    await using folder = await scratchFolder()
    const engine = await engineOf(folder.at('engine.mjs'), "process.kill(process.pid, 'SIGKILL')")
    await expect(devicesHere(engine)).rejects.toThrow(
      'Expected an answer of the drivers for `device`, but got none: a driver ended the process. Renew the graphics driver; `cpu` needs none.',
    )
  })
})
