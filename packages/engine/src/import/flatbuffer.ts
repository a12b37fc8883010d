import { DflError } from '@dfl/core'

/** The error of a file that ends early or points outside itself. */
export function corrupt(format: string, what: string, cause?: unknown): DflError {
  return new DflError(
    'CORRUPT_FILE',
    `Expected a ${format} file, but got ${what}. Install the package that it belongs to again, or check where the file comes from.`,
    cause === undefined ? {} : { cause },
  )
}

/**
 * One table of a FlatBuffer. Every read is checked against the end of the buffer.
 *
 * Fields are asked for by their number in the schema; a field that is not stored gives the default.
 *
 * Source: https://flatbuffers.dev/internals/
 */
export class FlatTable {
  readonly #view: DataView
  readonly #start: number
  readonly #vtable: number
  readonly #vtableSize: number

  constructor(view: DataView, start: number) {
    this.#view = view
    this.#start = start
    this.#vtable = start - view.getInt32(start, true)
    this.#vtableSize = view.getUint16(this.#vtable, true)
  }

  /** The table that the buffer's first word points at. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return new FlatTable(view, view.getUint32(0, true))
  }

  int8(field: number, otherwise = 0): number {
    const at = this.#field(field)
    return at ? this.#view.getInt8(at) : otherwise
  }

  uint8(field: number, otherwise = 0): number {
    const at = this.#field(field)
    return at ? this.#view.getUint8(at) : otherwise
  }

  int32(field: number, otherwise = 0): number {
    const at = this.#field(field)
    return at ? this.#view.getInt32(at, true) : otherwise
  }

  table(field: number): FlatTable | undefined {
    const at = this.#field(field)
    return at ? new FlatTable(this.#view, at + this.#view.getUint32(at, true)) : undefined
  }

  tables(field: number): FlatTable[] {
    return this.#list(field, 4, (at) => new FlatTable(this.#view, at + this.#view.getUint32(at, true)))
  }

  int32s(field: number): number[] {
    return this.#list(field, 4, (at) => this.#view.getInt32(at, true))
  }

  uint16s(field: number): number[] {
    return this.#list(field, 2, (at) => this.#view.getUint16(at, true))
  }

  /** A view into the buffer, not a copy. */
  bytes(field: number): Uint8Array {
    const { start, count } = this.#vector(field, 1)
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, count)
  }

  string(field: number): string {
    return new TextDecoder().decode(this.bytes(field))
  }

  #list<T>(field: number, itemSize: number, read: (at: number) => T): T[] {
    const { start, count } = this.#vector(field, itemSize)
    const out: T[] = []
    for (let i = 0; i < count; i++) out.push(read(start + i * itemSize))
    return out
  }

  #vector(field: number, itemSize: number): { start: number; count: number } {
    const at = this.#field(field)
    if (!at) return { start: 0, count: 0 }
    const start = at + this.#view.getUint32(at, true)
    const count = this.#view.getUint32(start, true)
    if (start + 4 + count * itemSize > this.#view.byteLength)
      throw new RangeError(`a list of ${count} items that runs past the end`)
    return { start: start + 4, count }
  }

  /** Position of a field's value, 0 if it is not stored. */
  #field(field: number): number {
    const slot = 4 + 2 * field
    if (slot + 2 > this.#vtableSize) return 0
    const offset = this.#view.getUint16(this.#vtable + slot, true)
    return offset ? this.#start + offset : 0
  }
}
