// Restarts of frontends and gates, each independent of the others.
import { describe, expect, test, vi } from 'vitest'
import type { Client } from '../../../src/index.js'
import { terminate } from '../faults/threads.js'
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

vi.mock(import('../../../src/life/workers/spawn.js'), async original =>
  (await import('../faults/threads.js')).reaching(original),
)

const main = fixture('supervision/reborn-frontend.mjs')

describe.each(patientPatterns)('%s', (_name, app) => {
  test('a frontend restarts when it throws, and the others get events about the new one', async () => {
    const { bus, events } = await supervise({ ...app, frontends: { main } })
    const lifecycle: string[] = []
    for (const name of ['window-created', 'destroyed'])
      await bus.listen(`tauri://${name}`, () => void lifecycle.push(name))
    await next(bus, 'up')
    expect(await bus.call('main', 'calls')).toBe(1)
    expect(await bus.call('main', 'calls')).toBe(2)
    const up = next(bus, 'up')
    await bus.call('main', 'end', { how: 'throw' }).catch(() => {})
    await up
    expect(await bus.call('main', 'calls')).toBe(1)
    expect(events).toMatchObject([
      { name: 'fault', label: 'main' },
      { name: 'restart', label: 'main', worker: 'frontend', restarts: 1, error: { message: 'the frontend crashed' } },
    ])
    await expect.poll(() => lifecycle).toEqual(['window-created', 'destroyed', 'window-created'])
  })

  test('a frontend that exits with code 0 has finished, unless it is permanent', async () => {
    const { bus, events } = await supervise({
      ...app,
      frontends: { main, permanent: { module: main, supervision: { restart: 'permanent' } } },
    })
    const ups: unknown[] = []
    await bus.listen('up', ({ payload }) => void ups.push(payload))
    await expect.poll(() => new Set(ups)).toEqual(new Set(['permanent', 'main']))
    for (const label of ['main', 'permanent']) await bus.call(label, 'end', { how: 'exit' }).catch(() => {})
    await expect.poll(() => ups.slice(2)).toEqual(['permanent'])
    expect(await eventually(() => bus.call('permanent', 'calls'))).toBe(1)
    await expect
      .poll(() => bus.call('main', 'calls').catch((error: Error) => error.message))
      .toBe('There is no frontend "main": it exited with code 0')
    expect(events.map(({ name, label }) => `${name} ${label}`)).toEqual(['fault permanent', 'restart permanent'])
  })

  test('a frontend that throws at each start fails alone and frees its label', async () => {
    const { bus, events } = await supervise({ ...app, frontends: { main } })
    const limited = { delay: { min: 1, max: 1 }, intensity: 2, period: 600_000 }
    await bus.open('bad', at('throw new Error("no")'), { supervision: limited, loaded: false })
    await expect
      .poll(() => events.at(-1))
      .toMatchObject({
        name: 'failed',
        label: 'bad',
        worker: 'frontend',
        error: {
          message:
            'frontend "bad" failed 3 times in a row before it had served anything and will not be restarted. Last error: no',
        },
      })
    expect(events.map(({ name }) => name)).toEqual(['fault', 'restart', 'fault', 'restart', 'fault', 'failed'])
    await eventually(() => bus.call('main', 'calls'))
    await expect(bus.call('bad', 'calls')).rejects.toMatchObject(disconnected('no'))
    await bus.open('bad', main)
    expect(await eventually(() => bus.call('bad', 'calls'))).toBe(1)
  })
})

test('a frontend that waits for its restart can be closed, alone or with the bus, and core can crash meanwhile', async () => {
  const slow = { ...soon, delay: { min: 600_000, max: 600_000 } }
  const frontends = { one: { module: main, supervision: slow }, two: { module: main, supervision: slow } }
  const { bus, events } = await supervise({ frontends })
  const client = await bus.connect('tests')
  for (const label of ['one', 'two']) {
    await eventually(() => bus.call(label, 'calls'))
    await bus.call(label, 'end', { how: 'throw' }).catch(() => {})
  }
  await expect.poll(() => events.filter(({ name }) => name === 'restart').length).toBe(2)
  await expect(bus.open('one', main)).rejects.toThrow('Frontend "one" already exists')
  await bus.closeFrontend('one')
  await endCore(client)
  await eventually(() => client.invoke('which'))
  await bus.close()
})

describe('a gate', () => {
  const [, app] = patientPatterns.at(-1)!
  const spin = { hook: 'spin' }
  /** Ends the gate of a client while its hook runs. */
  const endGate = (client: Client): Promise<unknown> => {
    const call = client.invoke('which', spin)
    terminate(`gate of ${client.label}`)
    return call
  }

  test('restarts without its frontend, which keeps its listeners, and settles every call', async () => {
    const { bus, events } = await supervise({ ...app, frontends: { main } })
    await next(bus, 'up')
    const client = await bus.connect('tests')
    const received: unknown[] = []
    await client.listen('pong', ({ payload }) => void received.push(payload))
    const waiting = client.invoke('wait')
    waiting.catch(() => {})
    await expect(endGate(client)).rejects.toMatchObject(disconnected('unknown'))
    await expect(waiting).rejects.toMatchObject(disconnected('unknown'))
    await expect(client.invoke('which')).rejects.toMatchObject(disconnected('no'))
    expect(await eventually(() => client.invoke('which'))).toBeTypeOf('number')
    await client.emit('ping', 1)
    await expect.poll(() => received).toEqual([1])
    expect(events).toMatchObject([
      { name: 'fault', label: 'tests' },
      { name: 'restart', label: 'tests', worker: 'gate', restarts: 1 },
    ])
    expect(await bus.call('main', 'calls')).toBe(1)
    // Together with core.
    const other = await bus.connect('other')
    const calls = [endGate(client), other.invoke('end', { how: 'throw' })]
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected')
    expect(await eventually(() => client.invoke('which'))).toBe(await eventually(() => other.invoke('which')))
  })

  test('restarts with the process of its frontend, whose restart does not count', async () => {
    const { bus, events } = await supervise({ ...app, frontends: { main: { module: main, sandbox: 'process' } } })
    await next(bus, 'up')
    expect(await bus.call('main', 'calls')).toBe(1)
    const up = next(bus, 'up')
    terminate('gate of main')
    await up
    expect(await eventually(() => bus.call('main', 'calls'))).toBe(1)
    expect(events).toMatchObject([
      { name: 'fault', label: 'main' },
      { name: 'restart', label: 'main', worker: 'gate', restarts: 1 },
    ])
    expect((await bus.stats()).frontends['main']).toMatchObject({ restarts: 0 })
  })

  test('fails only with its own frontend', async () => {
    const { bus, events } = await supervise({ ...app, supervision: { ...soon, intensity: 0 } })
    const [client, other] = await Promise.all([bus.connect('tests'), bus.connect('other')])
    await expect(endGate(client)).rejects.toMatchObject(disconnected('unknown'))
    await client.closed
    expect(events).toMatchObject([
      { name: 'fault', label: 'tests' },
      { name: 'failed', label: 'tests', worker: 'gate' },
    ])
    await other.invoke('which')
    await (await bus.connect('tests')).invoke('which')
  })
})

test('ten restarts leave no thread, handle or listener behind', async () => {
  const { bus } = await supervise({ supervision: { ...soon, delay: { min: 0, max: 0 } } })
  const client = await bus.connect('tests')
  await client.listen('pong', () => {})
  const resources = (): number => process.getActiveResourcesInfo().length
  const restart = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await client.invoke('end', { how: 'exit' }).catch(() => {})
      await eventually(() => client.invoke('which'))
    }
  }
  await restart(2)
  const before = resources()
  await restart(8)
  // Ports of the last thread can still close.
  await expect.poll(resources).toBeLessThan(before + 6)
})

test('a frontend in a process restarts with core, and after failures of its own', async () => {
  takeClock('polls of heartbeats')
  const heartbeat = 60_000
  const frontends = { main: { module: main, sandbox: 'process', supervision: { ...soon, heartbeat } } } as const
  const { bus, events } = await supervise({ frontends, supervision: { ...soon, heartbeat: false } })
  const ups: unknown[] = []
  await bus.listen('up', ({ payload }) => void ups.push(payload))
  await expect.poll(() => ups.length).toBe(1)
  const client = await bus.connect('tests')
  const first = await client.invoke<number>('which')
  await endCore(client)
  await expect.poll(() => ups.length).toBe(2)
  expect(await eventually(() => bus.call('main', 'which'))).not.toBe(first)
  const loops = bus.call('main', 'end', { how: 'loop' })
  loops.catch(() => {})
  await expect.poll(() => events.length > 2 || void vi.advanceTimersByTime(15_000)).toBe(true)
  await expect.poll(() => ups.length).toBe(3)
  expect(await eventually(() => bus.call('main', 'calls'))).toBe(1)
  expect(events.at(-1)).toMatchObject({ name: 'restart', label: 'main', error: { reason: 'Timeout' } })
})
