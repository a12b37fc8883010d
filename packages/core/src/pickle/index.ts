export { type Dtype, float32Of, type NdArray, numbersOf } from './pickle-calls.js'
export { type PickleLimits, type PickleValue, readPickle } from './read-pickle.js'
export { type NumpyArray, type Picklable, writePickle } from './write-pickle.js'
