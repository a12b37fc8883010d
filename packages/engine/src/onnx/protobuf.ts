const ENCODER = new TextEncoder()

/** Bytes in a row of fewer than this are copied to what stands before them; longer ones are kept as they are until the end. */
const SMALL_BYTES = 64

/** Writes protocol-buffer messages; only what ONNX files need. Source: https://protobuf.dev/programming-guides/encoding/ */
export class ProtoWriter {
  readonly #blocks: (Uint8Array | readonly number[])[] = []
  /** Bytes that come after the last block. Plain numbers: arrays of bytes take long to make, and most messages are short. */
  #open: number[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Appends bytes as they are; they must not change before `finish`. */
  raw(bytes: Uint8Array | readonly number[]): this {
    this.#length += bytes.length
    if (bytes.length < SMALL_BYTES) for (let i = 0; i < bytes.length; i++) this.#open.push(bytes[i]!)
    else {
      if (this.#open.length > 0) this.#blocks.push(this.#open)
      this.#open = []
      this.#blocks.push(bytes)
    }
    return this
  }

  /** A signed 64-bit integer field; zero is written too. */
  int(field: number, value: number | bigint): this {
    return this.#tag(field, 0).#varint(value)
  }

  float(field: number, value: number): this {
    return this.#tag(field, 5).raw(new Uint8Array(Float32Array.of(value).buffer))
  }

  bytes(field: number, bytes: Uint8Array): this {
    return this.#tag(field, 2).#counted(bytes)
  }

  string(field: number, text: string): this {
    // Names are short and plain; the encoder takes longer to be called than to encode them.
    const codes: number[] = []
    for (let i = 0; i < text.length; i++) codes.push(text.charCodeAt(i))
    const isPlain = codes.every((code) => code < 128)
    return this.#tag(field, 2).#counted(isPlain ? codes : ENCODER.encode(text))
  }

  message(field: number, message: ProtoWriter): this {
    this.#tag(field, 2).#varint(message.#length)
    for (const block of message.#blocks) this.raw(block)
    return this.raw(message.#open)
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.#length)
    let offset = 0
    for (const block of [...this.#blocks, this.#open]) {
      out.set(block, offset)
      offset += block.length
    }
    return out
  }

  #counted(bytes: Uint8Array | number[]): this {
    return this.#varint(bytes.length).raw(bytes)
  }

  #tag(field: number, wireType: number): this {
    return this.#varint(field * 8 + wireType)
  }

  #varint(value: number | bigint): this {
    const before = this.#open.length
    let rest = Number(value)
    // Most are small; the rest is taken seven bits at a time until it is.
    if (!(rest >= 0 && rest < 2 ** 31)) {
      let large = BigInt.asUintN(64, BigInt(value))
      for (; large > 127n; large >>= 7n) this.#open.push(Number(large & 127n) | 128)
      rest = Number(large)
    }
    for (; rest > 127; rest >>>= 7) this.#open.push((rest & 127) | 128)
    this.#open.push(rest)
    this.#length += this.#open.length - before
    return this
  }
}
