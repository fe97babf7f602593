// Makes the image of a VM of QuickJS that has evaluated a script: the memory that every other VM begins with, as one file.
//
//   count u32  stack pointer  runtime  context  bytes of memory  the numbers of the pages that follow  pages
//
// All of it is compressed with Brotli. Numbers are u32, little-endian. A page that the engine's module fills by itself is left out.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { brotliCompressSync } from 'node:zlib'

/** As `quickjs/src/script-host/vm-image.ts` has it. */
const PAGE_BYTES = 4096
/** The first is small enough for the gaps between what is used. */
const BLOCK_SIZES = [28, 2048, 32_768]

/** Without a clock and random bytes, the same script gives the same image. What begins with it sets both. */
const wasi = memory => ({
  clock_time_get(_clock, _precision, at) {
    new DataView(memory.buffer).setBigUint64(at, 0n, true)
    return 0
  },
  random_get(at, length) {
    new Uint8Array(memory.buffer, at, length).fill(0)
    return 0
  },
})

/** @param hostFunctions - names of what the script finds in `__sallyport` */
export async function createImage(folder, code, hostFunctions) {
  const entry = createRequire(join(folder, 'package.json')).resolve('quickjs-wasi')
  const { CompileFlags, QuickJS } = await import(pathToFileURL(entry))
  const wasm = await WebAssembly.compile(readFileSync(join(dirname(entry), '../quickjs.wasm')))
  const compiler = await QuickJS.create({ wasm })
  // Without the text of its functions, which is half of their memory.
  const bytecode = compiler.compile(code, 'sallyport', 0, CompileFlags.STRIP_SOURCE)
  const vm = await QuickJS.create({ wasm, wasi })
  const holder = vm.newObject()
  for (const name of hostFunctions) {
    const stub = vm.newFunction(name, () => vm.undefined)
    holder.setProp(name, stub)
  }
  vm.global.setProp('__sallyport', holder)
  holder.dispose()
  vm.evalBytecode(bytecode).dispose()
  vm.runGC()
  clearFree(vm._getExports())
  const snapshot = vm.snapshot()
  const blank = await QuickJS.restore({ ...snapshot, memory: new Uint8Array() }, { wasm, wasi })
  return packImage(snapshot, new Uint8Array(blank._getExports().memory.buffer))
}

/**
 * What was freed would differ from what a script allocates there: it is cleared, by taking all of it until the memory grows. The large blocks clear
 * what the allocator has left before each small one.
 */
function clearFree({ memory, wasm_malloc: allocate, wasm_free: free }) {
  for (const size of BLOCK_SIZES) {
    const { byteLength } = memory.buffer
    const blocks = []
    while (memory.buffer.byteLength === byteLength) blocks.push(allocate(size))
    for (const at of blocks) new Uint8Array(memory.buffer, at, size).fill(0)
    for (const at of blocks) free(at)
  }
}

function packImage({ memory, stackPointer, runtimePtr, contextPtr }, blank) {
  const unlike = new Uint8Array(memory.length)
  unlike.set(blank)
  const getPage = (bytes, page) => bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  const all = Array.from({ length: memory.length / PAGE_BYTES }, (_, page) => page)
  const pages = all.filter(page => Buffer.compare(getPage(memory, page), getPage(unlike, page)) !== 0)
  const numbers = [pages.length, stackPointer, runtimePtr, contextPtr, memory.length, ...pages]
  const head = Buffer.alloc(numbers.length * 4)
  for (const [at, number] of numbers.entries()) head.writeUInt32LE(number, at * 4)
  return brotliCompressSync(Buffer.concat([head, ...pages.map(page => getPage(memory, page))]))
}
