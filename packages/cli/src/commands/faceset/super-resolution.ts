import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { DflError, type Pixels } from '@dfl/core'
import { loadNetwork } from '@dfl/engine/networks'
import type { Enhancer } from '@dfl/faceset'

/** A user's super-resolution network, ready to run, and a name that tells it from others. */
export async function superResolution(path: string): Promise<{ enhance: Enhancer & AsyncDisposable; name: string }> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause
    throw new DflError(
      'NO_SUCH_FILE',
      `Expected an ONNX file for \`--network\`, but there is nothing at \`${path}\`. Check the path.`,
      { data: { path }, cause },
    )
  })
  const network = await loadNetwork(bytes, { threads: 2 })
  const [input, ...others] = network.inputNames
  const output = network.outputNames[0]
  if (input === undefined || others.length > 0 || output === undefined)
    throw new DflError(
      'BAD_SHAPE',
      `Expected a network with one input in \`${path}\`, but got ${network.inputNames.length}: ${network.inputNames.join(', ')}. ` +
        'Use a super-resolution network for RGB pictures.',
      { data: { path } },
    )
  const enhance = async ({ data, width, height }: Pixels): Promise<Pixels> => {
    const planes = new Float32Array(data.length)
    const count = width * height
    for (let i = 0; i < count; i++) for (let c = 0; c < 3; c++) planes[c * count + i] = data[i * 3 + c]!
    const out = (await network.run({ [input]: { data: planes, shape: [1, 3, height, width] } }))[output]!
    const [, channels, h, w] = out.shape as [number, number, number, number]
    if (out.shape.length !== 4 || channels !== 3 || !(out.data instanceof Float32Array))
      throw new DflError(
        'BAD_SHAPE',
        `Expected a picture of [1, 3, H, W] float32 from the network in \`${path}\`, but got [${out.shape.join(', ')}]. ` +
          'Use a super-resolution network for RGB pictures.',
        { data: { path } },
      )
    const finer = new Float32Array(out.data.length)
    for (let i = 0; i < h * w; i++) for (let c = 0; c < 3; c++) finer[i * 3 + c] = out.data[c * h * w + i]!
    return { data: finer, width: w, height: h, channels: 3 }
  }
  const name = `${basename(path)} ${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`
  return { enhance: Object.assign(enhance, { [Symbol.asyncDispose]: () => network[Symbol.asyncDispose]() }), name }
}
