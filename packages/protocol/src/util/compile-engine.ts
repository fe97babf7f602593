// Compiles QuickJS, which the host does for its threads, and each process for itself.
import { concatBytes } from '#platform'
import { createReentry, REENTER } from './engine-reentry.js'
import { mapSections, readNumber, SECTION, writeNumber } from './wasm-sections.js'

// Only TypeScript's types of browsers have it.
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> }

/** What `quickjs-wasi` calls. The other 343 exports are for extensions of the engine. */
const CALLED = new RegExp(`^(?:qjs_|wasm_|memory$|__stack_pointer$|_initialize$|${REENTER}$)`)

/**
 * Leaves out the exports that nothing calls: V8 makes an object of each for each instance, which are more than half of its time and of its
 * part of the heap. Lets a script that runs go on in optimized code.
 *
 * @throws {Error} the `CompileError` of `WebAssembly.compile`
 */
export function compileEngine(bytes: Uint8Array): Promise<object> {
  const change = createReentry(bytes)
  const changed = mapSections(bytes, (id, content) =>
    id === SECTION.export ? filterExports(change(id, content) ?? [content]) : change(id, content),
  )
  return WebAssembly.compile(changed)
}

/** Returns the section with the exports that are called, in parts. */
function filterExports(parts: Uint8Array[]): Uint8Array[] {
  const section = concatBytes(parts)
  const decoder = new TextDecoder()
  const kept: Uint8Array[] = []
  let [, at] = readNumber(section, 0)
  while (at < section.length) {
    const [length, start] = readNumber(section, at)
    const kindAt = start + length
    let end = kindAt + 1
    while (section[end++]! >= 128);
    if (CALLED.test(decoder.decode(section.subarray(start, kindAt)))) kept.push(section.subarray(at, end))
    at = end
  }
  return [writeNumber(kept.length), ...kept]
}
