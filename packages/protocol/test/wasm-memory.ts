// WebAssembly memory of 64 KiB, which cannot be transferred.

// Missing in Node's types.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (size: { initial: number }) => { buffer: ArrayBuffer } }
}

export const wasmMemory = (): ArrayBuffer => new WebAssembly.Memory({ initial: 1 }).buffer
