export { type ArrayKind, arrayKind } from './array-kind.js'
export { clipOf, frameNameIn } from './clip-of.js'
export { DflError, type DflErrorCode, isDflError, receivedError, type SentError, sentError } from './errors.js'
export { batches, collect, mapConcurrent, prefetch, take } from './iterables.js'
export { type MemoryPool, memoryPool } from './memory-pool.js'
export { defineOptions, type OptionSpec, type OptionsOf, type OptionTable, resolveOptions } from './options.js'
export { hashSeed, Random } from './random.js'
export { distance, median } from './statistics.js'
export {
  type Affine,
  type Bitmap,
  FACE_TYPES,
  type FaceMeta,
  type FaceType,
  type Landmarks,
  type MaskPolygon,
  type Pixels,
  type Point,
  type Raster,
  type Rect,
  type Side,
} from './types.js'
