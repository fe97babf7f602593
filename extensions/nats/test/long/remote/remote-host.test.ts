// A process without core: its frontends and connections use a remote core as they would use a local one, in both patterns.
import { describe, expect, test } from 'vitest'
import { BusError } from '@sallyport/protocol/internal/errors'
import type { RemoteHostOptions } from '@sallyport/core/internal/network'
import { fixture } from '../../../../../packages/core/test/support/start.js'
import { choose } from '../../../../../scripts/testing.js'
import { join, noResponders, startCore } from './fake-core.js'

const isolation = (hook: string): RemoteHostOptions => ({ isolation: { dir: fixture(`isolation/hooks/${hook}/`) } })

describe.each(
  choose([
    ['brownfield', {}, 'json'],
    ['brownfield', {}, 'msgpack'],
    ['isolation', isolation('judge'), 'json'],
    ['isolation', isolation('judge'), 'msgpack'],
  ] as const),
)('%s, %s', (pattern, app, codec) => {
  test('a connection calls, listens, emits, streams and is called', async () => {
    const core = await startCore(pattern)
    const host = await join(core, { codec, ...app })
    const client = await host.connect('tests')
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World!')
    const calls = Array.from({ length: 200 }, (_, a) => client.invoke('add', { a, b: 1 }))
    expect(await Promise.all(calls)).toEqual(calls.map((_, a) => a + 1))
    expect(await client.invoke('weigh', { data: new Uint8Array(2 ** 20).fill(3) })).toMatchObject({ length: 2 ** 20 })
    const received = new Promise(resolve => void client.listen('tick', ({ payload }) => resolve(payload)))
    await client.listen('other', () => {})
    await client.emit('tick', { n: 1 })
    expect(await received).toEqual({ n: 1 })
    expect(core.sessions).toHaveLength(1)
    expect(core.sessions[0]!.events).toEqual(['begin'])
    expect(host.stats().frontends['tests']).toMatchObject({ state: 'running', rejected: 0 })
    await client.close()
    await expect.poll(() => core.reports.filter(({ type }) => type === 'closed')).toHaveLength(1)
    expect(core.sessions[0]!.events).toEqual(['begin', 'end'])
  })
})

test('seals what leaves the process, lets the hook decide, and wipes the key in the isolation pattern', async () => {
  const core = await startCore('isolation')
  const host = await join(core, isolation('judge'))
  const client = await host.connect('tests')
  const rejected = new Promise(resolve => host.on('rejected', resolve))
  await expect(client.invoke('add', { hook: 'null' })).rejects.toMatchObject({ reason: 'Rejected' })
  expect(await rejected).toMatchObject({ label: 'tests', command: 'add' })
  expect(await client.invoke('add', { a: 1, b: 2, hook: 'change' })).toBe(42)
  expect(host.stats().frontends['tests']).toMatchObject({ rejected: 1, gate: { state: 'running' } })
  const [session] = core.sessions
  expect(session!.bodies.length).toBeGreaterThan(0)
  expect(Buffer.concat(session!.bodies).toString('latin1')).not.toContain('add')
  expect([...session!.key.secret].every(byte => byte === 0)).toBe(true)
})

test.each(choose(['none', 'permission', 'process'] as const))(
  'runs a frontend in a worker with sandbox %s',
  async sandbox => {
    const core = await startCore('isolation')
    const host = await join(core, {
      ...isolation('judge'),
      frontends: { main: { module: fixture('calls/exposing.mjs'), sandbox } },
    })
    await expect.poll(() => core.sessions[0]?.events).toEqual(['begin'])
    const running = { main: { state: 'running', restarts: 0 } }
    await expect.poll(() => host.stats().frontends).toMatchObject(running)
    await host.closeFrontend('main')
    expect(core.sessions[0]!.events).toEqual(['begin', 'end'])
  },
)

test('rejects connections and workers with the error of core', async () => {
  const core = await startCore()
  core.rejection = new BusError('Denied', 'the credential has expired')
  const host = await join(core)
  await expect(host.connect('tests')).rejects.toBe(core.rejection)
  await expect(host.open('main', fixture('calls/exposing.mjs'), { sandbox: 'none' })).rejects.toBe(core.rejection)
  const frontends = { main: { module: fixture('calls/exposing.mjs'), sandbox: 'none' } } as const
  await expect(join(core, { frontends })).rejects.toBe(core.rejection)
  expect(core.attempts).toBe(3)
  core.rejection = undefined
  const client = await host.connect('tests')
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
})

test('rejects with the error of a module that fails to load', async () => {
  const core = await startCore()
  const module = fixture('supervision/loading.mjs')
  const main = { module, data: { ends: 'throw' } }
  await expect(join(core, { frontends: { main } })).rejects.toMatchObject({ message: 'frontend "main": at load' })
  const host = await join(core)
  await expect(host.open('main', module, { data: main.data })).rejects.toMatchObject({ message: 'at load' })
  await host.open('main', module, { data: {} })
})

test('waits for a core that is not running yet', async () => {
  const core = await startCore()
  core.rejection = noResponders()
  const host = await join(core)
  const connecting = host.connect('tests')
  await expect.poll(() => core.attempts).toBeGreaterThan(2)
  core.rejection = undefined
  const client = await connecting
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
})

test('sends deadlines to core, for calls of connections and of workers', async () => {
  const core = await startCore()
  const main = { module: fixture('calls/exposing.mjs'), sandbox: 'none' } as const
  const host = await join(core, { frontends: { main }, calls: { commandTimeout: 60_000 } })
  const client = await host.connect('tests')
  await client.invoke('add', { a: 1, b: 2 }, { timeout: 60_000 })
  const getSent = (label: string) =>
    Buffer.concat(core.sessions.filter(session => session.label === label).flatMap(({ bodies }) => bodies)).toString()
  expect(getSent('tests')).toContain('"sallyport-timeout"')
  await expect.poll(() => core.sessions.flatMap(({ events }) => events)).toHaveLength(2)
  await core.app.call('main', 'calls_core', { name: 'World' })
  expect(getSent('main')).toContain('"sallyport-timeout"')
})
