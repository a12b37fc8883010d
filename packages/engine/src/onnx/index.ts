export {
  type Attribute,
  ELEMENT_TYPES,
  type ElementType,
  type GraphConstant,
  type GraphNode,
  type GraphPort,
  OnnxGraph,
} from './graph.js'
export { ProtoWriter } from './protobuf.js'
