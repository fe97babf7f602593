// What becomes of what the host asks for once it has begun to close the bus, or a frontend: one rule for all of it.
import { createDeferred } from '@sallyport/protocol/internal/util'
import { expect, test } from 'vitest'
import { type Bus, type Client, defineCore } from '../../src/index.js'
import { rows } from '../../../../scripts/testing.js'
import { start } from '../support/start.js'

const CODE = {
  source: 'import { expose } from "@sallyport/frontend"; expose({ now: () => 1, async *feed() { yield 1 } })',
  name: 'it.js',
}
const sandbox = 'quickjs'
const read = async (stream: AsyncIterable<unknown>): Promise<unknown[]> => {
  const values = []
  for await (const value of stream) values.push(value)
  return values
}

/** What a host asks of a frontend, and what it asks of the bus. */
const CALLS: Record<string, (bus: Bus) => unknown> = {
  call: bus => bus.call('main', 'now'),
  stream: bus => read(bus.stream('main', 'feed')),
  'a call of a proxy': bus => (bus.frontend('main') as unknown as { now(): unknown }).now(),
}
const REQUESTS: Record<string, (bus: Bus, client: Client) => unknown> = {
  ...CALLS,
  emit: bus => bus.emit('event'),
  emitTo: bus => bus.emitTo('main', 'event'),
  'a call of a client': (_bus, client) => client.invoke('wait'),
  'a stream of a client': (_bus, client) => read(client.stream('wait')),
  'an event of a client': (_bus, client) => client.emit('event'),
  connect: bus => bus.connect('other'),
  open: bus => bus.open('other', CODE, { sandbox }),
  run: bus => bus.run('return 1'),
  reload: bus => bus.reload('main'),
}

async function setUp() {
  const done = createDeferred<number>()
  const bus = await start({
    core: defineCore({ commands: { wait: () => done.promise } }),
    capabilities: [{ identifier: 'all', windows: ['*'], permissions: ['allow-wait', 'core:default'] }],
  })
  await bus.open('main', CODE, { sandbox })
  return { bus, client: await bus.connect('me'), done }
}

test('nothing that the host asks for begins once bus.close has begun, and what it asked for before is answered', async () => {
  const { bus, client, done } = await setUp()
  const waiting = client.invoke('wait')
  const before = bus.call('main', 'now')
  const closed = bus.close({ timeout: 60_000 })
  await rows(Object.entries(REQUESTS))(async (_what, ask) => {
    await expect((async () => ask(bus, client))()).rejects.toMatchObject({
      ...{ reason: 'Disconnected', data: { delivered: 'no' }, message: 'The bus was closed by bus.close()' },
    })
  })
  done.resolve(7)
  expect(await Promise.all([waiting, before])).toEqual([7, 1])
  await closed
})

test('nothing that the host asks of a frontend begins once it closes it, and its label is free again afterwards', async () => {
  const { bus } = await setUp()
  const closed = bus.closeFrontend('main')
  await rows(Object.entries(CALLS))(async (_what, ask) => {
    await expect((async () => ask(bus))()).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
  })
  await expect(bus.run('return 1', { label: 'main' })).rejects.toMatchObject({ reason: 'InvalidParams' })
  await closed
  await bus.open('main', CODE, { sandbox })
  expect(await bus.call('main', 'now')).toBe(1)
})

test('what a listener asks for while the bus closes is refused, which ends no program', async () => {
  const { bus, client } = await setUp()
  const refused = createDeferred<unknown>()
  await client.listen('job', async () => {
    await client.emit('reply').catch((error: { reason: string }) => {
      refused.resolve(error.reason)
      throw error
    })
  })
  const emitted = bus.emit('job')
  await Promise.all([emitted, bus.close()])
  expect(await refused.promise).toBe('Disconnected')
})
