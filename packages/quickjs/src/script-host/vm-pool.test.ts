import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { getCountdown, prepareVms, returnVm, takeVm } from './vm-pool.js'

declare const WebAssembly: { Module: { exports(module: object): { name: string }[] } }

test('the engine keeps each export that its package uses', async () => {
  const source = readFileSync(fileURLToPath(import.meta.resolve('quickjs-wasi')), 'utf8')
  // Some functions of the package call them `e`.
  const uses = /\b(?:exports|_getExports\(\))(?:\.(\w+)|\[["'](\w+)["']\])|\be\.((?:qjs|wasm)_\w+)/g
  const used = new Set(Array.from(source.matchAll(uses), ([, member, quoted, short]) => member ?? quoted ?? short!))
  const { module } = await prepareVms()
  const kept = new Set(WebAssembly.Module.exports(module).map(({ name }) => name))
  for (const name of ['_initialize', 'qjs_is_undefined', 'qjs_get_prop_string']) expect(used).toContain(name)
  expect([...used].filter(name => !kept.has(name))).toEqual([])
})

test('the countdown of a VM is that to its next question whether to stop', async () => {
  let asked = 0
  const vm = await takeVm({
    interruptHandler() {
      asked++
      getCountdown(vm)[0] = 10
      return false
    },
  })
  vm.evalCode('for (let n = 0; n < 1000; n++);').dispose()
  expect(asked).toBeGreaterThanOrEqual(100)
})

test('a VM that is used again has nothing of the script before, also where it has grown', async () => {
  const vm = await takeVm({})
  const { memory } = vm._getExports()
  memory.grow(1)
  const left = new Uint8Array(memory.buffer)
  left.fill(7, left.length - 10)
  left.fill(7, left.length >> 1, (left.length >> 1) + 10)
  await returnVm(vm)
  const { snapshot } = await prepareVms()
  const again = new Uint8Array((await takeVm({}))._getExports().memory.buffer)
  expect(again.length).toBe(left.length)
  expect(again.subarray(snapshot.memory.length).some(Boolean)).toBe(false)
  const [middle, end] = [again.length >> 1, (again.length >> 1) + 10]
  expect(again.slice(middle, end)).toEqual(snapshot.memory.slice(middle, end))
})
