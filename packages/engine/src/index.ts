export { loadNetwork, type Network, type NetworkOptions, type TensorData } from './network.js'
