export { amp } from './amp.js'
export { ampOptionsFromDfl, ampWeightsFromDfl } from './from-dfl.js'
