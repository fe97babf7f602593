// What `@tanstack/ai-code-mode` asks of a driver.
import { expect, test } from 'vitest'
import { toIsolateDriver } from '../src/index.js'
import { reuseBus } from './start.js'

const getBus = reuseBus()
const bindings = { external_echo: { execute: async (args: unknown) => args } }

test('an execution has the bindings of its context as globals', async () => {
  const context = await toIsolateDriver(getBus()).createContext({ bindings })
  const code = 'return [await external_echo({ a: 1 }), await external_echo()]'
  expect(await context.execute(code)).toEqual({ success: true, value: [{ a: 1 }, {}], logs: [] })
  await context.dispose()
})

test('a name that is no identifier is a member of globalThis', async () => {
  const context = await toIsolateDriver(getBus()).createContext({
    bindings: { 'external_a-b': bindings.external_echo },
  })
  expect(await context.execute(`return globalThis['external_a-b'](await external_a_b({ a: 1 }))`)).toMatchObject({
    value: { a: 1 },
  })
  await context.dispose()
})

test('an error has a name, and its reason as the code', async () => {
  const context = await toIsolateDriver(getBus()).createContext({ bindings })
  expect(await context.execute(`throw new TypeError('no')`)).toMatchObject({
    success: false,
    error: { name: 'TypeError', message: 'no', code: 'CommandFailed' },
  })
  expect(await context.execute('a b')).toMatchObject({ error: { name: 'SyntaxError', code: 'LoadFailed' } })
  await context.dispose()
  const brief = await toIsolateDriver(getBus()).createContext({ bindings, timeout: 1 })
  expect(await brief.execute('await new Promise(resolve => setTimeout(resolve, 1e9))')).toMatchObject({
    error: { name: 'TimeoutError', code: 'Timeout' },
  })
  await brief.dispose()
})

test('the memory of the context is the limit of an execution', async () => {
  const context = await toIsolateDriver(getBus()).createContext({ bindings, memoryLimit: 4 })
  const code = 'const all = []; for (;;) all.push(new Uint8Array(2 ** 20).fill(1))'
  expect(await context.execute(code)).toMatchObject({ success: false, error: { code: 'Crashed' } })
  await context.dispose()
})

test('dispose ends what runs, and what starts later', async () => {
  let start = (): void => {}
  const started = new Promise<void>(resolve => (start = resolve))
  const execute = async (): Promise<never> => {
    start()
    return new Promise(() => {})
  }
  const context = await toIsolateDriver(getBus()).createContext({ bindings: { external_wait: { execute } } })
  const running = context.execute('await external_wait()')
  await started
  await context.dispose()
  const cancelled = { success: false, error: { name: 'AbortError', code: 'Cancelled' } }
  expect(await running).toMatchObject(cancelled)
  expect(await context.execute('return 1')).toMatchObject(cancelled)
})
