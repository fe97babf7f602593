import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { getCountdown, getReentry, prepareVms, returnVm, takeVm } from './vm-pool.js'

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

/** Calls, closures, exceptions, iterators, generators and async functions, in loops that end. */
const PROGRAM = `
  class Sum { #sum = 0; add(n) { this.#sum += n; return this } get value() { return this.#sum } }
  function* count(to) { try { for (let n = 0; n < to; n++) yield n } finally { log.push('closed') } }
  const log = [], fail = n => { if (n % 3 === 0) throw new Error('three ' + n); return n }
  const fib = n => (n < 2 ? n : fib(n - 1) + fib(n - 2))
  function each(...values) { let all = ''; for (const key in values) all += key + arguments[key]; return all }
  async function later() { let sum = 0; for await (const n of [1, Promise.resolve(2), 3]) sum += n; log.push('later', sum) }
  later()
  for (let n = 0; n < 20; n++) {
    try { fail(n); continue } catch ({ message }) { log.push(message) } finally { log.push(n) }
  }
  outer: for (const n of count(9)) for (const m of count(n)) { if (m > 2) continue outer; if (n > 6) break outer; log.push(m * 2 ** n) }
  let { a, ...rest } = { a: [...count(3)], b: 1n << 70n, c: 0.1 + 0.2 }
  switch (a.length) { case 3: log.push(typeof rest.b, String(rest.b), rest.c); default: log.push(each(...a, 'x')) }
  log.push(fib(9), new Sum().add(1).add(2).value, eval('a[1] + 1'), [3, 1, 2].sort((x, y) => x - y).join(), 'abab'.replace(/a/g, m => m + fib(3)))
  const result = () => JSON.stringify(log)
  result`

/** @param reenters - whether the engine goes on in other code after each question whether to stop */
async function runProgram(reenters: boolean): Promise<{ result: string; asked: number }> {
  let asked = 0
  const vm = await takeVm({
    interruptHandler() {
      asked++
      getCountdown(vm)[0] = 1
      if (reenters) getReentry(vm)!.value = 1
      return false
    },
  })
  const getResult = vm.evalCode(PROGRAM)
  vm.executePendingJobs()
  return { result: vm.callFunction(getResult, vm.undefined).toString(), asked }
}

test('a script does the same, however often the engine goes on in other code', async () => {
  const plain = await runProgram(false)
  expect(plain.asked).toBeGreaterThan(100)
  expect(await runProgram(true)).toEqual(plain)
})

test('a loop goes on in other code when it is asked to', async () => {
  const left: number[] = []
  const vm = await takeVm({
    interruptHandler() {
      left.push(getReentry(vm)!.value)
      getReentry(vm)!.value = 1
      getCountdown(vm)[0] = 100
      return false
    },
  })
  vm.evalCode('for (let n = 0; n < 1000; n++);').dispose()
  expect(left.length).toBeGreaterThan(5)
  expect(new Set(left)).toEqual(new Set([0]))
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
