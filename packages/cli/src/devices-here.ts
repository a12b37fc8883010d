import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { DflError } from '@dfl/core'
import type { DeviceReport } from '@dfl/engine'

const PROGRAM = `
const { listDevices } = await import(process.argv[1])
process.stdout.write('\\n' + JSON.stringify(await listDevices()))`

/** How long drivers may take to answer, in milliseconds. */
const PATIENCE = 120_000

/**
 * What `listDevices` finds, asked in a process of its own: drivers write what they like to the terminal when they are asked
 * for what is not there, and a broken one ends the process that asks.
 *
 * @param engine Module with `listDevices`: that of @dfl/engine.
 * @throws DflError `MISSING_DEPENDENCY` where there is no answer.
 */
export async function devicesHere(engine = engineModule()): Promise<DeviceReport[]> {
  const args = ['--input-type=module', '--eval', PROGRAM, engine]
  const { stdout, ended } = await new Promise<{ stdout: string; ended?: string }>((resolve) => {
    execFile(process.execPath, args, { timeout: PATIENCE, windowsHide: true }, (error, stdout) =>
      resolve({ stdout, ...(error ? { ended: error.killed ? 'gave no answer' : 'ended the process' } : {}) }),
    )
  })
  try {
    const found = JSON.parse(stdout.slice(stdout.lastIndexOf('\n'))) as DeviceReport[]
    return found.map((report) => (report.reason ? { ...report, reason: inWords(report.reason) } : report))
  } catch (cause) {
    const got = `none: a driver ${ended ?? 'spoke instead'}`
    throw new DflError(
      'MISSING_DEPENDENCY',
      `Expected an answer of the drivers for \`device\`, but got ${got}. Renew the graphics driver; \`cpu\` needs none.`,
      { cause },
    )
  }
}

const engineModule = () => pathToFileURL(createRequire(import.meta.url).resolve('@dfl/engine')).href

/** A reason of the runtime in words for people, where it is a usual one. */
const inWords = (reason: string) =>
  /no supported adapters|failed to get a webgpu adapter/i.test(reason)
    ? 'no graphics chip with a driver for it'
    : reason
