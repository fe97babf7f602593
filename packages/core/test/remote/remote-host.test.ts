// A process without core: its frontends and connections use a core elsewhere as they would one beside them, in both patterns.
import { describe, expect, test } from 'vitest'
import { BusError } from '@sallyport/protocol'
import type { RemoteHostOptions } from '../../src/network.js'
import { fixture } from '../start.js'
import { join, nobody, startFar } from './joined.js'

const isolation = (hook: string): NonNullable<RemoteHostOptions['app']> => ({
  security: { pattern: { use: 'isolation', options: { dir: fixture(`hooks/${hook}/`) } } },
})

describe.each([
  ['brownfield', undefined, 'json'],
  ['brownfield', undefined, 'msgpack'],
  ['isolation', isolation('judge'), 'json'],
  ['isolation', isolation('judge'), 'msgpack'],
] as const)('%s, %#', (pattern, app, codec) => {
  test('a connection calls, listens, emits, streams and is called', async () => {
    const far = await startFar(pattern)
    const joined = await join(far, { ...(app && { app }) })
    const client = await joined.connect('tests', { codec })
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World!')
    const calls = Array.from({ length: 200 }, (_, a) => client.invoke('add', { a, b: 1 }))
    expect(await Promise.all(calls)).toEqual(calls.map((_, a) => a + 1))
    expect(await client.invoke('weigh', { data: new Uint8Array(2 ** 20).fill(3) })).toMatchObject({ length: 2 ** 20 })
    const heard = new Promise(resolve => void client.listen('tick', ({ payload }) => resolve(payload)))
    await client.listen('other', () => {})
    await client.emit('tick', { n: 1 })
    expect(await heard).toEqual({ n: 1 })
    expect(far.sessions).toHaveLength(1)
    expect(far.sessions[0]!.told).toEqual(['begin'])
    expect(joined.stats().frontends['tests']).toMatchObject({ state: 'running', rejected: 0 })
    await client.close()
    await expect.poll(() => far.reports.filter(({ type }) => type === 'closed')).toHaveLength(1)
    expect(far.sessions[0]!.told).toEqual(['begin', 'end'])
  })
})

test('in the isolation pattern what leaves the process is sealed, the hook decides, and the key given is wiped', async () => {
  const far = await startFar('isolation')
  const joined = await join(far, { app: isolation('judge') })
  const client = await joined.connect('tests')
  const rejected = new Promise(resolve => joined.on('rejected', resolve))
  await expect(client.invoke('add', { hook: 'null' })).rejects.toMatchObject({ reason: 'Rejected' })
  expect(await rejected).toMatchObject({ label: 'tests', command: 'add' })
  expect(await client.invoke('add', { a: 1, b: 2, hook: 'change' })).toBe(42)
  expect(joined.stats().frontends['tests']).toMatchObject({ rejected: 1, gate: { state: 'running' } })
  const [session] = far.sessions
  expect(session!.bodies.length).toBeGreaterThan(0)
  expect(Buffer.concat(session!.bodies).toString('latin1')).not.toContain('add')
  expect([...session!.key.secret].every(byte => byte === 0)).toBe(true)
})

test.each(['none', 'permission', 'process'] as const)('a frontend in a worker, sandbox: %s', async sandbox => {
  const far = await startFar('isolation')
  const joined = await join(far, {
    app: isolation('judge'),
    frontends: { main: { module: fixture('exposing.mjs'), sandbox } },
  })
  await expect.poll(() => far.sessions[0]?.told, { timeout: 20_000 }).toEqual(['begin'])
  const running = { main: { state: 'running', restarts: 0 } }
  await expect.poll(() => joined.stats().frontends, { timeout: 20_000 }).toMatchObject(running)
  await joined.closeFrontend('main')
  expect(far.sessions[0]!.told).toEqual(['begin', 'end'])
})

test('whom core refuses is not let in: connections, and workers', async () => {
  const far = await startFar()
  far.refuses = new BusError('Denied', 'the credential has expired')
  const joined = await join(far)
  await expect(joined.connect('tests')).rejects.toBe(far.refuses)
  await expect(joined.open('main', fixture('exposing.mjs'), { sandbox: 'none' })).rejects.toBe(far.refuses)
  await expect(join(far, { frontends: { main: { module: fixture('exposing.mjs'), sandbox: 'none' } } })).rejects.toBe(
    far.refuses,
  )
  expect(far.asked).toBe(3)
  far.refuses = undefined
  const client = await joined.connect('tests')
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
})

test('a core that comes later is found', async () => {
  const far = await startFar()
  far.refuses = nobody()
  const joined = await join(far)
  const connecting = joined.connect('tests')
  await expect.poll(() => far.asked).toBeGreaterThan(2)
  far.refuses = undefined
  const client = await connecting
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
})

test('core is told of deadlines: of connections, and of workers', async () => {
  const far = await startFar()
  const main = { module: fixture('exposing.mjs'), sandbox: 'none' } as const
  const joined = await join(far, { frontends: { main }, calls: { timeout: 60_000 } })
  const client = await joined.connect('tests')
  await client.invoke('add', { a: 1, b: 2 }, { timeout: 30_000 })
  const sent = (label: string) =>
    Buffer.concat(far.sessions.filter(session => session.label === label).flatMap(({ bodies }) => bodies)).toString()
  expect(sent('tests')).toContain('"sallyport-timeout"')
  await expect.poll(() => far.sessions.flatMap(({ told }) => told), { timeout: 20_000 }).toHaveLength(2)
  await far.app.call('main', 'calls_core', { name: 'World' })
  expect(sent('main')).toContain('"sallyport-timeout"')
})
