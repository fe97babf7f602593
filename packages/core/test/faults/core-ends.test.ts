// Core that ends in each way that a thread can: whoever waits is told, once, and all go on with the next core.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Worker, setEnvironmentData } from 'node:worker_threads'
import type { Client } from '../../src/index.js'
import { fixture, isolation, next } from '../start.js'
import { soon } from '../supervised.js'
import { checkPromise, watch, type Watched } from './promise.js'

const capability = {
  identifier: 'all',
  windows: ['*'],
  permissions: ['which', 'wait', 'fault'].map(name => `allow-${name}`),
}
const apps = { brownfield: {}, isolation: isolation('judge', {}, capability) }

/** How often each call has run: written by one core after the other. */
const ran = new Int32Array(new SharedArrayBuffer(4096))
let calls = 0

const ends: [how: string, error: string][] = [
  ['exits with code 0', 'core exited unexpectedly'],
  ['exits with code 3', 'core exited with code 3'],
  ['throws in a timer', 'thrown'],
  ['throws null in a timer', 'null'],
  ['overflows its stack in a timer', 'Maximum call stack size exceeded'],
  ['leaves a rejection unhandled', 'unhandled'],
  ['exits between handler and reply', 'core exited with code 3'],
  ['closes its control port', 'core has closed its port to the host'],
  ['closes all its ports', 'core has closed its port to the host'],
  ['waits to be ended', 'core exited with code 1'],
  ['computes for ever', 'core blocked its event loop for 1500 ms'],
]

describe.each([
  ['brownfield', 'port'],
  ['brownfield', 'ring'],
  ['isolation', 'port'],
  ['isolation', 'ring'],
] as const)('core, %s, %s:', (pattern, link) => {
  let watched: Watched
  let clients: [Client, Client]
  const heard: string[] = []
  const hear = (who: string) => (event: { payload: unknown }) => void heard.push(`${who} ${String(event.payload)}`)

  beforeAll(async () => {
    setEnvironmentData('faulty-core ran', ran)
    const frontends = { main: { module: fixture('waiting-frontend.mjs'), link } }
    const supervision = { ...soon, heartbeat: 1500 }
    watched = await watch({ core: fixture('faulty-core.mjs'), frontends, app: apps[pattern], supervision })
    const { bus } = watched
    await next(bus, 'up')
    clients = [await bus.connect('one', { link }), await bus.connect('two', { link, codec: 'msgpack' })]
    await Promise.all([bus.listen('pong', hear('host')), ...clients.map(one => one.listen('pong', hear(one.label)))])
    await bus.addCapability({ identifier: 'no', windows: ['one'], permissions: ['core:app:deny-version'] })
  })

  afterAll(() => watched.close())

  const mine = ends.filter(([how]) => how !== 'computes for ever' || (pattern === 'isolation') === (link === 'ring'))

  test.each(mine)('%s', async (kind, message) => {
    const { bus, told } = watched
    const [one, two] = clients
    const before = await one.invoke('which')
    expect(await bus.call('main', 'which')).toBe(before)
    told.length = 0
    heard.length = 0
    const [first, second, fault, after, asks] = [calls++, calls++, calls++, calls++, calls++] as const
    await bus.call('main', 'ask', { n: asks })

    const pending = {
      host: bus.call('main', 'wait'),
      two: two.invoke('wait', { n: second }),
      // These three are one batch.
      one: one.invoke('wait', { n: first }),
      fault: one.invoke('fault', { kind, n: fault }),
      // Where nothing ends at once this one is answered.
      after: one.invoke('which', { n: after }),
    }
    if (kind === 'waits to be ended') await endFromOutside(watched, fault)
    const served = await checkPromise(watched, {
      label: 'core',
      calls: pending,
      reasons: ['Disconnected', 'resolved'],
      serves: () => one.invoke('which'),
      told: [
        { name: 'fault', error: { message } },
        { name: 'restart', actor: 'core', error: { message } },
      ],
    })

    expect(served).not.toBe(before)
    for (const name of ['host', 'two', 'one', 'fault'] as const) {
      await expect(pending[name], name).rejects.toMatchObject({ data: { delivered: 'unknown' } })
    }
    const once = expect.toBeOneOf([0, 1]) as number
    expect([...ran.subarray(first, after + 1)]).toEqual([1, once, 1, once])
    await expect.poll(() => bus.call('main', 'outcome', { n: asks }).catch(() => {})).toBe('Disconnected, unknown')
    expect(await two.invoke('which')).toBe(served)
    expect(await bus.call('main', 'which')).toBe(served)
    await one.emit('ping', kind)
    await expect.poll(() => heard.toSorted()).toEqual(['host', 'one', 'two'].map(who => `${who} ${kind}`))
    await expect(one.invoke('plugin:app|version')).rejects.toMatchObject({ reason: 'Denied' })
  })
})

/** Whoever holds a worker may end it. */
async function endFromOutside({ bus }: Watched, call: number): Promise<void> {
  await expect.poll(() => ran[call]).toBe(1)
  const post = vi.spyOn(Worker.prototype, 'postMessage')
  const connected = await bus.connect('three')
  const core =
    post.mock.contexts[post.mock.calls.findIndex(([message]) => (message as { type: string }).type === 'attach')]
  post.mockRestore()
  await connected.close()
  void (core as Worker).terminate()
}
