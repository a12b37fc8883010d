export { quick96 } from './quick96.js'
export { saehd } from './saehd.js'
