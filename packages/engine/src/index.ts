export { type Compiled, type CompileOptions, type CompileSpec, compile, type Traceable } from './compile.js'
export { DEVICES, type Device, type DeviceChoice } from './devices/device.js'
export { chooseDevice, type DeviceReport, listDevices, quickestOf } from './devices/probe.js'
export { type ExportOptions, exportOnnx } from './export.js'
export { halfToNumber, numberToHalf } from './half.js'
export { checkpoint } from './memory/checkpoint.js'
export type { MemoryEstimate } from './memory/estimate.js'
export { PRECISIONS, type Precision } from './mixed/precision.js'
export { networkOf } from './network.js'
export {
  faceApiRecognitionToOnnx,
  loadNetwork,
  type Network,
  type NetworkOptions,
  type NetworkPort,
  type TensorData,
  type TfjsGraphModel,
  tfjsGraphToOnnx,
  tfliteToOnnx,
  type WeightGroup,
  type WeightSpec,
} from './networks.js'
export { dropout, type RandomOptions, randomNormal, randomUniform } from './random.js'
export { decodeSafetensors, encodeSafetensors, type SavedTensor } from './safetensors.js'
export { State, type StateTensor } from './state.js'
export { tf } from './tf.js'
