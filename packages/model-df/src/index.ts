export { df, ENCODER_SHRINKS } from './df.js'
