import { DflError } from '@dfl/core'
import { OnnxGraph } from '../onnx/graph.js'
import { corrupt } from './flatbuffer.js'
import { nchwPads, permute4, tensorflowPadding } from './layout.js'
import { readWeights, type Weight, type WeightGroup } from './weights.js'

/** A parsed `model.json` of a TensorFlow.js graph model. */
export interface TfjsGraphModel {
  modelTopology: { node: readonly TfjsNode[] }
  weightsManifest: readonly WeightGroup[]
}

interface TfjsNode {
  name: string
  op: string
  input?: readonly string[]
  attr?: Readonly<Record<string, TfjsAttribute>>
}

interface TfjsAttribute {
  s?: string
  i?: string | number
  list?: { i?: readonly (string | number)[]; s?: readonly string[] }
  shape?: { dim?: readonly { size: string | number }[] }
}

/** A value of the graph under construction: 4D ones are channel-first in ONNX, `shape` stays TensorFlow's. */
interface Value {
  name: string
  shape: readonly number[]
}

interface Conversion {
  graph: OnnxGraph
  weights: ReadonlyMap<string, Weight>
  value(name: string): Value
  weight(name: string): Weight
}

/**
 * A TensorFlow.js graph model as the bytes of an ONNX file. Free sizes become 1.
 *
 * Covers plain convolutional networks that end in reshapes, such as BlazeFace. The input keeps its name and layout
 * (NHWC); the outputs are the nodes that nothing else uses, by their names.
 *
 * @param model  The parsed `model.json`.
 * @param weights  Its weight files, joined in the manifest's order.
 * @throws DflError `UNSUPPORTED_OP` for operators not known here, `CORRUPT_FILE` when weights do not fit the manifest.
 */
export function tfjsGraphToOnnx(model: TfjsGraphModel, weights: Uint8Array): Uint8Array {
  const parameters = readWeights(model.weightsManifest, weights)
  const graph = new OnnxGraph()
  const values = new Map<string, Value>()
  const conversion: Conversion = {
    graph,
    weights: parameters,
    value(name) {
      const found = values.get(name)
      if (!found) throw corrupt('TensorFlow.js graph', `a graph without a value \`${name}\``)
      return found
    },
    weight(name) {
      const found = parameters.get(name)
      if (!found) throw corrupt('TensorFlow.js graph', `a graph without the weight \`${name}\``)
      return found
    },
  }
  const order = topologicalOrder(model.modelTopology.node)
  for (const node of order) {
    if (node.op === 'Const' || node.op === 'NoOp') continue
    const convert = OPERATORS[node.op]
    if (!convert)
      throw new DflError(
        'UNSUPPORTED_OP',
        `Expected one of the operators ${Object.keys(OPERATORS).join(', ')} for \`${node.name}\`, but got ${node.op}. Convert the network to ONNX with another tool and load that.`,
        { data: { op: node.op, node: node.name } },
      )
    values.set(node.name, convert(conversion, node, inputsOf(node)))
  }
  const used = new Set(order.flatMap(inputsOf))
  for (const node of order) {
    const value = values.get(node.name)
    if (!value || used.has(node.name)) continue
    const name = value.shape.length === 4 ? graph.op('Transpose', [value.name], { perm: [0, 2, 3, 1] }) : value.name
    graph.output(node.name, 'float32', value.shape, name)
  }
  return graph.build('tfjs')
}

/** Names without the marks for control inputs and output numbers. */
const inputsOf = (node: TfjsNode): string[] =>
  (node.input ?? []).map((name) => name.replace(/^\^/, '').replace(/:\d+$/, ''))

function topologicalOrder(nodes: readonly TfjsNode[]): TfjsNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const done = new Set<string>()
  const out: TfjsNode[] = []
  const visit = (node: TfjsNode) => {
    if (done.has(node.name)) return
    done.add(node.name)
    for (const input of inputsOf(node)) {
      const from = byName.get(input)
      if (from) visit(from)
    }
    out.push(node)
  }
  for (const node of nodes) visit(node)
  return out
}

const integers = (node: TfjsNode, name: string): number[] => (node.attr?.[name]?.list?.i ?? []).map(Number)
const text = (base64: string) => Buffer.from(base64, 'base64').toString()

/** Window, strides and TensorFlow padding of a node over a value of `shape`, in ONNX's words. */
function sliding(node: TfjsNode, shape: readonly number[], kernel: readonly [number, number]) {
  const kind = text(node.attr?.padding?.s ?? '') === 'VALID' ? 'VALID' : 'SAME'
  const [, strideY = 1, strideX = 1] = integers(node, 'strides')
  const y = tensorflowPadding(kind, shape[1]!, { size: kernel[0], stride: strideY })
  const x = tensorflowPadding(kind, shape[2]!, { size: kernel[1], stride: strideX })
  return {
    attributes: {
      kernel_shape: kernel,
      strides: [strideY, strideX],
      pads: [y.before, x.before, y.after, x.after],
    },
    height: y.output,
    width: x.output,
  }
}

type Convert = (conversion: Conversion, node: TfjsNode, inputs: readonly string[]) => Value

const convolution: Convert = ({ graph, value, weight }, node, inputs) => {
  const depthwise = node.op.includes('Depthwise')
  const x = value(inputs[0]!)
  const filter = weight(inputs[1]!)
  const [height, width, inChannels, outChannels] = filter.shape as [number, number, number, number]
  const outputs = depthwise ? inChannels * outChannels : outChannels
  const kernel = permute4(filter.data, filter.shape, depthwise ? [2, 3, 0, 1] : [3, 2, 0, 1])
  const kernelShape = [outputs, depthwise ? 1 : inChannels, height, width]
  const window = sliding(node, x.shape, [height, width])
  const fused = (node.attr?.fused_ops?.list?.s ?? []).map(text)
  const operands = [x.name, graph.f32(kernel, kernelShape)]
  let next = 2
  if (fused.includes('BiasAdd')) operands.push(graph.f32(floats(weight(inputs[next++]!)), [outputs]))
  let y = graph.op('Conv', operands, { ...window.attributes, group: depthwise ? inChannels : 1 })
  if (fused.includes('Relu')) y = graph.op('Relu', [y])
  if (fused.includes('Prelu')) y = graph.op('PRelu', [y, graph.f32(floats(weight(inputs[next]!)), [outputs, 1, 1])])
  return { name: y, shape: [1, window.height, window.width, outputs] }
}

const addition: Convert = ({ graph, weights, value }, _node, inputs) => {
  const operands = inputs.slice(0, 2).map((name) => {
    const constant = weights.get(name)
    if (!constant) return value(name).name
    return graph.f32(floats(constant), constant.shape.length === 1 ? [1, constant.shape[0]!, 1, 1] : constant.shape)
  })
  const computed = inputs.find((name) => !weights.has(name))!
  return { name: graph.op('Add', operands), shape: value(computed).shape }
}

const floats = (weight: Weight): Float32Array =>
  weight.data instanceof Float32Array ? weight.data : Float32Array.from(weight.data)

const OPERATORS: Readonly<Record<string, Convert>> = {
  Placeholder({ graph }, node) {
    const shape = (node.attr?.shape?.shape?.dim ?? []).map((dim) => Math.max(1, Number(dim.size)))
    const name = graph.input(node.name, 'float32', shape)
    return { name: shape.length === 4 ? graph.op('Transpose', [name], { perm: [0, 3, 1, 2] }) : name, shape }
  },
  Conv2D: convolution,
  _FusedConv2D: convolution,
  DepthwiseConv2dNative: convolution,
  FusedDepthwiseConv2dNative: convolution,
  Add: addition,
  AddV2: addition,
  BiasAdd: addition,
  Relu({ graph, value }, _node, [x]) {
    return { name: graph.op('Relu', [value(x!).name]), shape: value(x!).shape }
  },
  Prelu({ graph, value, weight }, _node, [x, alpha]) {
    const slopes = floats(weight(alpha!))
    return {
      name: graph.op('PRelu', [value(x!).name, graph.f32(slopes, [slopes.length, 1, 1])]),
      shape: value(x!).shape,
    }
  },
  MaxPool({ graph, value }, node, [x]) {
    const [, height = 1, width = 1] = integers(node, 'ksize')
    const window = sliding(node, value(x!).shape, [height, width])
    const name = graph.op('MaxPool', [value(x!).name], window.attributes)
    return { name, shape: [1, window.height, window.width, value(x!).shape[3]!] }
  },
  Pad({ graph, value, weight }, _node, [x, pads]) {
    const amounts = weight(pads!).data
    const name = graph.op('Pad', [value(x!).name, graph.i64(nchwPads(amounts))], { mode: 'constant' })
    return { name, shape: value(x!).shape.map((size, i) => size + amounts[2 * i]! + amounts[2 * i + 1]!) }
  },
  Reshape({ graph, value, weight }, _node, [x, shape]) {
    const target = Array.from(weight(shape!).data, (size, axis) => (axis === 0 && size < 0 ? 1 : size))
    const from = value(x!)
    const plain = from.shape.length === 4 ? graph.op('Transpose', [from.name], { perm: [0, 2, 3, 1] }) : from.name
    const reshaped = graph.op('Reshape', [plain, graph.i64(target)])
    const name = target.length === 4 ? graph.op('Transpose', [reshaped], { perm: [0, 3, 1, 2] }) : reshaped
    return { name, shape: target }
  },
  Identity({ value }, _node, [x]) {
    return value(x!)
  },
}
