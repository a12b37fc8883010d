export { df } from './df.js'
