import { expect, test } from 'vitest'
import { compileEngine } from './compile-engine.js'

declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>
  Module: { exports(module: object): { name: string }[] }
  Instance: new (module: object) => { exports: Record<string, (value: number) => number> }
}

const text = (value: string): number[] => [value.length, ...Buffer.from(value)]

/** A module with a memory and a function that adds one, which has many exports. */
function createModule(names: readonly string[]): Uint8Array {
  const section = (id: number, ...content: number[]): number[] => [
    id,
    (content.length & 127) | 128,
    content.length >> 7,
    ...content,
  ]
  const exported = [...text('memory'), 2, 0, ...names.flatMap(name => [...text(name), 0, 0])]
  return Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 1, 0x7f, 1, 0x7f),
    ...section(3, 1, 0),
    ...section(5, 1, 0, 1),
    ...section(7, names.length + 1, ...exported),
    ...section(10, 1, 7, 0, 0x20, 0, 0x41, 1, 0x6a, 0x0b),
  )
}

const called = ['qjs_eval', 'wasm_malloc', '_initialize', '__stack_pointer']
const left = ['JS_Eval', 'js_malloc', 'strlen', 'memory2', '_initialize2', 'my_qjs_eval']

test('a module keeps the exports that are called, with what they do', async () => {
  const module = await compileEngine(createModule([...left, ...called]))
  expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual(['memory', ...called])
  expect(new WebAssembly.Instance(module).exports['qjs_eval']!(41)).toBe(42)
})

test('a section of any length keeps its form', async () => {
  const many = [0, 1, 20, 60, 126].map(count => Array.from({ length: count }, (_, index) => `qjs_${index}`))
  // A section of 127 and one of 128 bytes are among these.
  const long = Array.from({ length: 115 }, (_, length) => [`qjs_${'x'.repeat(length)}`])
  for (const names of [...many, ...long]) {
    const exports = WebAssembly.Module.exports(await compileEngine(createModule(names)))
    expect(exports).toHaveLength(names.length + 1)
  }
})

/** Returns the name of the error. */
const getOutcome = (compiled: Promise<object>): Promise<string | undefined> =>
  compiled.then(
    () => 'compiled',
    (error: unknown) => String(error).split(':')[0],
  )

test('a binary that ends too early has the error of WebAssembly', async () => {
  const whole = createModule([...left, ...called])
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.subarray(0, length)
    expect(await getOutcome(compileEngine(cut))).toBe(await getOutcome(WebAssembly.compile(cut)))
  }
})
