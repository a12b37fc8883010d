import { numberToHalf } from '@dfl/engine'

/** Field numbers and types: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const [MODEL_GRAPH, GRAPH_NODE, GRAPH_INITIALISER] = [7, 1, 5]
const [TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW] = [1, 2, 8, 9]
const [FLOAT, FLOAT16] = [1, 10]

/** Weights smaller than this stay as they are: biases and constants of formulas. */
const LEAST_VALUES = 256

/**
 * An ONNX file with its large float32 weights as float16, widened by a Cast before they are used.
 *
 * @param bytes  As `exportOnnx` writes them: weights as raw data.
 */
export function halfWeights(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = []
  for (const field of fields(bytes))
    parts.push(field.number === MODEL_GRAPH ? message(MODEL_GRAPH, halfGraph(field.content)) : field.whole)
  return joined(parts)
}

function halfGraph(graph: Uint8Array): Uint8Array {
  const casts: Uint8Array[] = []
  const rest: Uint8Array[] = []
  for (const field of fields(graph)) {
    const narrowed = field.number === GRAPH_INITIALISER ? halfTensor(field.content) : undefined
    if (narrowed) {
      casts.push(message(GRAPH_NODE, castNode(narrowed.name)))
      rest.push(message(GRAPH_INITIALISER, narrowed.tensor))
    } else rest.push(field.whole)
  }
  return joined([...casts, ...rest])
}

/** The tensor as float16 under another name, if it is one of float32 and large. */
function halfTensor(tensor: Uint8Array): { name: string; tensor: Uint8Array } | undefined {
  const all = fields(tensor)
  const of = (number: number) => all.find((field) => field.number === number)
  const raw = of(TENSOR_RAW)?.content
  const name = new TextDecoder().decode(of(TENSOR_NAME)?.content)
  if (of(TENSOR_TYPE)?.value !== FLOAT || !raw || raw.length < 4 * LEAST_VALUES) return undefined
  const values = new Float32Array(raw.slice().buffer)
  const narrow = new Uint8Array(Uint16Array.from(values, numberToHalf).buffer)
  return {
    name,
    tensor: joined([
      ...all.filter((field) => field.number === TENSOR_DIMS).map((field) => field.whole),
      Uint8Array.of((TENSOR_TYPE << 3) | 0, FLOAT16),
      message(TENSOR_NAME, new TextEncoder().encode(`${name}/half`)),
      message(TENSOR_RAW, narrow),
    ]),
  }
}

/** Cast of `name/half` to float32 under `name`. */
function castNode(name: string): Uint8Array {
  const text = (content: string) => new TextEncoder().encode(content)
  // AttributeProto: name 'to', i = FLOAT, type INT.
  const to = joined([
    message(1, text('to')),
    Uint8Array.of((3 << 3) | 0, FLOAT),
    varint((20 << 3) | 0),
    Uint8Array.of(2),
  ])
  return joined([message(1, text(`${name}/half`)), message(2, text(name)), message(4, text('Cast')), message(5, to)])
}

interface Field {
  number: number
  /** Of a number. */
  value: number
  /** Of a length-delimited field. */
  content: Uint8Array
  /** With its tag. */
  whole: Uint8Array
}

/** The fields of a protocol-buffer message. Source: https://protobuf.dev/programming-guides/encoding/ */
function fields(bytes: Uint8Array): Field[] {
  const out: Field[] = []
  let at = 0
  const read = () => {
    let [value, factor] = [0, 1]
    for (;;) {
      const byte = bytes[at++]!
      value += (byte & 127) * factor
      if (byte < 128) return value
      factor *= 128
    }
  }
  while (at < bytes.length) {
    const from = at
    const tag = read()
    const type = tag % 8
    let [value, content] = [0, new Uint8Array()]
    if (type === 0) value = read()
    else if (type === 2) {
      const length = read()
      content = bytes.subarray(at, at + length) as Uint8Array<ArrayBuffer>
      at += length
    } else at += type === 1 ? 8 : 4
    out.push({ number: Math.floor(tag / 8), value, content, whole: bytes.subarray(from, at) })
  }
  return out
}

function varint(value: number): Uint8Array {
  const out: number[] = []
  let rest = value
  while (rest > 127) {
    out.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return Uint8Array.of(...out, rest)
}

const message = (number: number, content: Uint8Array) =>
  joined([varint(number * 8 + 2), varint(content.length), content])

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
