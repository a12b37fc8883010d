import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { decodeSafetensors } from '@dfl/engine'
import { startCase } from './our-steps.js'
import type { TrainCase } from './train-cases.js'

/**
 * A program of its own, the counterpart of python/train_step.py: takes the same case and tensors, speaks the same lines of
 * JSON. Each side in a process of its own, so that the memory of one is not counted for the other.
 */
async function main([casePath, tensorsPath]: string[]): Promise<void> {
  const given: TrainCase = JSON.parse(await readFile(casePath!, 'utf8'))
  const { step } = await startCase(given, decodeSafetensors(await readFile(tensorsPath!)).tensors)
  say({ ready: true, versions: { node: process.version } })
  for await (const line of createInterface({ input: process.stdin })) {
    const { steps } = JSON.parse(line) as { steps: number }
    const ms: number[] = []
    const losses: number[] = []
    for (let i = 0; i < steps; i++) {
      const began = performance.now()
      losses.push(await step())
      ms.push(performance.now() - began)
    }
    say({ ms, losses, peakMegabytes: process.resourceUsage().maxRSS / 1024 })
  }
}

const say = (message: unknown) => process.stdout.write(`${JSON.stringify(message)}\n`)

await main(process.argv.slice(2))
