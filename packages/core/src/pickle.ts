export { type Dtype, type NdArray, numbersOf } from './pickle/pickle-calls.js'
export { type PickleLimits, type PickleValue, readPickle } from './pickle/read-pickle.js'
export { type NumpyArray, type Picklable, writePickle } from './pickle/write-pickle.js'
