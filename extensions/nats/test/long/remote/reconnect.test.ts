// Sessions that are lost: each call settles once, another session follows, and the frontend's code notices nothing.
import { BusError } from '@sallyport/protocol/internal/errors'
import { describe, expect, test } from 'vitest'
import { choose } from '../../../../../scripts/testing.js'
import type { RemoteHostOptions } from '@sallyport/core/internal/network'
import type { JoinedBus } from '../../../src/client/joined-bus.js'
import { fixture } from '../../../../../packages/core/test/support/start.js'
import { eventually, disconnected } from '../../../../../packages/core/test/support/supervised.js'
import { type FakeCore, join, noResponders, startCore } from './fake-core.js'

const patterns = [
  ['brownfield', {}],
  ['isolation', { isolation: { dir: fixture('isolation/hooks/judge/') } }],
] as const satisfies [name: string, app: RemoteHostOptions][]

function recordEvents(host: JoinedBus): string[] {
  const events: string[] = []
  for (const name of ['fault', 'restart', 'failed'] as const) host.on(name, () => void events.push(name))
  return events
}

/** Closes the latest session, as if core or the network had failed. */
const cut = (core: FakeCore): void => core.sessions.at(-1)!.link.close()

describe.each(choose(patterns))('%s', (pattern, app) => {
  test('settles every call exactly once under load, and continues over the next session', async () => {
    const core = await startCore(pattern)
    const host = await join(core, app)
    const events = recordEvents(host)
    const client = await host.connect('tests')
    const ticks: unknown[] = []
    await client.listen('tick', ({ payload }) => void ticks.push(payload))
    const settled: string[] = []
    let made = 0
    for (let cuts = 0; cuts < 3; cuts++) {
      for (let i = 0; i < 300; i++) {
        made++
        void client.invoke(i % 2 ? 'add' : 'slow', { a: 1, b: 2, ms: 2000, value: 3 }).then(
          value => settled.push(String(value)),
          (error: BusError) => settled.push(`${error.reason} ${(error.data as { delivered: string }).delivered}`),
        )
      }
      await expect.poll(() => settled.length).toBeGreaterThan(cuts * 300)
      cut(core)
      await eventually(() => client.invoke('add', { a: 1, b: 2 }))
    }
    await expect.poll(() => settled.length).toBe(made)
    expect([...new Set(settled)].toSorted()).toEqual(['3', 'Disconnected unknown'])
    expect(core.sessions).toHaveLength(4)
    await client.emit('tick', 1)
    await expect.poll(() => ticks).toEqual([1])
    expect(core.sessions.map(session => session.events)).toEqual([['begin'], [], [], []])
    expect(events).toEqual([])
    expect(host.stats().frontends['tests']).toMatchObject({ state: 'running', restarts: 0 })
  })

  test('a worker keeps running', async () => {
    const core = await startCore(pattern)
    const host = await join(core, {
      ...app,
      frontends: { main: { module: fixture('calls/exposing.mjs'), sandbox: 'none' } },
    })
    const events = recordEvents(host)
    await expect.poll(() => core.sessions[0]?.events).toEqual(['begin'])
    const echo = (n: number) => eventually(() => core.app.call('main', 'echo', { n }))
    for (const n of [1, 2, 3]) {
      expect(await echo(n)).toEqual({ n })
      if (n < 3) cut(core)
    }
    expect(events).toEqual([])
    expect(host.stats().frontends['main']).toMatchObject({ restarts: 0 })
    expect(core.sessions.map(session => session.events)).toEqual([['begin'], [], []])
  })

  test('rejects calls without a session as not delivered, and later calls succeed', async () => {
    const core = await startCore(pattern)
    const host = await join(core, app)
    const client = await host.connect('tests')
    core.rejection = noResponders()
    cut(core)
    await expect.poll(() => core.attempts).toBeGreaterThan(2)
    await expect(client.invoke('add', { a: 1, b: 2 })).rejects.toMatchObject(disconnected('no'))
    await expect(client.emit('tick')).rejects.toMatchObject(disconnected('no'))
    core.rejection = undefined
    expect(await eventually(() => client.invoke('add', { a: 1, b: 2 }))).toBe(3)
  })

  test('fails a frontend that core rejects for good, with the reason', async () => {
    const core = await startCore(pattern)
    const host = await join(core, app)
    const events = recordEvents(host)
    const client = await host.connect('tests')
    core.rejection = new BusError('Denied', 'the credential was revoked')
    cut(core)
    await client.closed
    await expect(client.invoke('add', { a: 1, b: 2 })).rejects.toMatchObject({
      ...disconnected('no'),
      message: expect.stringContaining('the credential was revoked'),
    })
    expect(events).toEqual(['fault', 'failed'])
    core.rejection = undefined
    expect(await (await host.connect('tests')).invoke('add', { a: 1, b: 2 })).toBe(3)
  })
})

test('reloads a slow frontend in a process without counting a failure', async () => {
  const core = await startCore()
  const module = fixture('calls/exposing.mjs')
  const host = await join(core, { frontends: { main: { module, sandbox: 'process' } } })
  const events = recordEvents(host)
  const echo = () => eventually(() => core.app.call('main', 'echo', { n: 1 }))
  expect(await echo()).toEqual({ n: 1 })
  core.rejection = noResponders()
  const before = core.attempts
  cut(core)
  // Longer than a process survives the close of its pipes.
  await expect.poll(() => core.attempts - before).toBeGreaterThan(5)
  core.rejection = undefined
  expect(await echo()).toEqual({ n: 1 })
  expect(host.stats().frontends['main']).toMatchObject({ restarts: 0 })
  expect(core.sessions).toHaveLength(2)
  expect(events).toEqual([])
})
