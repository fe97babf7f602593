// State and resources as frontends see them: who can use a resource, and when it is closed.
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Bus, BusOptions } from '../../src/index.js'
import { definitionIn, fixture, start } from '../support/start.js'

const permissions = ['open', 'open-later', 'name-of'].map(name => `files:allow-${name}`)
const capabilities = [
  {
    identifier: 'all',
    windows: ['*'],
    permissions: [...permissions, 'allow-count', 'allow-manage-again', 'allow-not-managed'],
  },
]

const core = fixture('features.mjs')

async function setUp(more: Partial<BusOptions> = {}): Promise<{ bus: Bus; closed: unknown[] }> {
  const bus = await start({ core, capabilities, ...more })
  const closed: unknown[] = []
  await bus.listen('closed', ({ payload }) => void closed.push(payload))
  return { bus, closed }
}

const open = 'plugin:files|open'
const close = 'plugin:resources|close'

describe('state', () => {
  test('is shared by all handlers, and keeps its first value', async () => {
    const { bus } = await setUp()
    const [first, second] = [await bus.connect('one'), await bus.connect('two')]
    expect([await first.invoke('count'), await second.invoke('count')]).toEqual([1, 2])
    expect(await first.invoke('manage_again')).toBe(false)
    expect(await first.invoke('count')).toBe(3)
  })

  test("is named in Tauri's error when it is missing", async () => {
    const client = await (await setUp()).bus.connect('one')
    await expect(client.invoke('not_managed')).rejects.toMatchObject({
      message: 'state not managed for `settings`. You must call `.manage()` before using this command',
    })
  })
})

describe('resources', () => {
  test('have an id, and the Resource of Tauri can close them', async () => {
    const { bus, closed } = await setUp()
    const client = await bus.connect('one')
    const rid = await client.invoke<number>(open, { name: 'a' })
    expect(await client.invoke('plugin:files|name_of', { rid })).toBe('a')
    expect(await client.invoke(close, { rid })).toBe(null)
    await expect.poll(() => closed).toEqual(['a'])
    for (const command of [close, 'plugin:files|name_of']) {
      await expect(client.invoke(command, { rid })).rejects.toMatchObject({
        message: `The resource id ${rid} is invalid.`,
      })
    }
    await expect(client.invoke(close, {})).rejects.toMatchObject({
      message: 'invalid args `rid` for command `close`: command close missing required key rid',
    })
    await expect(client.invoke(close, { rid: 'x' })).rejects.toMatchObject({
      message: 'invalid args `rid` for command `close`: invalid type: string "x", expected u32',
    })
  })

  test('cannot be used by another frontend, unless they belong to the app', async () => {
    const { bus, closed } = await setUp()
    const [first, second] = [await bus.connect('one'), await bus.connect('two')]
    const rid = await first.invoke<number>(open, { name: 'a' })
    for (const command of [close, 'plugin:files|name_of']) {
      await expect(second.invoke(command, { rid })).rejects.toMatchObject({
        message: `The resource id ${rid} is invalid.`,
      })
    }
    expect(await first.invoke('plugin:files|name_of', { rid })).toBe('a')
    const shared = await first.invoke<number>(open, { name: 'shared', shared: true })
    await second.invoke(close, { rid: shared })
    await expect.poll(() => closed).toEqual(['shared'])
  })

  test('are closed in reverse order when their frontend disconnects, even if one throws', async () => {
    const { bus, closed } = await setUp()
    const [first, second] = [await bus.connect('one'), await bus.connect('two')]
    for (const name of ['first', 'throws', 'last']) await first.invoke(open, { name })
    await first.invoke(open, { name: 'shared', shared: true })
    await second.invoke(open, { name: 'of two' })
    await first.close()
    await expect.poll(() => closed).toEqual(['last', 'throws', 'first'])
  })

  test('are closed immediately when a handler opens them after its frontend has disconnected', async () => {
    const { bus, closed } = await setUp()
    const client = await bus.connect('one')
    client.invoke('plugin:files|open_later', { name: 'late' }).catch(() => {})
    await client.invoke('count')
    await client.close()
    await expect.poll(() => closed).toEqual(['late'])
  })

  test('are closed when the bus closes: first those of frontends, then teardowns, then those of the app', async () => {
    const { bus } = await setUp()
    const received: unknown[] = []
    for (const event of ['closed', 'torn-down']) await bus.listen(event, ({ payload }) => void received.push(payload))
    const client = await bus.connect('one')
    for (const name of ['a', 'b']) await client.invoke(open, { name })
    await client.invoke(open, { name: 'shared', shared: true })
    await bus.close({ timeout: 60_000 })
    expect(received).toEqual(['b', 'a', 'core', 'files', 'shared'])
  })

  test('do not delay others or the bus when their close hangs', async () => {
    const { bus, closed } = await setUp({ core: await definitionIn(core) })
    const client = await bus.connect('one')
    for (const name of ['below', 'hangs']) await client.invoke(open, { name })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const closing = bus.close({ timeout: 60_000 })
    await expect.poll(() => closed).toEqual(['hangs'])
    await vi.advanceTimersByTimeAsync(5000)
    await expect.poll(() => closed).toEqual(['hangs', 'below'])
    await closing
  })
})
