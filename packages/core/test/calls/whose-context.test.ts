// The AsyncLocalStorage of a service: what the host runs for a caller finds the caller's store, and nothing finds that of whoever opened the bus.
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { type Bus, type BusOptions, type Channel, defineCore } from '../../src/index.js'
import { fixture, start } from '../support/start.js'

const user = new AsyncLocalStorage<string>()
const who = (): string => user.getStore() ?? 'nobody'
const turn = (): Promise<void> => new Promise(setImmediate)
const seen: string[] = []

async function* names(): AsyncGenerator<string> {
  try {
    yield who()
    await turn()
    yield who()
  } finally {
    seen.push(who())
  }
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = []
  for await (const value of source) values.push(value)
  return values
}

const core = defineCore({
  use: [async (_call, next) => (seen.push(who()), next())],
  commands: {
    who,
    later: async () => (await turn(), who()),
    names,
    read: async ({ source }: { source: AsyncIterable<string> }) => collect(source),
    tell: ({ channel }: { channel: Channel<string> }) => {
      void channel.send('hello')
      channel.end()
    },
    ask: (_: object, ctx) => ctx.confirm('May I?'),
    emit: (_: object, ctx) => ctx.app.emit('said', 1),
  },
  setup: app => void app.listen('said', () => seen.push(who())),
})

/** Opens a bus for user A, as the first request does. */
const open = (options: Partial<BusOptions> = {}): Promise<Bus> =>
  user.run('A', () => start({ core, onConfirm: () => (seen.push(who()), true), ...options }))

test('what the host does for a run belongs to whoever runs it', async () => {
  const bus = await open()
  const printed: string[] = []
  const functions = { h: { who, later: async () => (await turn(), who()) } }
  const run = (): Promise<unknown> =>
    bus.run('console.log(1); await invoke("ask"); return [await h.who({}), await h.later({})]', {
      ...{ functions, allow: ['ask'] },
      onStdio: () => void printed.push(who()),
    })
  for (const each of ['B', 'C']) {
    seen.length = 0
    expect(await user.run(each, run)).toEqual([each, each])
    // Middleware of the command that the code calls, and `onConfirm`.
    expect(seen).toEqual([each, each])
  }
  expect(await run()).toEqual(['nobody', 'nobody'])
  expect(printed).toEqual(['B', 'C', 'nobody'])
})

test('commands of a core in this thread belong to their caller', async () => {
  const bus = await open()
  const client = await user.run('A', () => bus.connect('tests', { allow: '*' }))
  seen.length = 0
  const ask = async (): Promise<unknown[]> => {
    const calls = Array.from({ length: 20 }, (_, index) => client.invoke(index % 2 ? 'later' : 'who'))
    const streamed = await collect(client.stream('names'))
    return [...new Set([...(await Promise.all(calls)), ...streamed])]
  }
  expect(await Promise.all([user.run('B', ask), user.run('C', ask), ask()])).toEqual([['B'], ['C'], ['nobody']])
  // Middleware saw 21 calls of each, and the `finally` of each stream ran.
  expect(seen.toSorted()).toEqual([...Array(22).fill('B'), ...Array(22).fill('C'), ...Array(22).fill('nobody')])
})

test('a channel, a listener and a stream among arguments belong to whoever has made them', async () => {
  const bus = await open()
  const client = await user.run('A', () => bus.connect('tests', { allow: '*' }))
  const heard: string[] = []
  const hear = (): void => void heard.push(who())
  await user.run('B', async () => {
    const channel = new client.Channel<string>(hear)
    expect(channel.onmessage).toBe(hear)
    const ended = new Promise<string>(resolve => (channel.onend = () => resolve(who())))
    await client.listen('said', hear)
    await client.invoke('tell', { channel })
    expect(await ended).toBe('B')
    seen.length = 0
    expect(await client.invoke('read', { source: names() })).toEqual(['B', 'B'])
    expect(seen).toEqual(['B', 'B'])
  })
  await user.run('C', () => client.invoke('emit'))
  await expect.poll(() => heard).toEqual(['B', 'B'])
})

test('what a command enters ends with its call', async () => {
  const bus = await start({ core: fixture('calls/entering-core.mjs') })
  const client = await bus.connect('tests', { allow: '*' })
  const together = Array.from({ length: 3 }, () => client.invoke('enter'))
  expect(await Promise.all([...together, Promise.all(together).then(() => client.invoke('enter'))])).toEqual(
    Array(4).fill({ before: 'nobody', after: 'A' }),
  )
})

test('what belongs to all callers belongs to nobody', async () => {
  seen.length = 0
  const bus = await open({ core: fixture('core.mjs'), frontends: {} })
  const events: string[] = []
  await user.run('A', async () => {
    bus.on('restart', () => void events.push(who()))
    bus.on('exited', () => void events.push(who()))
    await bus.open('prints', { source: 'console.log(1)' }, { onStdio: () => void events.push(who()) })
  })
  await user.run('B', () => bus.reload('core'))
  await user.run('B', () => bus.reload('prints'))
  await expect.poll(() => events).toContain('nobody')
  expect(new Set(events)).toEqual(new Set(['nobody']))
})

test('so it does if a request loads the package', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [fixture('calls/loaded-in-a-request.mjs').pathname])
  expect(JSON.parse(stdout)).toEqual({
    ...{ run: ['B', 'nobody'], command: ['B', 'nobody'] },
    ...{ event: 'nobody', setup: 'nobody' },
  })
})
