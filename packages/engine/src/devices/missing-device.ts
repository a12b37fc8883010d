import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { DflError } from '@dfl/core'
import { onnxRuntime, runtimeFolder } from '../ort.js'
import type { Device } from './device.js'
import { missingTensorFlow } from './tensorflow.js'

/**
 * Why a device cannot be there, from what can be seen without touching it; nothing where it might be.
 *
 * ONNX Runtime and the drivers write to the terminal when they are asked for what is not installed. This is asked first.
 */
export function missingPart(device: Device): string | undefined {
  if (device === 'tensorflow') return missingTensorFlow()
  const offered = onnxRuntime()
    .listSupportedBackends()
    .map(({ name }) => name)
  if (!offered.includes(device)) return `ONNX Runtime's package for ${here()} is without \`${device}\``
  if (device === 'cuda' && !existsSync(cudaProvider()))
    return `ONNX Runtime's package is without ${basename(cudaProvider())}`
  if (device === 'webgpu' && process.platform === 'linux' && vulkanDrivers().length === 0) return 'no driver for Vulkan'
  return undefined
}

/** The error for a device that is not there. */
export function missingDevice(device: Device, reason: string, cause?: unknown): DflError {
  return new DflError(
    'MISSING_DEPENDENCY',
    `Expected a working \`${device}\` as \`device\`, but got: ${reason}. ${ADVICE[device]} Or choose \`cpu\`, or \`auto\` for the quickest device that works.`,
    { cause, data: { device } },
  )
}

const ADVICE: Readonly<Record<Device, string>> = {
  cpu: 'Install onnxruntime-node again.',
  webgpu:
    'It needs a graphics driver with Vulkan on Linux (on Debian and Ubuntu mesa-vulkan-drivers for AMD and Intel; the maker’s own for NVIDIA), Direct3D 12 on Windows, Metal on a Mac.',
  cuda: 'It needs Linux on x64, an NVIDIA driver, CUDA 12 with cuDNN 9, and ONNX Runtime’s CUDA libraries: `npm rebuild onnxruntime-node`, without ONNXRUNTIME_NODE_INSTALL=skip, downloads them.',
  dml: 'It needs Windows with a graphics card for Direct3D 12.',
  coreml: 'It needs a Mac.',
  tensorflow:
    'It needs Node 20 or 22 and `npm i @tensorflow/tfjs-node@4.22`, or tfjs-node-gpu for an NVIDIA card with CUDA 11; their install scripts have to be allowed to run.',
}

const here = () => `${process.platform}-${process.arch}`

const cudaProvider = () => join(runtimeFolder(), 'libonnxruntime_providers_cuda.so')

/** Descriptions of Vulkan drivers where the loader looks for them. */
function vulkanDrivers(): string[] {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, VK_ADD_DRIVER_FILES, XDG_DATA_HOME, XDG_DATA_DIRS } = process.env
  const named = VK_DRIVER_FILES || VK_ICD_FILENAMES
  const data = [XDG_DATA_HOME || join(homedir(), '.local/share'), XDG_DATA_DIRS || '/usr/local/share:/usr/share']
  const standard = ['/etc', ...data.flatMap((list) => list.split(delimiter))].map((dir) => join(dir, 'vulkan/icd.d'))
  const places = [named || standard.join(delimiter), VK_ADD_DRIVER_FILES || ''].flatMap((list) => list.split(delimiter))
  return places.filter(Boolean).flatMap((place) => {
    if (place.endsWith('.json')) return existsSync(place) ? [place] : []
    return existsSync(place) ? readdirSync(place).filter((file) => file.endsWith('.json')) : []
  })
}
