export { amp } from './amp.js'
