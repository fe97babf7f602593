// @tauri-apps/api over the bus, without weaknesses of Tauri's IPC, which the titles name in parentheses.
import { Channel, invoke, transformCallback } from '@tauri-apps/api/core'
import { emit, listen } from '@tauri-apps/api/event'
import { installTauri, type TauriInstallation } from '@sallyport/frontend/tauri'
import { afterEach, expect, test } from 'vitest'
import type { Bus, BusOptions, Client } from '../../src/index.js'
import { patterns, startBus } from './environments.js'

let bus: Bus
let installed: TauriInstallation | undefined
afterEach(async () => {
  installed?.uninstall()
  await bus.close({ timeout: 0 })
})

async function start(app: Partial<BusOptions>): Promise<Client> {
  bus = await startBus(app)
  const client = await bus.connect('main')
  installed = installTauri(client)
  return client
}

const internals = (): { callbacks: Map<number, unknown> } => Reflect.get(globalThis, '__TAURI_INTERNALS__')

/** The isolation pattern with a hook that lets `give` and events pass, and refuses, throws at or never answers others. */
const judged = { ...patterns[1]![1], isolation: { dir: new URL('./fixtures/judge/', import.meta.url) } }

test("a call that the hook rejects, or throws at, settles (Tauri's never does)", async () => {
  await start(judged)
  expect(await invoke('give', { value: 1 })).toBe(1)
  await expect(invoke('echo', { wish: 'null' })).rejects.toEqual(expect.any(String))
  await expect(invoke('echo', { wish: 'throw' })).rejects.toEqual(expect.any(String))
  await expect(listen('refused', () => {})).rejects.toEqual(expect.any(String))
  const handler = transformCallback(() => {})
  const refused = invoke('plugin:event|listen', { event: 'news', handler }, { headers: { wish: 'null' } })
  await expect(refused).rejects.toEqual(expect.any(String))
  expect(internals().callbacks.size).toBe(0)
})

test('the hook sees what is sent, serialized', async () => {
  await start(judged)
  expect(await invoke('echo', { wish: 'show', map: new Map([['a', new Uint8Array([1])]]) })).toMatchObject({
    shown: { map: { a: [1] } },
  })
})

test('a denied call settles and ends its channel (Tauri keeps the callback)', async () => {
  await start({ capabilities: [{ identifier: 'none', windows: ['main'], permissions: ['allow-give'] }] })
  const channel = new Channel()
  await expect(invoke('count', { to: 1, channel })).rejects.toMatch('count')
  await expect.poll(() => internals().callbacks.has(channel.id)).toBe(false)
})

test('a crash of the other end settles calls and ends channels', async () => {
  const client = await start(patterns[0]![1])
  const got: unknown[] = []
  const channel = new Channel(message => got.push(message))
  const counting = invoke('count_for_ever', { channel })
  await expect.poll(() => got.length).toBeGreaterThan(0)
  await Promise.all([expect(counting).rejects.toEqual(expect.any(String)), client.close()])
  await expect.poll(() => internals().callbacks.size).toBe(0)
})

test('another frontend cannot remove a listener (in Tauri any id works)', async () => {
  await start(patterns[0]![1])
  const received: unknown[] = []
  await listen('mine', ({ id }) => received.push(id))
  await emit('mine')
  await invoke('nothing')
  const other = await bus.connect('other')
  await other.invoke('plugin:event|unlisten', { event: 'mine', eventId: received[0] })
  await emit('mine')
  await invoke('nothing')
  expect(received).toHaveLength(2)
})

test('a listener that throws does not prevent the others from getting the event', async () => {
  await start(patterns[0]![1])
  const received: unknown[] = []
  const thrown = new Promise(resolve => process.once('uncaughtException', resolve))
  await listen('shared', () => {
    throw new Error('of a listener')
  })
  await listen('shared', ({ payload }) => received.push(payload))
  await emit('shared', 1)
  await invoke('nothing')
  expect(received).toEqual([1])
  expect(await thrown).toMatchObject({ message: 'of a listener' })
})
