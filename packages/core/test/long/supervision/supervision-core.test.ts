// Restarts of core: frontends keep running, and their calls in flight settle.
import v8 from 'node:v8'
import { describe, expect, test, vi } from 'vitest'
import { fixture, next } from '../../support/start.js'
import {
  at,
  endCore,
  eventually,
  disconnected,
  patientPatterns,
  soon,
  supervise,
  takeClock,
} from '../../support/supervised.js'

const main = fixture('supervision/reborn-frontend.mjs')

describe.each(patientPatterns)('%s', (_name, app) => {
  test('settles calls, keeps listeners and exposed functions, and ends channels, streams and resources', async () => {
    const { bus, events } = await supervise({ ...app, frontends: { main } })
    const received: unknown[] = []
    const pong = (who: string) => (event: { payload: unknown }) => void received.push([who, event.payload])
    await bus.listen('pong', pong('host'))
    await next(bus, 'up')
    const client = await bus.connect('tests')
    await client.listen('pong', pong('client'))
    await client.once('pong', pong('once'))
    const first = await client.invoke<number>('which')
    expect(await bus.call('main', 'calls')).toBe(1)
    const rid = await client.invoke('keep')
    const channel = new client.Channel()
    const filled = client.invoke('fill', { channel }).catch((error: unknown) => error)
    const stream = client.stream<number>('count')
    await stream.next()

    await endCore(client)
    await expect(client.invoke('which')).rejects.toMatchObject(disconnected('no'))
    expect(await filled).toMatchObject(disconnected('unknown'))
    for await (const message of channel) expect(message).toBeTypeOf('number')
    const rest = async () => {
      for await (const value of stream) expect(value).toBeTypeOf('number')
    }
    await expect(rest()).rejects.toMatchObject(disconnected('unknown'))

    expect(await eventually(() => client.invoke<number>('which'))).not.toBe(first)
    expect(await eventually(() => bus.call('main', 'which'))).not.toBe(first)
    expect(await bus.call('main', 'calls')).toBe(2)
    expect(await client.invoke('kept', { rid })).toBe(false)
    await client.emit('ping', 1)
    await client.emit('ping', 2)
    await expect.poll(() => received.filter(entry => (entry as unknown[])[1] === 2).length).toBe(2)
    expect(received.map(String).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'client,1',
      'client,2',
      'host,1',
      'host,2',
      'once,1',
    ])
    const reply = next(bus, 'received')
    await bus.emitTo('main', 'to-frontend', 'x')
    expect(await reply).toEqual({ label: 'main', payload: 'x' })
    expect(events).toMatchObject([
      { name: 'fault', label: 'core', error: { message: 'core crashed' } },
      { name: 'restart', label: 'core', worker: 'core', restarts: 1, error: { message: 'core crashed' } },
    ])
  })

  test('keeps no memory of a link whose core failed', async () => {
    const { bus } = await supervise({ ...app, frontends: { main } })
    const client = await bus.connect('tests')
    // Counts after a garbage collection.
    const count = (): number => v8.queryObjects(SharedArrayBuffer, { format: 'count' })
    const restart = async (): Promise<void> => {
      await endCore(client)
      await eventually(() => client.invoke('which'))
      await eventually(() => bus.call('main', 'which'))
    }
    await bus.call('main', 'which')
    const before = count()
    await restart()
    await expect.poll(count).toBeLessThanOrEqual(before)
  })

  test('applies capability changes at run time to the next core', async () => {
    const more = { identifier: 'more', windows: ['tests'], permissions: ['core:app:deny-version'] }
    const { bus } = await supervise(app)
    const client = await bus.connect('tests', { allow: '*' })
    const version = 'plugin:app|version'
    await client.invoke(version)
    await bus.addCapability(more)
    await expect(client.invoke(version)).rejects.toMatchObject({ reason: 'Denied' })
    await endCore(client)
    await eventually(() => client.invoke('which'))
    await expect(client.invoke(version)).rejects.toMatchObject({ reason: 'Denied' })
    await eventually(() => bus.removeCapability('more'))
    await endCore(client)
    await eventually(() => client.invoke('which'))
    await client.invoke(version)
    await expect(eventually(() => bus.addCapability(more))).resolves.toBeUndefined()
  })

  test('fails the bus and settles all calls when core fails at each start', async () => {
    const core = at(`if (process.env.SALLYPORT_TEST_STORM) throw new Error('never again')
      export default { commands: { wait: () => new Promise(() => {}), end: () => process.exit(3) } }`)
    const capabilities = [{ identifier: 'all', windows: ['*'], permissions: ['allow-wait', 'allow-end'] }]
    const limited = { delay: { min: 1, max: 1 }, intensity: 2, period: 600_000 }
    const { bus, events } = await supervise({
      ...app,
      capabilities,
      core: { module: core, supervision: limited },
    })
    const up = next(bus, 'up')
    await bus.open('main', main)
    await up
    const client = await bus.connect('tests')
    const calls = [client.invoke('wait'), bus.call('main', 'block', { ms: 0 }), client.listen('x', () => {})]
    calls.forEach(call => void call.catch(() => {}))
    // What has been served decides the text of the end.
    await Promise.all(calls.slice(1))
    process.env['SALLYPORT_TEST_STORM'] = '1'
    try {
      await expect(client.invoke('end')).rejects.toMatchObject(disconnected('unknown'))
      await client.closed
    } finally {
      delete process.env['SALLYPORT_TEST_STORM']
    }
    expect((await Promise.allSettled(calls))[0]).toMatchObject({ reason: disconnected('unknown') })
    const reason = /^core failed 3 times within 600000 ms and will not be restarted. Last error: .*never again/
    await expect(client.invoke('wait')).rejects.toThrow(/core failed 3 times/)
    await expect(bus.emit('x')).rejects.toThrow(/core failed 3 times/)
    await expect(bus.connect('late')).rejects.toThrow('The bus is failed')
    expect(events.map(({ name }) => name)).toEqual(['fault', 'restart', 'fault', 'restart', 'fault', 'failed'])
    expect(events.at(-1)!.error.message).toMatch(reason)
    await bus.close()
  })
})

// `faults/` tests endless loops.
test('keeps core and a frontend that are blocked for less than the heartbeat limit', async () => {
  takeClock('polls of heartbeats')
  const { bus, events } = await supervise({ supervision: { ...soon, heartbeat: 60_000 }, frontends: { main } })
  await next(bus, 'up')
  const client = await bus.connect('tests')
  const first = await client.invoke<number>('which')
  // Both are blocked simultaneously.
  const frontend = bus.call('main', 'block', { ms: 500 })
  await client.invoke('which')
  const core = client.invoke('block', { ms: 500 })
  // One more poll would find them.
  vi.advanceTimersByTime(45_000)
  expect([await core, await frontend]).toEqual([first, 'awake'])
  expect(await client.invoke('which')).toBe(first)
  expect(events).toEqual([])
})

describe('while core restarts', () => {
  const slow = { ...soon, delay: { min: 500, max: 500 } }

  test('bus.open and bus.connect wait for core', async () => {
    const { bus } = await supervise({ core: { module: fixture('supervision/reborn.mjs'), supervision: slow } })
    const client = await bus.connect('tests')
    await endCore(client)
    const up = next(bus, 'up').catch(() => {})
    const [late] = await Promise.all([bus.connect('late'), bus.open('main', main)])
    expect(await late.invoke('which')).toBeTypeOf('number')
    await up
    expect(await eventually(() => bus.call('main', 'calls'))).toBe(1)
  })

  test('the bus and its frontends can be closed', async () => {
    const { bus } = await supervise({
      core: {
        module: fixture('supervision/reborn.mjs'),
        supervision: { ...soon, delay: { min: 600_000, max: 600_000 } },
      },
      frontends: { main, other: main },
    })
    const client = await bus.connect('tests')
    await endCore(client)
    const waiting = bus.connect('late')
    waiting.catch(() => {})
    await bus.closeFrontend('other')
    await bus.close()
    await client.closed
    await expect(waiting).rejects.toMatchObject({ reason: 'Disconnected' })
    await expect(client.invoke('which')).rejects.toMatchObject(disconnected('no'))
  })
})

test('serves again after crashes of core while frontends start, and together with a frontend', async () => {
  const { bus, events } = await supervise({ frontends: { main } })
  const client = await bus.connect('tests')
  // A module whose calls fail while it loads fails to open: its host opens it again.
  const opening = Promise.all(['a', 'b'].map(label => eventually(() => bus.open(label, main))))
  await endCore(client)
  await opening
  for (const label of ['main', 'a', 'b']) await eventually(() => bus.call(label, 'calls'))
  await bus.call('a', 'end', { how: 'throw' }).catch(() => {})
  await endCore(client)
  for (const label of ['main', 'a', 'b']) await eventually(() => bus.call(label, 'calls'))
  expect(events.map(({ label }) => label)).toEqual(expect.arrayContaining(['core', 'a']))
  expect(events.some(({ name }) => name === 'failed')).toBe(false)
})
