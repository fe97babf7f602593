// Sallyport under a fake clock, which moves deadlines and nothing else. Vitest and Jest fake different functions.
import { createTestBus } from '@sallyport/core/testing'
import core from './core.js'

const clock = globalThis.vi ?? import.meta.jest
const hook = new URL('./dist-isolation/', import.meta.url)
const plugin = new URL('./plugin.js', import.meta.url)
afterEach(() => void clock.useRealTimers())

/** Uses calls, many large calls, streams, channels, bytes, an event, a plugin in a thread, and the end of the bus. */
async function useAll(testBus) {
  const { bus, client, close } = testBus
  const text = 'x'.repeat(200_000)
  expect(await client.invoke('echo', { value: 1 })).toBe(1)
  const calls = Array.from({ length: 100 }, () => client.invoke('echo', { value: text }))
  expect((await Promise.all(calls)).every(value => value === text)).toBe(true)
  expect((await client.invoke('echo', { value: new Uint8Array(2 ** 21) })).byteLength).toBe(2 ** 21)
  const numbers = []
  for await (const n of client.stream('count', { to: 3 })) numbers.push(n)
  expect(numbers).toEqual([1, 2, 3])
  const channel = new client.Channel()
  await client.invoke('fill', { channel })
  for await (const _message of channel) break
  const pong = client.once('pong')
  await client.emit('ping', { n: 1 })
  expect((await pong).payload).toEqual({ n: 1 })
  await bus.open('late', plugin, { sandbox: 'permission', allow: ['size'] })
  expect(await bus.call('late', 'size', { bytes: new Uint8Array(9) })).toBe(9)
  expect(await bus.run('return await invoke("echo", { value: 2 })', { allow: ['echo'] })).toBe(2)
  const waits = client.invoke('until_cancelled', {}, { timeout: 60_000 })
  const settled = waits.then(
    () => 'answered',
    error => error.reason,
  )
  await client.invoke('echo', { value: 1 })
  clock.advanceTimersByTime(60_000)
  expect(await settled).toBe('Timeout')
  await close()
}

test.each([
  ['brownfield', {}],
  ['isolation', { isolation: { dir: hook } }],
])('a bus works that was opened before, %s', async (_pattern, options) => {
  const testBus = await createTestBus({ core, ...options })
  clock.useFakeTimers()
  await useAll(testBus)
})

test.each([
  ['brownfield', {}],
  ['isolation', { isolation: { dir: hook } }],
])('a bus opens and works, %s', async (_pattern, options) => {
  clock.useFakeTimers()
  await useAll(await createTestBus({ core, ...options }))
})
