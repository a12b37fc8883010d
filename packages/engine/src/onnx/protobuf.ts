/** Writes protocol-buffer messages; only what ONNX files need. Source: https://protobuf.dev/programming-guides/encoding/ */
export class ProtoWriter {
  readonly #chunks: Uint8Array[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Appends bytes as they are. */
  raw(bytes: Uint8Array): this {
    this.#chunks.push(bytes)
    this.#length += bytes.length
    return this
  }

  /** A signed 64-bit integer field; zero is written too. */
  int(field: number, value: number | bigint): this {
    return this.#tag(field, 0).#varint(BigInt(value))
  }

  float(field: number, value: number): this {
    return this.#tag(field, 5).raw(new Uint8Array(Float32Array.of(value).buffer))
  }

  bytes(field: number, bytes: Uint8Array): this {
    return this.#tag(field, 2).#varint(BigInt(bytes.length)).raw(bytes)
  }

  string(field: number, text: string): this {
    return this.bytes(field, new TextEncoder().encode(text))
  }

  message(field: number, message: ProtoWriter): this {
    this.#tag(field, 2).#varint(BigInt(message.#length))
    for (const chunk of message.#chunks) this.raw(chunk)
    return this
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.#length)
    let offset = 0
    for (const chunk of this.#chunks) {
      out.set(chunk, offset)
      offset += chunk.length
    }
    return out
  }

  #tag(field: number, wireType: number): this {
    return this.#varint(BigInt(field * 8 + wireType))
  }

  #varint(value: bigint): this {
    let rest = BigInt.asUintN(64, value)
    const out: number[] = []
    while (rest > 127n) {
      out.push(Number(rest & 127n) | 128)
      rest >>= 7n
    }
    out.push(Number(rest))
    return this.raw(Uint8Array.from(out))
  }
}
