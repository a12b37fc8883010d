import { tf } from '../tf.js'
import type { Trace, Value } from '../trace/trace.js'
import type { Lowering } from './index.js'
import { reshaped } from './shape.js'

/** For each new pixel along an axis the old ones it is made of, and their weights. */
type AxisMap = [from: number, weight: number][][]

interface ResizeAttributes {
  alignCorners?: boolean
  halfPixelCenters?: boolean
}

/** How TensorFlow maps the pixels of one axis, size `from` to size `to`. */
function axisMap(from: number, to: number, kind: 'bilinear' | 'nearest', attrs: ResizeAttributes): AxisMap {
  const corners = attrs.alignCorners && to > 1
  const ratio = corners ? (from - 1) / (to - 1) : from / to
  return Array.from({ length: to }, (_, i) => {
    if (kind === 'nearest') {
      const at = ratio * (attrs.halfPixelCenters ? i + 0.5 : i)
      return [[Math.min(from - 1, attrs.alignCorners ? Math.round(at) : Math.floor(at)), 1]]
    }
    const at = Math.min(from - 1, Math.max(0, attrs.halfPixelCenters ? ratio * (i + 0.5) - 0.5 : ratio * i))
    const low = Math.floor(at)
    return at === low
      ? [[low, 1]]
      : [
          [low, 1 - (at - low)],
          [low + 1, at - low],
        ]
  })
}

/** The map of the gradient: what each old pixel gets from the new ones. */
function transposed(map: AxisMap, from: number): AxisMap {
  const out: AxisMap = Array.from({ length: from }, () => [])
  map.forEach((parts, to) => {
    for (const [index, weight] of parts) out[index]!.push([to, weight])
  })
  return out
}

/** More parts than this are computed as a product with a matrix instead of as a sum of gathered rows. */
const MOST_PARTS = 8

/** A map along the middle axis of x [outer, from, inner]: [outer, map.length, inner]. */
function mapped(trace: Trace, x: string, from: number, map: AxisMap): string {
  if (map.length === from && map.every((parts, i) => parts.length === 1 && parts[0]![0] === i && parts[0]![1] === 1))
    return x
  const most = map.reduce((longest, { length }) => Math.max(longest, length), 0)
  if (most > MOST_PARTS) {
    const matrix = new Float32Array(map.length * from)
    map.forEach((parts, to) => {
      for (const [index, weight] of parts) matrix[to * from + index]! += weight
    })
    return trace.op('MatMul', [trace.f32(matrix, [map.length, from]), x])
  }
  const sums = Array.from({ length: Math.max(1, most) }, (_, k) => {
    const indices = trace.i32(Int32Array.from(map, (parts) => parts[k]?.[0] ?? 0))
    const weights = Float32Array.from(map, (parts) => parts[k]?.[1] ?? 0)
    const rows = trace.op('Gather', [x, indices], { axis: 1 })
    if (weights.every((weight) => weight === 1)) return rows
    return trace.op('Mul', [rows, trace.f32(weights, [map.length, 1])])
  })
  return sums.reduce((a, b) => trace.op('Add', [a, b]))
}

/** Rows and columns of an image [N, H, W, C], one after the other. */
function resized(trace: Trace, x: Value, rows: AxisMap, columns: AxisMap): Value {
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const tall = mapped(trace, trace.name(reshaped(trace, x, [batch, height, width * channels])), height, rows)
  const lines = trace.op('Reshape', [tall, trace.i64([batch * rows.length, width, channels])])
  const shape = [batch, rows.length, columns.length, channels]
  const name = trace.op('Reshape', [mapped(trace, lines, width, columns), trace.i64(shape)])
  return { shape, dtype: 'float32', name }
}

const float = (trace: Trace, x: Value): Value =>
  x.dtype === 'float32' ? x : { shape: x.shape, dtype: 'float32', name: trace.op('Cast', [trace.name(x)], { to: 1 }) }

const resize =
  (kind: 'bilinear' | 'nearest'): Lowering =>
  (trace, { images }, attrs) => {
    const [, height, width] = images!.shape as [number, number, number, number]
    const [rows, columns] = [axisMap(height, attrs.size[0], kind, attrs), axisMap(width, attrs.size[1], kind, attrs)]
    const result = resized(trace, float(trace, images!), rows, columns)
    if (kind === 'bilinear' || images!.dtype === 'float32') return result
    return { ...result, dtype: images!.dtype, name: trace.op('Cast', [result.name!], { to: 6 }) }
  }

/** The exact transpose of the forward pass, half-pixel centres included, which TensorFlow.js's own backends leave out. */
const gradient =
  (kind: 'bilinear' | 'nearest'): Lowering =>
  (trace, { images, dy }, attrs) => {
    const [height, width] = images!.shape.slice(1) as [number, number]
    const [tall, wide] = dy!.shape.slice(1) as [number, number]
    return resized(
      trace,
      dy!,
      transposed(axisMap(height, tall, kind, attrs), height),
      transposed(axisMap(width, wide, kind, attrs), width),
    )
  }

/** Pieces of images, each from a box [y1, x1, y2, x2] in units of the image's last row and column, at one size. */
const cropAndResize: Lowering = (trace, { image, boxes, boxInd }, { cropSize, method, extrapolationValue }) => {
  const [batch, height, width, channels] = image!.shape as [number, number, number, number]
  const count = boxes!.shape[0]!
  const op = (name: string, ...inputs: string[]) => trace.op(name, inputs)
  const side = (index: number) => trace.op('Gather', [trace.name(boxes!), trace.i32(Int32Array.of(index))], { axis: 1 }) // [count, 1]
  /** Where in the image the pixels of one axis of the crops lie: [count, size]. */
  const positions = (low: string, high: string, from: number, to: number) => {
    const last = trace.scalar(from - 1)
    if (to === 1) return op('Mul', op('Mul', op('Add', low, high), trace.scalar(0.5)), last)
    const step = op('Div', op('Mul', op('Sub', high, low), last), trace.scalar(to - 1))
    const numbers = trace.f32(Float32Array.from({ length: to }, (_, i) => i))
    return op('Add', op('Mul', low, last), op('Mul', step, numbers))
  }
  const [rows, columns] = cropSize as [number, number]
  const y = positions(side(0), side(2), height, rows)
  const x = positions(side(1), side(3), width, columns)
  const within = (at: string, size: number) =>
    op('And', op('GreaterOrEqual', at, trace.scalar(0)), op('LessOrEqual', at, trace.scalar(size - 1)))
  const at = (name: string, shape: number[]) => op('Reshape', name, trace.i64(shape))
  const whole = (name: string, size: number) =>
    trace.op('Cast', [op('Clip', name, trace.scalar(0), trace.scalar(size - 1))], { to: 6 })
  const known = op('Less', trace.name(boxInd!), trace.scalar(batch, 'int32'))
  const picture = op(
    'Mul',
    op('Where', known, trace.name(boxInd!), trace.scalar(0, 'int32')),
    trace.scalar(height, 'int32'),
  )
  const pixels = trace.matrix(image!, batch * height * width, channels)
  /** Pixels at whole rows [count, rows] and columns [count, columns]: [count, rows, columns, C]. */
  const pick = (row: string, column: string) => {
    const line = op('Add', at(picture, [count, 1]), whole(row, height))
    const start = op('Mul', line, trace.scalar(width, 'int32'))
    const index = op('Add', at(start, [count, rows, 1]), at(whole(column, width), [count, 1, columns]))
    return trace.op('Gather', [pixels, index], { axis: 0 })
  }
  const rounded = (name: string) => op('Floor', op('Add', name, trace.scalar(0.5)))
  let value: string
  if (method === 'nearest') value = pick(rounded(y), rounded(x))
  else {
    const [top, left, bottom, right] = [op('Floor', y), op('Floor', x), op('Ceil', y), op('Ceil', x)]
    const down = at(op('Sub', y, top), [count, rows, 1, 1])
    const across = at(op('Sub', x, left), [count, 1, columns, 1])
    const between = (a: string, b: string, part: string) => op('Add', a, op('Mul', op('Sub', b, a), part))
    const upper = between(pick(top, left), pick(top, right), across)
    value = between(upper, between(pick(bottom, left), pick(bottom, right), across), down)
  }
  const inside = op('And', at(within(y, height), [count, rows, 1, 1]), at(within(x, width), [count, 1, columns, 1]))
  const filled = op('Where', inside, value, trace.scalar(extrapolationValue))
  const name = op('Where', at(known, [count, 1, 1, 1]), filled, trace.scalar(0))
  return { shape: [count, rows, columns, channels], dtype: 'float32', name }
}

/** An image turned about a point by an angle known while compiling: pixels moved by a table. */
const rotate: Lowering = (trace, { image }, { radians, fillValue, center }) => {
  const [batch, height, width, channels] = image!.shape as [number, number, number, number]
  const [centerX, centerY] = tf.backend_util.getImageCenter(center, height, width)
  const [sin, cos] = [Math.sin(radians), Math.cos(radians)]
  const pixels = batch * height * width
  const table = Int32Array.from({ length: pixels }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height]
    const fromX = Math.round((x - centerX) * cos - (y - centerY) * sin + centerX)
    const fromY = Math.round((x - centerX) * sin + (y - centerY) * cos + centerY)
    const inside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height
    return inside ? i - (y * width + x) + fromY * width + fromX : pixels
  })
  // A colour fills its channels and leaves the fourth opaque.
  const fill = Float32Array.from({ length: channels }, (_, c) =>
    typeof fillValue === 'number' ? fillValue : c === 3 ? 255 : fillValue[c],
  )
  const matrix = trace.matrix(float(trace, image!), pixels, channels)
  const source = trace.op('Concat', [matrix, trace.f32(fill, [1, channels])], { axis: 0 })
  const rows = trace.op('Gather', [source, trace.i32(table)], { axis: 0 })
  const turned: Value = {
    shape: image!.shape,
    dtype: 'float32',
    name: trace.op('Reshape', [rows, trace.i64(image!.shape)]),
  }
  return image!.dtype === 'float32'
    ? turned
    : { ...turned, dtype: 'int32', name: trace.op('Cast', [turned.name!], { to: 6 }) }
}

export const RESIZE: Record<string, Lowering> = {
  ResizeBilinear: resize('bilinear'),
  ResizeBilinearGrad: gradient('bilinear'),
  ResizeNearestNeighbor: resize('nearest'),
  ResizeNearestNeighborGrad: gradient('nearest'),
  CropAndResize: cropAndResize,
  RotateWithOffset: rotate,
}
