// Memory that can't be given away: WebAssembly's, 64 KiB of it.

// What Node's types leave out.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (size: { initial: number }) => { buffer: ArrayBuffer } }
}

export const wasmMemory = (): ArrayBuffer => new WebAssembly.Memory({ initial: 1 }).buffer
