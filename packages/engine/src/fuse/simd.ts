/**
 * Writes WebAssembly functions that run chains of elementwise operations over float32 arrays, four values at a time.
 *
 * Source: WebAssembly core specification 2.0, binary format, https://webassembly.github.io/spec/core/binary/
 */

/** Operations of a chain, with their opcode behind the SIMD prefix. */
const OPCODES = {
  Add: 0xe4,
  Sub: 0xe5,
  Mul: 0xe6,
  Div: 0xe7,
  Min: 0xe8,
  Max: 0xe9,
  Abs: 0xe0,
  Neg: 0xe1,
  Sqrt: 0xe3,
} as const

export type SimdOp = keyof typeof OPCODES

export const isSimdOp = (op: string): op is SimdOp => op in OPCODES

/** One value of a chain; operands are indices of values before it. */
export type SimdValue =
  | { kind: 'array'; pointer: number }
  | { kind: 'argument'; index: number }
  | { kind: 'constant'; value: number }
  | { kind: 'op'; op: SimdOp; operands: readonly number[] }

/** A function over arrays of one length: loads, computes, stores. */
export interface SimdKernel {
  /** How many pointers it takes. */
  pointers: number
  /** How many numbers it takes. */
  arguments: number
  values: readonly SimdValue[]
  /** Which values are written, and through which pointers; after all of them are computed. */
  stores: readonly { pointer: number; value: number }[]
}

/** The bytes of a module that imports `env.memory` and exports the kernels as `k0`, `k1`, …: (bytes, …pointers, …arguments). */
export function simdModule(kernels: readonly SimdKernel[]): Uint8Array<ArrayBuffer> {
  const types = kernels.map((k) => [
    0x60,
    ...vector([I32, ...Array(k.pointers).fill(I32), ...Array(k.arguments).fill(F32)].map((t) => [t])),
    0,
  ])
  const memory = [...name('env'), ...name('memory'), 0x02, 0x00, 0x01]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(kernels.map((_, i) => leb(i)))),
    ...section(7, vector(kernels.map((_, i) => [...name(`k${i}`), 0x00, ...leb(i)]))),
    ...section(10, vector(kernels.map((k) => sized(body(k))))),
  ])
}

const I32 = 0x7f
const F32 = 0x7d
const V128 = 0x7b
const [LOCAL_GET, LOCAL_SET, I32_CONST, F32_CONST, I32_ADD, I32_LT_U] = [0x20, 0x21, 0x41, 0x43, 0x6a, 0x49]

/** Parameters: bytes, pointers, arguments. Locals: the offset, then one vector for each value. */
function body(kernel: SimdKernel): number[] {
  const offset = 1 + kernel.pointers + kernel.arguments
  const local = (value: number) => leb(offset + 1 + value)
  const address = (pointer: number) => [LOCAL_GET, ...leb(1 + pointer), LOCAL_GET, ...leb(offset), I32_ADD]
  const before: number[] = [] // Numbers become vectors once.
  const inside: number[] = []
  kernel.values.forEach((value, i) => {
    if (value.kind === 'argument')
      before.push(LOCAL_GET, ...leb(1 + kernel.pointers + value.index), ...simd(0x13), LOCAL_SET, ...local(i))
    if (value.kind === 'constant')
      before.push(
        F32_CONST,
        ...new Uint8Array(Float32Array.of(value.value).buffer),
        ...simd(0x13),
        LOCAL_SET,
        ...local(i),
      )
    if (value.kind === 'array') inside.push(...address(value.pointer), ...simd(0x00), 4, 0, LOCAL_SET, ...local(i))
    if (value.kind === 'op')
      inside.push(
        ...value.operands.flatMap((operand) => [LOCAL_GET, ...local(operand)]),
        ...simd(OPCODES[value.op]),
        LOCAL_SET,
        ...local(i),
      )
  })
  for (const { pointer, value } of kernel.stores)
    inside.push(...address(pointer), LOCAL_GET, ...local(value), ...simd(0x0b), 4, 0)
  const next = [LOCAL_GET, ...leb(offset), I32_CONST, 16, I32_ADD, LOCAL_SET, ...leb(offset)]
  const again = [LOCAL_GET, ...leb(offset), LOCAL_GET, 0, I32_LT_U, 0x0d, 0]
  const locals = vector([
    [...leb(1), I32],
    [...leb(kernel.values.length), V128],
  ])
  return [...locals, ...before, 0x03, 0x40, ...inside, ...next, ...again, 0x0b, 0x0b]
}

const simd = (opcode: number) => [0xfd, ...leb(opcode)]
const vector = (items: readonly (readonly number[])[]) => [...leb(items.length), ...items.flat()]
const sized = (bytes: readonly number[]) => [...leb(bytes.length), ...bytes]
const section = (id: number, bytes: readonly number[]) => [id, ...sized(bytes)]
const name = (text: string) => sized([...new TextEncoder().encode(text)])

function leb(value: number): number[] {
  const out: number[] = []
  let rest = value
  do {
    out.push(rest > 127 ? (rest & 127) | 128 : rest)
    rest >>>= 7
  } while (rest > 0)
  return out
}
