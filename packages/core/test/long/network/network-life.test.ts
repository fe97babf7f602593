// Start and end of a network with its core, and labels that are used twice.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createBus, defineCore, type BusOptions } from '../../../src/index.js'
import { dial, socketNetwork } from '../../support/socket-network.js'
import { definitionIn, everyCommand, fixture, isolation, next, start as startBus } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

/** Starts a bus in which every frontend may call every command. */
const start = (options: Partial<BusOptions>): ReturnType<typeof startBus> =>
  startBus({ capabilities: [everyCommand], ...options })

const cores: [name: string, core: () => Promise<BusOptions['core']>][] = [
  ['in a worker', async () => fixture('core.mjs')],
  ['in this thread', () => definitionIn(fixture('core.mjs'))],
]

describe.each(choose(cores, 0))('core %s', (_where, core) => {
  test('closes after all answers are sent, and leaves nothing behind', async () => {
    const { path, network } = socketNetwork()
    const bus = await start({ core: await core(), network })
    const { client, socket } = await dial(path, { label: 'far' })
    const channel = new client.Channel<number>()
    // It waits until the channel is read.
    const slow = client.invoke('count', { to: 10_000, channel })
    await client.invoke('add', { a: 1, b: 2 })
    const closing = bus.close({ timeout: 60_000 })
    await expect.poll(() => existsSync(path)).toBe(false)
    await expect(dial(path, { label: 'late' })).rejects.toThrow()
    await expect(client.invoke('add', { a: 1, b: 2 })).rejects.toMatchObject({
      reason: 'Disconnected',
      data: { delivered: 'no' },
    })
    for await (const _message of channel);
    expect(await slow).toBe(10_000)
    const socketClosed = socket.destroyed ? undefined : once(socket, 'close')
    await closing
    await socketClosed
  })

  test('fails to start with a broken module', () =>
    rows<[string, object, RegExp, string]>([
      [
        'has no join',
        { module: fixture('calls/heavy.mjs') },
        /network module .*heavy\.mjs.* has no export "join"/,
        'InvalidParams',
      ],
      [
        'does not load',
        { module: new URL('data:text/javascript,)') },
        /network module .* could not be loaded/,
        'InvalidParams',
      ],
      [
        'joins with too few methods',
        { module: fixture('network/not-joinable.mjs') },
        /has no drain\(\)/,
        'InvalidParams',
      ],
      ['cannot join', socketNetwork({ fails: true }).network, /could not be joined: no such server/, 'LoadFailed'],
    ])(async (_what, network, message, reason) => {
      const started = createBus({ core: await core(), log: false, network: network as never })
      await expect(started).rejects.toMatchObject({ reason, message })
    }))
})

test('invalid options are rejected by name', () =>
  rows<[string, unknown, RegExp]>([
    ['a string', 'nats', /createBus: network must be an object/],
    ['no module', {}, /createBus: network\.module is missing/],
    ['no file', { module: '/no/such/module.mjs' }, /createBus: network\.module: there is no file/],
    [
      'another name',
      { module: fixture('network/socket-network.mjs'), option: 1 },
      /unknown option "network\.option".*"options"/,
    ],
    [
      'a function',
      { module: fixture('network/socket-network.mjs'), options: { log: () => 1 } },
      /network\.options cannot be cloned/,
    ],
  ])(async (_what, network, message) => {
    const started = createBus({ core: fixture('core.mjs'), log: false, network: network as never })
    await expect(started).rejects.toMatchObject({ reason: 'InvalidParams', message })
  }))

test('core joins again when it restarts', async () => {
  const { path, network } = socketNetwork()
  const bus = await start({ network })
  const { client } = await dial(path, { label: 'far' })
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
  await bus.reload('core')
  await expect(client.invoke('add', { a: 1, b: 2 })).rejects.toMatchObject({ reason: 'Disconnected' })
  const again = await dial(path, { label: 'far' })
  expect(await again.client.invoke('add', { a: 2, b: 2 })).toBe(4)
  await expect.poll(async () => (await bus.stats()).network?.total).toMatchObject({ sessions: 1, calls: 1 })
})

describe('a label', () => {
  test('is rejected when a frontend of this bus has it', async () => {
    const { path, network } = socketNetwork()
    const bus = await start({ network, frontends: { main: fixture('main.mjs') } })
    await next(bus, 'main-ready')
    const near = await bus.connect('near')
    for (const label of ['main', 'near'])
      await expect(dial(path, { label })).rejects.toMatchObject({ reason: 'InvalidRequest', message: /of this bus/ })
    await near.close()
    await expect.poll(async () => (await dial(path, { label: 'near' })).client.label).toBe('near')
  })

  test('is rejected when it is invalid', () =>
    rows(['', 'host', 'core', 'a b', '../x', 'x'.repeat(201)])(async label => {
      const { path, network } = socketNetwork()
      await start({ network })
      await expect(dial(path, { label })).rejects.toMatchObject({ reason: 'InvalidParams' })
    }))

  test('moves to the later of two sessions from the network', async () => {
    const { path, network } = socketNetwork()
    const bus = await start({ network })
    const first = (await dial(path, { label: 'far' })).client
    const waits = first.invoke('never_ends')
    waits.catch(() => {})
    await first.invoke('add', { a: 1, b: 2 })
    const second = (await dial(path, { label: 'far' })).client
    await expect(waits).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'unknown' } })
    expect(await second.invoke('add', { a: 1, b: 2 })).toBe(3)
    await expect.poll(async () => (await bus.stats()).network?.total).toMatchObject({ sessions: 1, calls: 3 })
  })

  test('moves from a session of the network to a frontend of this bus', async () => {
    const { path, network } = socketNetwork()
    const bus = await start({ network })
    const far = (await dial(path, { label: 'both' })).client
    await far.invoke('add', { a: 1, b: 2 })
    const near = await bus.connect('both')
    expect(await near.invoke('add', { a: 1, b: 2 })).toBe(3)
    await expect(far.invoke('add', { a: 1, b: 2 })).rejects.toMatchObject({ reason: 'Disconnected' })
    await expect
      .poll(() => bus.stats())
      .toMatchObject({
        network: { total: { sessions: 0 } },
        frontends: { both: { state: 'running', calls: 1 } },
      })
  })
})

test('a session is rejected when it is sealed in brownfield, or not sealed in isolation', async () => {
  const [clear, sealed] = [socketNetwork(), socketNetwork()]
  await start({ network: clear.network })
  await start({ network: sealed.network, ...isolation(undefined, {}, everyCommand) })
  await expect(dial(clear.path, { label: 'far', sealed: true })).rejects.toMatchObject({ reason: 'InvalidRequest' })
  await expect(dial(sealed.path, { label: 'far' })).rejects.toMatchObject({ reason: 'InvalidRequest' })
})

test('a protocol violation is a fault of its label, and ends only its session', async () => {
  const { path, network } = socketNetwork()
  const bus = await start({ network })
  const faults: string[] = []
  bus.on('fault', ({ label, error }) => void faults.push(`${label}: ${error.message}`))
  const other = (await dial(path, { label: 'other' })).client
  const near = await bus.connect('near')
  const { client, socket } = await dial(path, { label: 'far' })
  await client.invoke('add', { a: 1, b: 2 })
  // A frame of one byte with an unknown kind.
  socket.write(Buffer.from([9, 1, 0, 0, 0, 0, 9, 0, 0, 0, 1]))
  await expect.poll(() => faults).toEqual([expect.stringMatching(/^far: /)])
  for (const client of [other, near]) expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
})

test('a fault that the network reports is emitted as a fault of its label', async () => {
  const { path, network } = socketNetwork()
  const bus = await start({ network })
  const faults: unknown[] = []
  bus.on('fault', fault => void faults.push(fault))
  const { client } = await dial(path, { label: 'far', fault: 'forged messages' })
  const error = expect.objectContaining({ reason: 'InvalidRequest', message: 'forged messages' }) as unknown
  await expect.poll(() => faults).toEqual([{ label: 'far', error }])
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
})

test('other frontends get events of sessions that start and end', async () => {
  const { path, network } = socketNetwork()
  const bus = await startBus({ core: defineCore({ commands: {} }), network })
  const created = next(bus, 'tauri://window-created')
  const destroyed = next(bus, 'tauri://destroyed')
  const { socket } = await dial(path, { label: 'far' })
  expect(await created).toEqual({ label: 'far' })
  socket.destroy()
  expect(await destroyed).toEqual({ label: 'far' })
})
