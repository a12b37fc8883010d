/*
 * The loops over every pixel of a mask, in AssemblyScript: TypeScript's syntax for WebAssembly, with vectors of four numbers.
 * Nothing is kept between calls: the caller says where everything lies.
 */

export { connect, likenesses } from './behind'

/** Where memory begins that the caller may use as it likes. */
export function firstFree(): usize {
  return __heap_base
}
