/** Landmarks of the outline. */
export const JAW: readonly number[] = Array.from({ length: 17 }, (_, i) => i)

/** Landmarks that lie on bone: nose and corners of the eyes. */
export const INNER: readonly number[] = [27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 39, 42, 45]

/** Those that a face's shape is made of. */
export const SHAPE_POINTS: readonly number[] = [...JAW, ...INNER]
