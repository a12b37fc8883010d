/*
 * The loops in which the functions of this package spend their time, in AssemblyScript: TypeScript's syntax for
 * WebAssembly, with vectors of four numbers. Nothing is kept between calls: the caller says where everything lies.
 */

export { blurLines } from './blur'
export { fromLab, toLab } from './lab'
export { layRow } from './lay'
export { resizeLine, sumLines } from './resize'
export { cubicRow, lanczosRow, linearRow, useTile } from './sample'
export { gatherTile } from './tile'
export { acrossRow, downRow } from './two-pass'

/** Where memory begins that the caller may use as it likes. */
export function firstFree(): usize {
  return __heap_base
}
