/** A WebAssembly module, compiled from AssemblyScript by the build and by the tests. */
declare module '*?wasm' {
  const bytes: Uint8Array<ArrayBuffer>
  export default bytes
}
