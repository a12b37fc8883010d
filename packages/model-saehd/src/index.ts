export { quick96OptionsFromDfl, saehdOptionsFromDfl, saehdWeightsFromDfl } from './from-dfl.js'
export { quick96 } from './quick96.js'
export { saehd } from './saehd.js'
