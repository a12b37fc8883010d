export { type Compiled, type CompileOptions, type CompileSpec, compile, type Traceable } from './compile.js'
export { DEVICES, type Device, type DeviceChoice } from './devices/device.js'
export { chooseDevice, type DeviceReport, listDevices, quickestOf } from './devices/probe.js'
export { type ExportOptions, exportOnnx } from './export.js'
export { halfToNumber, numberToHalf } from './half.js'
export { faceApiRecognitionToOnnx } from './import/face-api.js'
export { type TfjsGraphModel, tfjsGraphToOnnx } from './import/tfjs.js'
export { tfliteToOnnx } from './import/tflite.js'
export type { WeightGroup, WeightSpec } from './import/weights.js'
export { checkpoint } from './memory/checkpoint.js'
export type { MemoryEstimate } from './memory/estimate.js'
export { PRECISIONS, type Precision } from './mixed/precision.js'
export {
  loadNetwork,
  type Network,
  type NetworkOptions,
  type NetworkPort,
  networkOf,
  type TensorData,
} from './network.js'
export { dropout, type RandomOptions, randomNormal, randomUniform } from './random.js'
export { decodeSafetensors, encodeSafetensors, type SavedTensor } from './safetensors.js'
export { State, type StateTensor } from './state.js'
export { tf } from './tf.js'
